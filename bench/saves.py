"""Saves of a published project, and how long each takes: in an editor, in one process, and by pytest-testmon."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from lsp.editor import Editor, painted
from real.edits import Edit
from real.published import PYTEST_ARGS
from testlens.domain.snapshot import Snapshot
from testlens.runners.events import Collected, Event, ProcessStarted, TestFinished, TestStarted
from testlens.runners.warm_runner import WarmRunner
from testlens.workspace.collector import collect_rarely
from testlens.workspace.continuous import Round, get_ready, run_affected
from testlens.workspace.settings import NO_OVERRIDES
from testlens.workspace.workspace import Workspace

_LONGEST_TEST = 30.0
_NO_TESTS = 5
_TYPED_BEFORE = 0.5  # what hands need from the last key to the one that saves


@dataclass(frozen=True, slots=True)
class Save:
    """An edit that adds a statement which changes nothing, in `line` (1-based), to the body of a function.

    `body` are the lines of that body as they were.
    """

    edit: Edit
    line: int
    body: range


def draw(root: Path, seed: int, count: int) -> list[Save]:
    """Saves of so many functions, each with the same chance."""
    functions = [
        (path, node)
        for path in sorted((root / "src").rglob("*.py"))
        for lines in [path.read_text().splitlines()]
        for node in ast.walk(ast.parse("\n".join(lines)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        # not behind the colon
        and not lines[node.body[-1].lineno - 1][: node.body[-1].col_offset].strip()
    ]
    return [_save(root, path, node) for path, node in random.Random(seed).sample(functions, count)]


def _save(root: Path, path: Path, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Save:
    last = function.body[-1]
    before = path.read_text()
    lines = before.splitlines(keepends=True)
    # A decorated definition begins at its first decorator.
    line = min([last.lineno, *(each.lineno for each in getattr(last, "decorator_list", ()))])
    lines.insert(line - 1, " " * last.col_offset + "pass\n")
    edit = Edit(path.relative_to(root).as_posix(), function.name, before, "".join(lines))
    return Save(edit, line, range(function.body[0].lineno, (function.end_lineno or line) + 1))


async def in_editor(root: Path, python: Path, saves: Sequence[Save]) -> list[float]:
    """Seconds from each save until the marks that an editor has are those of the new text.

    A save is taken back after it, and that is waited for.
    """
    settings = {"python": str(python), "pytestArgs": list(PYTEST_ARGS), "testTimeout": _LONGEST_TEST}
    editor = await Editor.start(root, continuous="onSave", **settings)
    seconds = []
    try:
        await _settled(editor, root)
        for save in saves:
            uri = editor.open(root / save.edit.path)
            before = painted(await editor.marks(uri, lambda _marks: True))
            is_run = any(before.get(line) in ("covered", "partial") for line in save.body)
            seconds.append(await _save_in(editor, uri, root / save.edit.path, save, is_run))
            await _settled(editor, root)
            _write(editor, uri, root / save.edit.path, save.edit.before)
            await _settled(editor, root)
            editor.close(uri)
    finally:
        await editor.stop()
    return seconds


async def _save_in(editor: Editor, uri: str, place: Path, save: Save, is_run: bool) -> float:
    """Of a function that nothing runs, no mark waits for tests."""
    editor.type(uri, save.edit.after)
    await asyncio.sleep(_TYPED_BEFORE)
    began = time.perf_counter()
    await asyncio.to_thread(place.write_text, save.edit.after)
    await editor.marks(uri, lambda marks: not is_run or painted(marks).get(save.line) not in (None, "stale", "running"))
    return time.perf_counter() - began


def _write(editor: Editor, uri: str, place: Path, text: str) -> None:
    editor.type(uri, text)
    place.write_text(text)


async def _settled(editor: Editor, root: Path) -> None:
    """Wait until nothing runs, and nothing begins to for a moment."""
    quiet_since = time.monotonic()

    def is_quiet() -> bool:
        nonlocal quiet_since
        said = [status for status in editor.said["testlens/status"] if status.folder == root.as_uri()]
        if not said or said[-1].state != "ready":
            quiet_since = time.monotonic()
        return time.monotonic() - quiet_since > 1.0

    async with asyncio.timeout(300):
        while not is_quiet():
            await asyncio.sleep(0.01)


@dataclass(slots=True)
class Looked:
    """What came of a save: when the new snapshot was there, in seconds from the question, and what took how long.

    `collecting` is pytest's start, the import of the project and the collection, `testing` the time from the start of
    the first test to the end of the last one.
    """

    done: Round
    seconds: float
    collecting: float
    testing: float

    @property
    def added(self) -> float:
        """Seconds that are neither."""
        return self.seconds - self.collecting - self.testing


async def in_process(root: Path, python: Path, saves: Sequence[Save]) -> list[Looked]:
    """The same by rounds of continuous testing alone, so that it can be told what takes how long."""
    collect_rarely()  # as the server does
    runner, looked, clock = WarmRunner(), [], _Clock()
    overrides = replace(NO_OVERRIDES, pytest_args=PYTEST_ARGS, test_timeout=_LONGEST_TEST)
    with contextlib.closing(Workspace(root, overrides, clock.take_snapshot)) as workspace:
        workspace.refresh()

        async def look() -> Round:
            clock.start()
            return await run_affected(workspace, str(python), runner, clock.take, asyncio.to_thread)

        # Twice, since a test of jinja2 touches a file that it does not change.
        for _ in range(2):
            await look()
        for save in saves:
            await runner.prepare(get_ready(workspace, str(python), asyncio.Event()))
            place = root / save.edit.path
            place.write_text(save.edit.after)
            done = await look()
            looked.append(Looked(done, clock.shown or done.seconds, clock.collecting, clock.testing))
            place.write_text(save.edit.before)
            await look()
    await runner.close()
    return looked


class _Clock:
    """Takes the time of what is told of a round."""

    def start(self) -> None:
        """A round begins."""
        self._began = self._process = time.monotonic()
        self.shown = self.collecting = self.testing = self._first = 0.0

    def take(self, event: Event) -> None:
        """Note when a process began to collect tests, when it had, and when tests began and ended."""
        if isinstance(event, ProcessStarted):
            self._process = time.monotonic()
        elif isinstance(event, Collected):
            self.collecting += time.monotonic() - self._process
        elif isinstance(event, TestStarted):
            self._first = self._first or time.monotonic()
        elif isinstance(event, TestFinished):
            self.testing = time.monotonic() - self._first

    def take_snapshot(self, _snapshot: Snapshot) -> None:
        """Note when the newest snapshot was there."""
        if hasattr(self, "_began"):
            self.shown = time.monotonic() - self._began


def by_testmon(root: Path, python: Path, saves: Sequence[Save]) -> list[float]:
    """Seconds that `pytest --testmon` takes after each save; raises CalledProcessError where it fails."""
    _pytest(root, python, "--testmon")
    seconds = []
    for save in saves:
        place = root / save.edit.path
        place.write_text(save.edit.after)
        seconds.append(_pytest(root, python, "--testmon"))
        place.write_text(save.edit.before)
        _pytest(root, python, "--testmon")
    return seconds


def cold(root: Path, python: Path, arguments: Sequence[str]) -> float:
    """Seconds that a run of all tests takes."""
    return _pytest(root, python, *arguments)


def _pytest(root: Path, python: Path, *arguments: str) -> float:
    began = time.perf_counter()
    command = [str(python), "-m", "pytest", "-q", *PYTEST_ARGS, *arguments]
    done = subprocess.run(command, cwd=root, check=False, capture_output=True)
    if done.returncode not in (0, _NO_TESTS):
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return time.perf_counter() - began
