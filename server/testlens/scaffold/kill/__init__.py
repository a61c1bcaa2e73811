"""Tests that tell a mutant from the original: which inputs to try, what differs, and how a test says so. Pure."""
