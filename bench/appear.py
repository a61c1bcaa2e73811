"""How long the marks of an open file take once new coverage data is there, beyond a bare pygls round trip."""

from __future__ import annotations

import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from client import Client, started
from figures import Figure, Size, main
from servers import BARE, OURS
from synthetic import DENSE, USUAL, Density, make_project

_BOUND = 150.0
_SETTLED = 1.5


def measure(size: Size) -> Iterator[Figure]:
    """The figures on data of both densities."""
    for density in (USUAL, DENSE):
        yield from _measure(size, density)


def _measure(size: Size, density: Density) -> Iterator[Figure]:
    """Let the data appear in two ways in a folder that has none, each time with a new server and an empty store."""
    with tempfile.TemporaryDirectory() as folder:
        root, data = Path(folder, "project"), Path(folder, "data")
        make_project(root, size.files, size.lines, size.contexts, density).replace(data)
        found: dict[str, list[float]] = {"renamed": [], "copied": []}
        bare: list[float] = []
        for _ in range(size.rounds):
            found["renamed"].append(asyncio.run(_appear(root, lambda: _rename(data, root))))
            bare.append(asyncio.run(_ping(root)))
            found["copied"].append(asyncio.run(_appear(root, lambda: _copy(data, root))))
            bare.append(asyncio.run(_ping(root)))
    floor = 1000 * statistics.median(bare)
    for how, seconds in found.items():
        took = 1000 * statistics.median(seconds)
        detail = f"{took:.1f} ms against {floor:.1f} ms"
        yield Figure(f"data {how} into place: to the marks{density.name}", took - floor, _BOUND, "ms", detail)


async def _appear(root: Path, put: Callable[[], float]) -> float:
    """Seconds from the moment that `put` returns to the marks that show it."""
    for old in (root / ".testlens", root / ".coverage"):
        shutil.rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink(missing_ok=True)
    async with started(OURS) as client:
        await client.initialize(root, {"trusted": False})
        ready = client.expect("testlens/status", lambda status: status["state"] == "noData")
        client.notify("initialized", {})
        client.open_document(_example(root))
        await ready
        # The watches are set after the first refresh; a user's data comes later than that as well.
        await asyncio.sleep(_SETTLED)
        marks = client.expect("testlens/marks", lambda marks: marks["percent"] is not None)
        there = await asyncio.to_thread(put)
        return (await marks).at - there


async def _ping(root: Path) -> float:
    """Seconds from sending as many marks as a file has, to having them back from a bare server."""
    async with started(BARE) as client:
        await client.initialize(root, {})
        client.notify("initialized", {})
        await _echo(client)
        return await _echo(client)


async def _echo(client: Client) -> float:
    back = client.expect("testlens/marks", _any)
    began = time.perf_counter()
    client.notify("bench/ping", {"covered": list(range(300))})
    return (await back).at - began


def _any(_params: Any) -> bool:
    return True


def _example(root: Path) -> Path:
    return min((root / "src").rglob("*.py"))


def _rename(data: Path, root: Path) -> float:
    beside = root.with_name("to be renamed")
    shutil.copyfile(data, beside)
    began = time.perf_counter()
    beside.replace(root / ".coverage")
    return began


def _copy(data: Path, root: Path) -> float:
    shutil.copyfile(data, root / ".coverage")
    return time.perf_counter()


if __name__ == "__main__":
    main(measure, __doc__)
