"""How long an editor waits for what can be written at a gap, and for a test that is written without a search."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from client import Client, started
from figures import Figure, Size, main
from servers import OURS
from synthetic import make_project, make_tests

_OFFERED_WITHIN = 50.0
_WRITTEN_WITHIN = 300.0
_LINES_ASKED = 200


def measure(size: Size) -> Iterator[Figure]:
    """Move the cursor over a file, then have tests written for some of its gaps, each by what the code says alone."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_project(root, 20, size.lines, 100)
        make_tests(root, 20)
        offered, written = asyncio.run(_measure(root, size.rounds))
    yield _figure("code actions on a line", offered, _OFFERED_WITHIN)
    yield _figure("a test without a search: to the edit", written, _WRITTEN_WITHIN)


async def _measure(root: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds until each answer began to come, and until each edit came."""
    file = min((root / "src").rglob("*.py"))
    async with started(OURS) as client:
        await client.initialize(root, {"trusted": True, "settings": _settings()})
        ready = client.expect("testlens/status", lambda status: status["state"] == "ready")
        client.notify("initialized", {})
        client.open_document(file)
        await ready
        offered = [
            await client.wait_for_answer("textDocument/codeAction", _question(file, line))
            for line in range(_LINES_ASKED)
        ]
        gaps = [line for line in range(_LINES_ASKED) if await _first(client, file, line)]
        return offered, [await _write(client, file, line) for line in gaps[: max(3, rounds)]]


async def _write(client: Client, file: Path, line: int) -> float:
    """Seconds from the wish for a test to the edit, which the client declines: no test is to run."""
    action = await _first(client, file, line)
    edit = client.expect("workspace/applyEdit", lambda params: True)
    over = client.expect("window/showMessage", lambda params: True)
    began = time.perf_counter()
    command = await client.request("codeAction/resolve", action)
    await client.request("workspace/executeCommand", command["command"])
    came = (await edit).at
    await over
    # The job says that it failed, and then ends.
    await asyncio.sleep(0.2)
    return came - began


async def _first(client: Client, file: Path, line: int) -> Any:
    """The first action that writes a test, None where there is none; a line may have others."""
    actions = await client.request("textDocument/codeAction", _question(file, line))
    return next((action for action in actions or () if "recipe" in action.get("data", {})), None)


def _question(file: Path, line: int) -> dict[str, Any]:
    place = {"line": line, "character": 0}
    return {
        "textDocument": {"uri": file.as_uri()},
        "range": {"start": place, "end": place},
        "context": {"diagnostics": []},
    }


def _settings() -> dict[str, Any]:
    return {"python": sys.executable, "scaffold": {"budget": 0}}


def _figure(name: str, seconds: list[float], bound: float) -> Figure:
    usual, longest = 1000 * statistics.median(seconds), 1000 * max(seconds)
    return Figure(name, usual, bound, "ms", f"half of {len(seconds)} within {usual:.1f} ms, at most {longest:.1f} ms")


if __name__ == "__main__":
    main(measure, __doc__)
