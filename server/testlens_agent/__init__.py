"""Runs in the project's interpreter: pytest and coverage there, reported as JSON lines. Standard library only."""
