"""Hundreds of saves in a row, many of them while tests run: nothing leaks, and in the end all is known as it is."""

from __future__ import annotations

import asyncio
import random
import shutil
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from coverage import CoverageData

from left_behind import working_in
from lsp.conftest import OpenEditor
from lsp.editor import Editor, eventually
from lsp.many_edits import SOURCES, Author
from lsp.open_things import at_rest, children
from testlens.runners.warm_runner import WarmRunner
from testlens.workspace.continuous import known_of, run_affected
from testlens.workspace.impact import affected
from testlens.workspace.workspace import Workspace

_SAVES = 300
_WARMED_UP_AFTER = 60
_MORE_MB = 24.0
_MORE_STORED_MB = 2.0


async def test_hundreds_of_saves_leak_nothing_and_end_where_a_cold_run_does(
    tmp_path: Path, open_editor: OpenEditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processes, threads, files, memory; then lines, arcs, contexts and outcomes, file by file."""
    root, temporary = tmp_path / "shop", tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    author = Author(root, random.Random(3))
    editor = await open_editor(root, continuous="onSave")
    (server,) = children("serve")
    uris = {name: editor.open(root / name) for name in SOURCES}
    await settled(editor, root)
    await saving(editor, author, uris, _WARMED_UP_AFTER)
    before = await at_rest(server, root, temporary)
    interrupted = await saving(editor, author, uris, _SAVES - _WARMED_UP_AFTER)
    after = await at_rest(server, root, temporary)
    # Tests of each file notice, so that what a part of the tests says is what is compared.
    await save(editor, author, uris, *author.mend())
    await settled(editor, root)

    assert interrupted > _SAVES / 20, "saves while tests ran"
    assert len(after.processes) == 1, "the process that is kept, and no other"
    assert after.files <= before.files + 2
    assert after.threads <= before.threads + 4
    assert after.left == before.left
    assert after.server_mb < before.server_mb + _MORE_MB
    assert after.kept_mb < before.kept_mb + _MORE_MB
    assert after.stored_mb < before.stored_mb + _MORE_STORED_MB
    await editor.stop()
    await eventually(lambda: None if working_in(root) else True, "the end of all processes")
    assert list(temporary.iterdir()) == []
    known, told = said_of(root), await said_by_all_tests(root, tmp_path / "cold" / root.name)
    assert known.keys() == told.keys()
    for name in told:
        assert known[name] == told[name], name


async def saving(editor: Editor, author: Author, uris: Mapping[str, str], count: int) -> int:
    """Save so often, and wait until all is told; how often tests were running when a file was saved."""
    interrupted = 0
    for number in range(count):
        name, text = author.edit() if number < count - 1 else author.mend()
        interrupted += editor.said["testlens/status"][-1].state == "running"
        await save(editor, author, uris, name, text)
        await asyncio.sleep(author.pause())
    await settled(editor, author.root)
    return interrupted


async def save(editor: Editor, author: Author, uris: Mapping[str, str], name: str, text: str) -> None:
    """Give a file another text, in the editor where it is open there."""
    if name in uris:
        editor.type(uris[name], text)
    await asyncio.to_thread((author.root / name).write_text, text)


async def settled(editor: Editor, root: Path) -> None:
    """Wait until nothing runs, and nothing is left to run."""
    while True:
        await editor.status(root, lambda status: status.state == "ready")
        if not await asyncio.to_thread(_is_anything_left, root):
            return
        await asyncio.sleep(0.2)


def _is_anything_left(root: Path) -> bool:
    with closing(Workspace(root)) as workspace:
        workspace.refresh()
        selected = affected(known_of(workspace))
        return bool(selected.tests) or selected.everything


def said_of(root: Path) -> Mapping[str, Any]:
    """The outcomes of all tests, and of each file its lines, arcs and contexts."""
    with closing(Workspace(root)) as workspace:
        workspace.refresh()
        outcomes = {test: result.outcome for test, result in sorted(workspace.snapshot.outcomes.items())}
        data = CoverageData(str(workspace.own_data), read_only=True)
    data.read()
    found: dict[str, Any] = {"outcomes": outcomes}
    for name in sorted(data.measured_files()):
        # In which order a line's tests ran is no matter.
        contexts = {line: sorted(tests) for line, tests in data.contexts_by_lineno(name).items()}
        lines, arcs = data.lines(name) or (), data.arcs(name) or ()
        found[Path(name).relative_to(root).as_posix()] = (sorted(lines), sorted(arcs), contexts)
    data.close()
    return found


async def said_by_all_tests(root: Path, copy: Path) -> Mapping[str, Any]:
    """The same by one cold run of a copy."""
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns(".testlens", "__pycache__"))
    with closing(Workspace(copy)) as workspace:
        workspace.refresh()
        await run_affected(workspace, sys.executable, WarmRunner(), lambda _event: None, asyncio.to_thread)
    return said_of(copy)
