"""Which mutants to check: of a function, a file, lines that were changed, or the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from testlens.analysis.mutant_spans import Change
from testlens.domain.problems import Problem
from testlens.domain.snapshot import Snapshot
from testlens.sources.git_command import Run
from testlens.sources.git_diff import changed_since


@dataclass(frozen=True, slots=True)
class MutationTarget:
    """What to check: everything, or less for each field that is not None.

    `file` is a path (POSIX, relative to the workspace) and `function` a dotted name; `lines` has, for each path that
    was changed, the lines (1-based) of it.
    """

    file: str | None = None
    function: str | None = None
    lines: Mapping[str, frozenset[int]] | None = None

    @property
    def files(self) -> tuple[str, ...] | None:
        """The files with mutants to check, None for all."""
        if self.file is not None:
            return (self.file,)
        return None if self.lines is None else tuple(sorted(self.lines))

    def has_function(self, name: str) -> bool:
        """Whether mutants of this function (dotted name) are to be checked; its last part is enough to name it."""
        return self.function is None or name == self.function or name.endswith(f".{self.function}")

    def has_change(self, path: str, change: Change) -> bool:
        """Whether a change of a file lies on lines to check."""
        if self.lines is None:
            return True
        span = change.span
        return not self.lines.get(path, frozenset()).isdisjoint(range(span.first_line, span.last_line + 1))


def changed_lines(root: Path, revision: str, run: Run) -> Mapping[str, frozenset[int]] | Problem:
    """The lines of the Python files below `root` that changed since HEAD parted from a revision of git.

    They are those of `testlens check --diff`, and all lines of files that git does not know yet. A Problem where git
    cannot tell.
    """
    diff = changed_since(root, revision, run, "--changed")
    if isinstance(diff, Problem):
        return diff
    known = {path: lines for path, lines in diff.lines.items() if path.endswith(".py")}
    return known | {path: _all_lines(root / path) for path in diff.unknown}


def _all_lines(path: Path) -> frozenset[int]:
    try:
        return frozenset(range(1, path.read_bytes().count(b"\n") + 2))
    except OSError:
        return frozenset()


class Ranking:
    """Riskiest functions first, and those that tests cover before all others, by what a snapshot says."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._known = {
            (path, report.function.name): (report.numbers.percent > 0, report.risk)
            for path, file in snapshot.files.items()
            for report in file.functions
        }

    def key(self, path: str, function: str) -> tuple[bool, float]:
        """Sorts functions into the order in which to check them."""
        is_covered, risk = self._known.get((path, function), (False, 0.0))
        return not is_covered, -risk
