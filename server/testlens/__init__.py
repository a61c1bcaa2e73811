"""Testlens: what the tests of a Python project do not prove, ranked by risk."""

__version__ = "0.1.0"
