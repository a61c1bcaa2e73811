"""How long `testlens serve` takes from its start to the answer to `initialize`, against a bare pygls server."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from client import started
from figures import Figure, Size, main, ratio
from servers import BARE, OURS

_BOUND = 2.0
# A start is short: more rounds cost little and calm the median.
_STARTS_A_ROUND = 3


def measure(size: Size) -> Iterator[Figure]:
    """Start both in turns."""
    ours: list[float] = []
    bare: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(size.rounds * _STARTS_A_ROUND):
            ours.append(asyncio.run(_start(OURS, Path(folder))))
            bare.append(asyncio.run(_start(BARE, Path(folder))))
    yield ratio("serve: start to initialized", ours, bare, _BOUND, "s")


async def _start(command: Sequence[str], folder: Path) -> float:
    began = time.perf_counter()
    async with started(command) as client:
        await client.initialize(folder, {})
        return time.perf_counter() - began


if __name__ == "__main__":
    main(measure, __doc__)
