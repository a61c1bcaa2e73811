"""Child processes: the project's pytest, run through the agent."""
