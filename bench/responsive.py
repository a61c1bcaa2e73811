"""How long requests wait while tests run and while a large project is read, beyond what they take when nothing runs."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from client import Client, started
from figures import Figure, Size, main
from servers import OURS
from synthetic import DENSE, USUAL, Density, make_project, make_tests

_BOUND = 50.0
_IDLE_SECONDS = 4.0
_PAUSE = 0.01

Latencies = Mapping[str, list[float]]
"""Seconds until each answer began to come, by method."""


def measure(size: Size) -> Iterator[Figure]:
    """Ask a server one thing after the other: idle, while it runs tests, and while it reads a project anew."""
    with tempfile.TemporaryDirectory() as folder:
        tested = Path(folder, "tested")
        make_project(tested, 20, size.lines, 100)
        make_tests(tested, size.tests)
        idle, running = asyncio.run(_while_testing(tested))
        yield from latency_figures("tests run", idle, running)
    for density in (USUAL, DENSE):
        yield from _measure_reading(size, density)


def _measure_reading(size: Size, density: Density) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        large, other = Path(folder, "large"), Path(folder, "other data")
        make_project(large, size.files, size.lines, size.contexts, density, seed=2).replace(other)
        make_project(large, size.files, size.lines, size.contexts, density)
        # Measured after the sources were written, as any data is.
        other.touch()
        idle, reading = asyncio.run(_while_reading(large, other))
        yield from latency_figures(f"a project is read{density.name}", idle, reading)


async def _while_testing(root: Path) -> tuple[Latencies, Latencies]:
    async with _ready(root) as client:
        idle = await ask_until(asyncio.sleep(_IDLE_SECONDS), client, root, _example(root))
        over = client.expect("testlens/status", lambda status: status["source"] == "Testlens' own run")
        command = {"command": "testlens.server.runTests", "arguments": [{"folder": root.as_uri()}]}
        await client.request("workspace/executeCommand", command)
        return idle, await ask_until(over, client, root, _example(root))


async def _while_reading(root: Path, other: Path) -> tuple[Latencies, Latencies]:
    async with _ready(root) as client:
        idle = await ask_until(asyncio.sleep(_IDLE_SECONDS), client, root, _example(root))
        # The state stays "ready" while newer data is read: the next status comes with the new snapshot.
        over = client.expect("testlens/status", lambda status: status["state"] == "ready")
        other.replace(root / ".coverage")
        return idle, await ask_until(over, client, root, _example(root))


@asynccontextmanager
async def _ready(root: Path) -> AsyncIterator[Client]:
    """A client whose server has read the project and shows one of its files."""
    async with started(OURS) as client:
        settings = {"python": sys.executable}
        await client.initialize(root, {"trusted": True, "settings": settings})
        ready = client.expect("testlens/status", lambda status: status["state"] == "ready")
        client.notify("initialized", {})
        client.open_document(_example(root))
        await ready
        yield client


async def ask_until(over: Awaitable[Any], client: Client, root: Path, file: Path) -> Latencies:
    """Ask for hovers and lenses of `file`, and for the plan, in turns until `over` is done."""
    document = {"uri": file.as_uri()}
    questions: Mapping[str, Callable[[int], dict[str, Any]]] = {
        "textDocument/hover": lambda n: {"textDocument": document, "position": {"line": 3 + n % 200, "character": 4}},
        "textDocument/codeLens": lambda n: {"textDocument": document},
        "testlens/plan": lambda n: {"folder": root.as_uri()},
    }
    took: dict[str, list[float]] = {method: [] for method in questions}
    waiting = asyncio.ensure_future(over)
    for number, method in zip(itertools.count(), itertools.cycle(questions)):
        if waiting.done():
            break
        took[method].append(await client.wait_for_answer(method, questions[method](number)))
        await asyncio.sleep(_PAUSE)
    await waiting
    return took


def latency_figures(when: str, idle: Latencies, busy: Latencies) -> Iterator[Figure]:
    """How much longer than usual the longest wait was, of each method."""
    for method, seconds in busy.items():
        usual = 1000 * statistics.median(idle[method])
        worst, nearly = 1000 * max(seconds), 1000 * sorted(seconds)[int(0.99 * (len(seconds) - 1))]
        detail = f"{len(seconds)} requests: at most {worst:.1f} ms, 99 % within {nearly:.1f} ms; "
        detail += f"idle: half within {usual:.1f} ms, at most {1000 * max(idle[method]):.1f} ms"
        yield Figure(f"{method} while {when}", worst - usual, _BOUND, "ms", detail)


def _example(root: Path) -> Path:
    return min((root / "src").rglob("*.py"))


if __name__ == "__main__":
    main(measure, __doc__)
