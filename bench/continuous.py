"""From a save to what is known of it, against a cold run of all tests with coverage and contexts by pytest-cov.

Each save adds a statement to one function that changes nothing, and is taken back after it: so all tests pass, as they
do in the cold run, and none takes longer than there. What is measured is the time until the marks in an editor are
those of the new text, with the real server and its watcher in between. What rounds add is measured apart, in one
process: what is neither the time to start pytest, to import the project and to collect the tests, nor that from the
start of the first test to the end of the last one.
pytest-testmon takes the same saves, where it works.

    python bench/continuous.py [--click N] [--jinja2 N] [--testmon N] [--python VERSION] [--seed N]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import saves
from figures import Figure, conclude

from agent.interpreters import CURRENT, environment_with, found
from real.published import environment, unpacked

_PROJECTS = ("click", "jinja2")
_PACKAGES = ("pytest==9.2.0", "coverage==7.17.3", "pytest-cov", "trio", "click==8.5.1", "jinja2==3.1.6")
_COLD = ("--cov=src", "--cov-branch", "--cov-context=test", "--cov-report=")
_COLD_RUNS = 2
_IN_PROCESS = 10
_MARKS = (("median", statistics.median, 1 / 15), ("mean", statistics.mean, 1 / 3), ("longest", max, 1.0))


def main() -> None:
    """Run as a program: exits with 1 if a bound was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in _PROJECTS:
        parser.add_argument(f"--{name}", type=int, default=30, metavar="N", help="saves (default: %(default)s)")
    parser.add_argument("--testmon", type=int, default=5, metavar="N", help="of which for testmon (default: 5)")
    parser.add_argument("--python", default=CURRENT, choices=sorted(found()), help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    arguments = vars(parser.parse_args())
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # neither side would find what it has compiled
    environment()
    figures: list[Figure] = []
    for name in _PROJECTS:
        if arguments[name]:
            with tempfile.TemporaryDirectory(prefix="testlens-bench-") as folder:
                figures += _of(name, Path(folder), arguments)
    conclude(figures)


def _of(name: str, folder: Path, arguments: dict[str, object]) -> Iterator[Figure]:
    version, count, seed = str(arguments["python"]), int(str(arguments[name])), int(str(arguments["seed"]))
    python = environment_with(f"continuous-{version}", found()[version], _PACKAGES)
    theirs = unpacked(name, folder / "theirs")
    cold = statistics.median(saves.cold(theirs, python, _COLD) for _ in range(_COLD_RUNS))
    ours = unpacked(name, folder / "ours")
    drawn = saves.draw(ours, seed, count)
    seconds = asyncio.run(saves.in_editor(ours, python, drawn))
    for word, summed, bound in _MARKS:
        value = summed(seconds)
        detail = f"{value:.2f} s of {len(seconds)} saves; cold run {cold:.2f} s"
        yield Figure(f"{name}, Python {version}: {word} of a save", value / cold, bound, "x", detail)
    yield from _added(name, folder, python, drawn[:_IN_PROCESS])
    yield from _against_testmon(name, folder, version, drawn[: int(str(arguments["testmon"]))], seconds)


def _added(name: str, folder: Path, python: Path, drawn: Sequence[saves.Save]) -> Iterator[Figure]:
    looked = asyncio.run(saves.in_process(unpacked(name, folder / "process"), python, drawn))
    parts = [one for one in looked if one.done.result is not None and not one.done.affected.everything]
    if parts:
        start = statistics.median(one.collecting for one in parts)
        words = f"{len(parts)} saves that ran some tests; to start, import and collect took {start:.2f} s more"
        yield Figure(
            f"{name}: what a round adds", 1000 * statistics.median(one.added for one in parts), 150.0, "ms", words
        )


def _against_testmon(
    name: str, folder: Path, version: str, drawn: Sequence[saves.Save], ours: Sequence[float]
) -> Iterator[Figure]:
    """Over the same saves; nothing where testmon fails."""
    if not drawn:
        return
    python = environment_with(f"testmon-{version}", found()[version], (*_PACKAGES, "pytest-testmon==2.2.0"))
    try:
        theirs = saves.by_testmon(unpacked(name, folder / "testmon"), python, drawn)
    except subprocess.CalledProcessError as error:
        print(f"{name}: pytest --testmon fails with status {error.returncode}.")
        return
    mine, peer = statistics.median(ours[: len(drawn)]), statistics.median(theirs)
    yield Figure(f"{name}: of pytest --testmon", mine / peer, 0.5, "x", f"{mine:.2f} s against {peer:.2f} s")


if __name__ == "__main__":
    main()
