"""A test explorer as an editor has it: what the server told of tests, put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lsp.editor import Editor, eventually


@dataclass
class Explorer:
    """The tests that are shown, by node id: where they are, and what came of them."""

    places: dict[str, Any] = field(default_factory=dict)
    reports: dict[str, Any] = field(default_factory=dict)

    @property
    def outcomes(self) -> dict[str, str]:
        """Outcome by test, "" for those that have not run."""
        return {test: self.reports[test].outcome if test in self.reports else "" for test in self.places}


def explorer_of(editor: Editor, root: Path) -> Explorer:
    """What a folder's explorer shows by what `testlens/tests` has told, runs left out."""
    shown = Explorer()
    for told in editor.said["testlens/tests"]:
        if told.folder != root.as_uri():
            continue
        if told.reset:
            shown = Explorer()
        shown.places |= {place.id: place for place in told.tests}
        shown.reports |= {report.id: report for report in told.reports}
        for test in told.gone:
            shown.places.pop(test, None)
            shown.reports.pop(test, None)
    return shown


async def shown(editor: Editor, root: Path, until: Callable[[Explorer], object]) -> Explorer:
    """The explorer once it is as wanted."""

    def look() -> Explorer | None:
        found = explorer_of(editor, root)
        return found if until(found) else None

    return await eventually(look, f"the tests; last were {explorer_of(editor, root).outcomes}")


@dataclass(frozen=True, slots=True)
class ToldRun:
    """One run as it was told: what happened in order ("started", node id), the reports, and pytest's own words."""

    happened: tuple[tuple[str, str], ...]
    reports: dict[str, Any]
    details: dict[str, str]
    continuous: bool


def runs_of(editor: Editor) -> dict[str, ToldRun]:
    """The runs that have ended, by job, in their order; those in which no test began are left out."""
    ended = [told.job for told in editor.said["testlens/testRun"] if told.ended]
    found = {job: _told(editor, job) for job in ended}
    return {job: run for job, run in found.items() if run.happened}


async def run_told(editor: Editor, until: Callable[[ToldRun], object] = lambda run: True) -> ToldRun:
    """The newest run that has ended, once it is as wanted."""

    def look() -> ToldRun | None:
        found = [run for run in runs_of(editor).values() if until(run)]
        return found[-1] if found else None

    return await eventually(look, "a run that was told to its end")


def _told(editor: Editor, job: str) -> ToldRun:
    messages = [told for told in editor.said["testlens/testRun"] if told.job == job]
    assert [message.ended for message in messages].count(True) == 1
    assert messages[-1].ended, "nothing is told of a run that has ended"
    happened: list[tuple[str, str]] = []
    for message in messages:
        happened += [("started", place.id) for place in message.started]
        happened += [("finished", report.id) for report in message.finished]
    reports = {report.id: report for message in messages for report in message.finished}
    details = {test: text for message in messages for test, text in _fields(message.details).items()}
    return ToldRun(tuple(happened), reports, details, messages[0].continuous)


def _fields(found: Any) -> dict[str, str]:
    # The client of the tests reads objects that it knows no type of as named tuples.
    return dict(zip(found._fields, found, strict=True)) if found else {}
