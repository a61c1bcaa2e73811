"""Source text to facts: functions, blocks, complexity, boundaries."""
