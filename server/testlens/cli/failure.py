"""What stops a command: Testlens cannot do what was asked, and says why."""

from __future__ import annotations

from testlens.domain.problems import Problem


class Failure(Exception):  # noqa: N818 (it is no error of ours)
    """Ends a command with exit status 2; `problem` says what is wrong and what to do next."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem
