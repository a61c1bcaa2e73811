"""Writes tests: from a gap and the facts about it to test text in the project's own style. No IO."""
