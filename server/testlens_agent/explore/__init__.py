"""A warm pytest session that tries tests which are not written yet, each in a process of its own, behind a sandbox."""
