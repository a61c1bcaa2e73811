"""From a save to what is known of it, against a cold run of all tests with coverage and contexts by pytest-cov.

Each save adds a statement to one function that changes nothing, and is taken back after it: so all tests pass, as they
do in the cold run, and none takes longer than there. What is measured is a round of continuous testing in one session,
from the look at the edits to the new snapshot, of which the editor hears at once; what is written down after it is left
out. What pytest takes to start, to import the project and to collect the tests is told apart from what else is not the
tests' own: no run of these tests can do without.

    python bench/continuous.py [--click N] [--jinja2 N] [--seed N]
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import contextlib
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from figures import Figure, conclude

from agent.interpreters import CURRENT, environment_with, found
from real.edits import Edit
from real.published import PYTEST_ARGS, environment, unpacked
from testlens.domain.snapshot import Snapshot
from testlens.runners.events import Collected, Event, ProcessStarted
from testlens.runners.warm_runner import WarmRunner
from testlens.workspace.continuous import Round, run_affected, warmth_of
from testlens.workspace.run_record import load_record
from testlens.workspace.settings import NO_OVERRIDES
from testlens.workspace.workspace import Workspace

_EDITS = {"click": 30, "jinja2": 30}
_PACKAGES = ("pytest==9.2.0", "coverage==7.17.3", "pytest-cov", "trio", "click==8.5.1", "jinja2==3.1.6")
_COLD = ("--cov=src", "--cov-branch", "--cov-context=test", "--cov-report=", "-q")
_COLD_RUNS = 2
_LONGEST_TEST = 30.0


def main() -> None:
    """Run as a program: exits with 1 if a bound was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, count in _EDITS.items():
        parser.add_argument(f"--{name}", type=int, default=count, metavar="N", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    arguments = vars(parser.parse_args())
    environment()
    python = environment_with("continuous", found()[CURRENT], _PACKAGES)
    figures: list[Figure] = []
    for name in _EDITS:
        if arguments[name]:
            with tempfile.TemporaryDirectory(prefix="testlens-bench-") as folder:
                figures += _of(name, Path(folder), python, arguments[name], arguments["seed"])
    conclude(figures)


@dataclass(slots=True)
class Save:
    """What came of a save: when the new snapshot was there, in seconds from the question, and what collecting took."""

    done: Round
    seconds: float
    collecting: float


def _of(name: str, folder: Path, python: Path, count: int, seed: int) -> Iterator[Figure]:
    root = unpacked(name, folder / "ours")
    edits = _edits(root, random.Random(seed), count)
    theirs = unpacked(name, folder / "theirs")
    cold = statistics.median(_cold(theirs, python) for _ in range(_COLD_RUNS))
    saves = asyncio.run(_saves(root, python, edits))
    seconds = [one.seconds for one in saves]
    everything = sum(one.done.affected.everything for one in saves)
    nothing = sum(one.done.result is None for one in saves)
    detail = f"{len(saves)} saves, everything {everything} times, nothing {nothing} times; cold run {cold:.2f} s"
    for word, value, bound in (
        ("median", statistics.median(seconds), 1 / 15),
        ("mean", statistics.mean(seconds), 1 / 3),
        ("longest", max(seconds), 1.0),
    ):
        yield Figure(f"{name}: {word} of a save", value / cold, bound, "x", f"{value:.2f} s of {detail}")
    parts = [one for one in saves if one.done.result is not None and not one.done.affected.everything]
    if parts:
        added = statistics.median(one.seconds - one.collecting - _own_seconds(one) for one in parts)
        start = statistics.median(one.collecting for one in parts)
        words = f"{len(parts)} saves; to start, import and collect took {start:.2f} s more"
        yield Figure(f"{name}: what the loop adds", 1000 * added, 150.0, "ms", words)


def _edits(root: Path, draw: random.Random, count: int) -> list[Edit]:
    """Edits of so many functions, each with the same chance."""
    functions = [
        (path, node)
        for path in sorted((root / "src").rglob("*.py"))
        for lines in [path.read_text().splitlines()]
        for node in ast.walk(ast.parse("\n".join(lines)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        # not behind the colon
        and not lines[node.body[-1].lineno - 1][: node.body[-1].col_offset].strip()
    ]
    return [_edit(root, path, node) for path, node in draw.sample(functions, count)]


def _edit(root: Path, path: Path, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Edit:
    last = function.body[-1]
    before = path.read_text()
    lines = before.splitlines(keepends=True)
    # A decorated definition begins at its first decorator.
    line = min([last.lineno, *(each.lineno for each in getattr(last, "decorator_list", ()))])
    lines.insert(line - 1, " " * last.col_offset + "pass\n")
    return Edit(path.relative_to(root).as_posix(), function.name, before, "".join(lines))


def _cold(root: Path, python: Path) -> float:
    began = time.perf_counter()
    command = [str(python), "-m", "pytest", *PYTEST_ARGS, *_COLD]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return time.perf_counter() - began


async def _saves(root: Path, python: Path, edits: Sequence[Edit]) -> list[Save]:
    runner, saves, clock = WarmRunner(), [], _Clock()
    overrides = replace(NO_OVERRIDES, pytest_args=PYTEST_ARGS, test_timeout=_LONGEST_TEST)
    with contextlib.closing(Workspace(root, overrides, clock.take_snapshot)) as workspace:
        workspace.refresh()

        async def look() -> Round:
            clock.start()
            return await run_affected(workspace, str(python), runner, clock.take, asyncio.to_thread)

        # Twice, since a test of jinja2 touches a file that it does not change.
        for _ in range(2):
            await look()
        for edit in edits:
            await runner.prepare(warmth_of(workspace, str(python), load_record(root)))
            place = root / edit.path
            place.write_text(edit.after)
            done = await look()
            saves.append(Save(done, clock.shown or done.seconds, clock.collecting))
            place.write_text(edit.before)
            await look()
    await runner.close()
    return saves


class _Clock:
    """Takes the time of what is told of a round."""

    def start(self) -> None:
        """A round begins."""
        self._began = self._process = time.monotonic()
        self.shown = self.collecting = 0.0

    def take(self, event: Event) -> None:
        """Note when a process began to collect tests, and when it had."""
        if isinstance(event, ProcessStarted):
            self._process = time.monotonic()
        elif isinstance(event, Collected):
            self.collecting += time.monotonic() - self._process

    def take_snapshot(self, _snapshot: Snapshot) -> None:
        """Note when the newest snapshot was there."""
        if hasattr(self, "_began"):
            self.shown = time.monotonic() - self._began


def _own_seconds(save: Save) -> float:
    assert save.done.result is not None
    return sum(test.duration for test in save.done.result.results)


if __name__ == "__main__":
    main()
