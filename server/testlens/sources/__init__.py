"""Readers: one format each, from files to domain values and a list of problems."""
