"""Runs mutmut's mutants: one session imports and collects the mutated sources, and a copy of it plays each mutant.

The mutants are made in a copy of the sources in a folder of Testlens' own, so that the user's files, and mutmut's own
`mutants/`, are never touched. Names, counts and verdicts are those of `mutmut run`.
"""
