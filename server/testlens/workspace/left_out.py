"""The slow tests that continuous testing leaves to the user: what they said before an edit is stale until they run.

That they are to run is kept beside the run's record, which is by then that of newer sources.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from testlens.analysis.fingerprints import blocks
from testlens.domain.snapshot import FileReport
from testlens.domain.staleness import Anchors, Marks
from testlens.workspace.store import FOLDER

_FILE = f"{FOLDER}/left-out.json"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Tests (node ids) that edits select and that have not run since.

    `everything` says that all tests were to run. `edited` names the blocks, by file, that these tests ran before they
    were edited: whether they run a line there now, nobody knows.
    """

    tests: frozenset[str] = frozenset()
    everything: bool = False
    edited: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def after(self, ran: Collection[str]) -> LeftOut:
        """What is left once these tests have run."""
        tests = self.tests.difference(ran)
        return replace(self, tests=tests) if tests else NOTHING

    def and_also(self, other: LeftOut) -> LeftOut:
        """Both together."""
        paths = self.edited.keys() | other.edited.keys()
        none = frozenset[str]()
        edited = {path: self.edited.get(path, none) | other.edited.get(path, none) for path in paths}
        return LeftOut(self.tests | other.tests, self.everything or other.everything, edited)

    def doubtful_lines(self, path: str, text: str) -> frozenset[int]:
        """The lines (1-based) of the blocks of a file that were edited; `text` is what was measured of it."""
        names = self.edited.get(path)
        if not names:
            return frozenset()
        try:
            found = blocks(text)
        except (SyntaxError, ValueError, RecursionError):
            return frozenset()
        return frozenset(
            line
            for name in names
            if (block := found.get(name)) is not None
            for line in range(block.first, block.last + 1)
        )


NOTHING = LeftOut()


def load_left_out(root: Path) -> LeftOut:
    """What was left out, if anything."""
    try:
        fields = json.loads((root / _FILE).read_text(encoding="utf-8"))
        edited = {path: frozenset(names) for path, names in fields["edited"].items()}
        return LeftOut(frozenset(fields["tests"]), bool(fields["everything"]), edited)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return NOTHING


def keep_left_out(root: Path, left_out: LeftOut) -> None:
    """Keep it in the place of what was kept."""
    place = root / _FILE
    with contextlib.suppress(OSError):
        if not left_out.tests:
            place.unlink(missing_ok=True)
            return
        edited = {path: sorted(names) for path, names in left_out.edited.items()}
        fields = {"tests": sorted(left_out.tests), "everything": left_out.everything, "edited": edited}
        place.write_text(json.dumps(fields), encoding="utf-8")


def without_doubtful_gaps(report: FileReport, lines: frozenset[int]) -> FileReport:
    """A report that calls no line unproven that a test may run which was left out."""
    if not lines:
        return report
    gaps = tuple(gap for gap in report.gaps if lines.isdisjoint(range(gap.region.first, gap.region.last + 1)))
    return replace(report, gaps=gaps)


def with_doubt(marks: Marks, anchors: Anchors, doubtful: Collection[int], only_left_out: Collection[int]) -> Marks:
    """Marks that call lines stale of which it is doubtful that no test runs them, or that only tests left out ran.

    Both are lines as they were measured.
    """
    if not doubtful and not only_left_out:
        return marks
    may_run = {anchors.current(line) for line in doubtful}
    did_run = {anchors.current(line) for line in only_left_out}
    open_now = (line for line in (*marks.uncovered, *marks.partial) if line in may_run)
    stale = {line for line in (*marks.covered, *marks.partial, *marks.failing) if line in did_run}.union(open_now)

    def sure(lines: Collection[int]) -> tuple[int, ...]:
        return tuple(line for line in lines if line not in stale)

    return Marks(
        sure(marks.covered),
        sure(marks.partial),
        sure(marks.uncovered),
        tuple(sorted(stale.union(marks.stale))),
        sure(marks.failing),
    )
