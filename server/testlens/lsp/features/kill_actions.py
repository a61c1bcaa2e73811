"""Code actions on survivors that close them: write a test that kills the mutant, or add to one what it lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lsprotocol.types import CodeAction, CodeActionKind, Diagnostic

from testlens.lsp.convert import from_line
from testlens.lsp.documents import Document
from testlens.lsp.features.diagnostics import SOURCE
from testlens.lsp.protocol import KILL
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from testlens.workspace.views import PlacedGap

# Offering must be quick: each of them is looked for in its file.
_MOST_TESTS = 4


async def kill_actions(
    server: TestlensServer, document: Document, placed: PlacedGap, diagnostics: Sequence[Diagnostic]
) -> list[CodeAction]:
    """What can be written for a survivor; nothing of the project is run."""
    survivor = placed.gap.survivor
    assert survivor is not None
    line = from_line(placed.first)
    of_gap = [each for each in diagnostics if each.source == SOURCE and each.range.start.line == line] or None
    argument = {"folder": document.folder.uri, "name": survivor.mutant.name}
    actions = [_action(f"Write a test that kills {survivor.change}", argument, of_gap)]
    texts = server.gap_targets.test_texts(document.folder)
    test = await server.quick.do(_test_to_extend, survivor.mutant.tests[:_MOST_TESTS], texts)
    if test is not None:
        name = test.rpartition("::")[2]
        actions.append(_action(f"Add an assertion to `{name}` that kills it", {**argument, "test": test}, of_gap))
    return actions


def _action(title: str, argument: Mapping[str, Any], diagnostics: list[Diagnostic] | None) -> CodeAction:
    return CodeAction(title, CodeActionKind.QuickFix, diagnostics, data={"command": KILL, "argument": dict(argument)})


def _test_to_extend(node_ids: Sequence[str], texts: Mapping[str, str]) -> str | None:
    for node_id in node_ids:
        path = node_id.partition("::")[0]
        if path in texts and _can_be_extended(node_id.partition("[")[0], path, texts[path]):
            return node_id.partition("[")[0]
    return None


@lru_cache(maxsize=256)
def _can_be_extended(node_id: str, path: str, text: str) -> bool:
    from testlens.scaffold.kill.missing_assertion import tests_to_extend

    return any(tests_to_extend([node_id], {path: text}))
