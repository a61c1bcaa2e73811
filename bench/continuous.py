"""From a save to what is known of it, against a cold run of all tests with coverage and contexts by pytest-cov.

Each save is a mutant of one function, which is taken back after it, so that a save follows from a green suite. What is
measured is a round of continuous testing, from the look at the edits to the new snapshot, in one session.

    python bench/continuous.py [--click N] [--jinja2 N] [--seed N]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from figures import Figure, conclude

from agent.interpreters import CURRENT, environment_with, found
from real.edits import Edit, seeded_edits
from real.published import PYTEST_ARGS, environment, unpacked
from testlens.runners.warm_runner import WarmRunner
from testlens.workspace.continuous import Round, run_affected, warmth_of
from testlens.workspace.run_record import load_record
from testlens.workspace.settings import NO_OVERRIDES
from testlens.workspace.workspace import Workspace

_EDITS = {"click": 30, "jinja2": 30}
_PACKAGES = ("pytest==9.2.0", "coverage==7.17.3", "pytest-cov", "trio", "click==8.5.1", "jinja2==3.1.6")
_COLD = ("--cov=src", "--cov-branch", "--cov-context=test", "--cov-report=", "-q")
_COLD_RUNS = 2
_LONGEST_TEST = 10.0  # seconds: some mutants loop for ever


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


def _of(name: str, folder: Path, python: Path, count: int, seed: int) -> Iterator[Figure]:
    root = unpacked(name, folder / "ours")
    edits = seeded_edits(root, folder / "made", count, seed)
    theirs = unpacked(name, folder / "theirs")
    cold = statistics.median(_cold(theirs, python) for _ in range(_COLD_RUNS))
    rounds = asyncio.run(_rounds(root, python, edits))
    seconds = [one.seconds for one in rounds]
    everything = sum(one.affected.everything for one in rounds)
    detail = f"{len(rounds)} saves, everything {everything} times; cold run {cold:.2f} s"
    for word, value, bound in (
        ("median", statistics.median(seconds), 1 / 15),
        ("mean", statistics.mean(seconds), 1 / 3),
        ("longest", max(seconds), 1.0),
    ):
        yield Figure(f"{name}: {word} of a save", value / cold, bound, "x", f"{value:.2f} s of {detail}")
    overhead = [_beyond_tests(one) for one in rounds if one.result is not None and not one.affected.everything]
    if overhead:
        words = "what is beyond the tests' own time, the import and collection included"
        yield Figure(f"{name}: {words}", 1000 * statistics.median(overhead), 1000.0, "ms", f"{len(overhead)} saves")


def _cold(root: Path, python: Path) -> float:
    began = time.perf_counter()
    command = [str(python), "-m", "pytest", *PYTEST_ARGS, *_COLD]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return time.perf_counter() - began


async def _rounds(root: Path, python: Path, edits: Sequence[Edit]) -> list[Round]:
    runner, rounds = WarmRunner(), []
    overrides = replace(NO_OVERRIDES, pytest_args=PYTEST_ARGS, test_timeout=_LONGEST_TEST)
    with contextlib.closing(Workspace(root, overrides)) as workspace:
        workspace.refresh()

        async def look() -> Round:
            return await run_affected(workspace, str(python), runner, lambda _event: None, asyncio.to_thread)

        # Twice, since a test of jinja2 touches a file that it does not change.
        for _ in range(2):
            await look()
        for edit in edits:
            await runner.prepare(warmth_of(workspace, str(python), load_record(root)))
            place = root / edit.path
            place.write_text(edit.after)
            rounds.append(await look())
            place.write_text(edit.before)
            await look()
    await runner.close()
    return rounds


def _beyond_tests(done: Round) -> float:
    assert done.result is not None
    return done.seconds - sum(test.duration for test in done.result.results)


if __name__ == "__main__":
    main()
