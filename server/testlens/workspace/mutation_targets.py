"""Which mutants to check: of a function, a file, lines that were changed, or the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from testlens.analysis.mutant_spans import Change
from testlens.domain.problems import Problem
from testlens.domain.snapshot import Snapshot
from testlens.sources.git_command import Run
from testlens.sources.git_diff import parse_patch

_GIT = ("git", "--no-pager", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


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
    """The lines of the Python files below `root` that differ from a revision of git, uncommitted edits included.

    A Problem where git cannot tell.
    """
    options = (
        "--unified=0",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--no-renames",
        "--relative",
        "--dst-prefix=b/",
    )
    done = run([*_GIT, "-c", "core.quotePath=false", "diff", *options, revision, "--", "*.py"], root)
    if isinstance(done, Problem):
        return done
    if done.status != 0:
        said = (done.errors.strip().splitlines() or [f"exit status {done.status}"])[-1]
        advice = "Name a revision that `git log` knows, such as HEAD or main."
        return Problem(f"git cannot compare with {revision}: {said}", advice, severity="error")
    found = dict(parse_patch(done.output)[0])
    new = run([*_GIT, "ls-files", "-z", "--others", "--exclude-standard", "--", "*.py"], root)
    if not isinstance(new, Problem) and new.status == 0:
        found |= {path: _all_lines(root / path) for path in new.output.split("\0") if path}
    return found


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
