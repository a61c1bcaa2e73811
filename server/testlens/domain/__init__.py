"""Pure values and arithmetic: no IO, no subprocess, no editor, no coverage or mutmut."""
