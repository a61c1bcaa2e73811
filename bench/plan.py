"""What `testlens plan` costs on a large project, against `coverage json` (without contexts) on the same data."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

from figures import Figure, Size, main, ratio
from processes import Cost, run
from synthetic import DENSE, USUAL, Density, make_project

_COLD_BOUND = 1 / 3
_WARM_BOUND = 1 / 20


def measure(size: Size) -> Iterator[Figure]:
    """The figures on data of both densities."""
    for density in (USUAL, DENSE):
        yield from _measure(size, density)


def _measure(size: Size, density: Density) -> Iterator[Figure]:
    """Run the peer, ours without a `.testlens/` and ours with one, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "project")
        make_project(root, size.files, size.lines, size.contexts, density)
        peer: list[Cost] = []
        cold: list[Cost] = []
        warm: list[Cost] = []
        for _ in range(size.rounds):
            peer.append(run([sys.executable, "-m", "coverage", "json", "-q", "-o", f"{folder}/coverage.json"], root))
            shutil.rmtree(root / ".testlens", ignore_errors=True)
            cold.append(_plan(root))
            warm.append(_plan(root))
    yield _time(f"plan, cold{density.name}", cold, peer, _COLD_BOUND)
    yield _time(f"plan, warm{density.name}", warm, peer, _WARM_BOUND)
    for name, plans in (("cold", cold), ("warm", warm)):
        yield _memory(f"plan, {name}{density.name}: peak memory", plans, peer)


def _plan(root: Path) -> Cost:
    return run([sys.executable, "-m", "testlens", "plan"], root)


def _time(name: str, ours: list[Cost], peer: list[Cost], bound: float) -> Figure:
    return ratio(name, [cost.seconds for cost in ours], [cost.seconds for cost in peer], bound, "s")


def _memory(name: str, ours: list[Cost], peer: list[Cost]) -> Figure:
    largest = ratio(
        name, [_megabytes(cost.largest) for cost in ours], [_megabytes(cost.largest) for cost in peer], 1, "MB"
    )
    tree = median(_megabytes(cost.tree) for cost in ours)
    return replace(largest, detail=f"{largest.detail} in the largest process; ours in all processes {tree:.0f} MB")


def _megabytes(size: int) -> float:
    return size / 1_000_000


if __name__ == "__main__":
    main(measure, __doc__)
