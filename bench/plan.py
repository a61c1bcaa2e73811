"""What `testlens plan` costs on a large project, against `coverage json` (without contexts) on the same data."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from figures import Figure, Size, main, ratio
from processes import Cost, run
from synthetic import make_project

_COLD_BOUND = 1 / 3
_WARM_BOUND = 1 / 20
_MEGABYTE = 1_000_000


def measure(size: Size) -> Iterator[Figure]:
    """Run the peer, ours without a `.testlens/` and ours with one, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "project")
        make_project(root, size.files, size.lines, size.contexts)
        peer: list[Cost] = []
        cold: list[Cost] = []
        warm: list[Cost] = []
        for _ in range(size.rounds):
            peer.append(run([sys.executable, "-m", "coverage", "json", "-q", "-o", f"{folder}/coverage.json"], root))
            shutil.rmtree(root / ".testlens", ignore_errors=True)
            cold.append(_plan(root))
            warm.append(_plan(root))
    yield _time("plan, cold", cold, peer, _COLD_BOUND)
    yield _time("plan, warm", warm, peer, _WARM_BOUND)
    for name, plans in (("cold", cold), ("warm", warm)):
        yield _memory(f"plan, {name}: memory of the largest process", [cost.largest for cost in plans], peer)
        yield _memory(f"plan, {name}: memory of all processes", [cost.tree for cost in plans], peer)


def _plan(root: Path) -> Cost:
    return run([sys.executable, "-m", "testlens", "plan"], root)


def _time(name: str, ours: list[Cost], peer: list[Cost], bound: float) -> Figure:
    return ratio(name, [cost.seconds for cost in ours], [cost.seconds for cost in peer], bound, "s")


def _memory(name: str, ours: list[int], peer: list[Cost]) -> Figure:
    mine, theirs = [size / _MEGABYTE for size in ours], [cost.tree / _MEGABYTE for cost in peer]
    return ratio(name, mine, theirs, 1.0, "MB")


if __name__ == "__main__":
    main(measure, __doc__)
