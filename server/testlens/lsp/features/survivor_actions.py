"""Code actions on survivors: run a function's mutants again, see one beside the code, ignore it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol.types import (
    CodeAction,
    CodeActionKind,
    Diagnostic,
    Position,
    Range,
    TextEdit,
    WorkspaceEdit,
)

from testlens.lsp.convert import from_line, split_lines, utf16_length
from testlens.lsp.documents import Document
from testlens.lsp.editing import edit_of
from testlens.lsp.features.diagnostics import SOURCE
from testlens.lsp.features.kill_actions import kill_actions
from testlens.lsp.protocol import MUTATE
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from testlens.workspace.views import PlacedGap

SHOW_MUTANT = "testlens.showMutant"
"""A command of the client: it alone can open an editor that compares."""


async def survivor_actions(
    server: TestlensServer, document: Document, first: int, last: int, diagnostics: Sequence[Diagnostic]
) -> list[CodeAction]:
    """What can be done about the survivors between two lines (1-based) of the document."""
    mutants = await server.documents.mutants(document)
    here = [gap for gap in (mutants.survivors if mutants else ()) if gap.first <= last and first <= gap.last]
    actions = [action for placed in here for action in await kill_actions(server, document, placed, diagnostics)]
    actions += [action for placed in here for action in _of_survivor(server, document, placed, diagnostics)]
    functions = dict.fromkeys(placed.gap.region.function for placed in here)
    return [*actions, *(_run(document, function, " again") for function in functions)]


def _of_survivor(
    server: TestlensServer, document: Document, placed: PlacedGap, diagnostics: Sequence[Diagnostic]
) -> Iterator[CodeAction]:
    survivor = placed.gap.survivor
    assert survivor is not None
    line = from_line(placed.first)
    of_gap = [each for each in diagnostics if each.source == SOURCE and each.range.start.line == line] or None
    change = survivor.change
    if server.options.mutant_diffs:
        title = f"Show the mutant: {change}"
        yield _command(title, SHOW_MUTANT, {"uri": document.uri, "name": survivor.mutant.name}, of_gap)
    edit = pragma_edit(server, document, placed)
    if edit is not None:
        yield CodeAction(f"Ignore the mutants of this line: {change}", CodeActionKind.QuickFix, of_gap, edit=edit)


async def mutating_actions(server: TestlensServer, document: Document, first: int, last: int) -> list[CodeAction]:
    """Running the mutants of functions that begin between two lines (1-based), if nothing is known of them yet."""
    from testlens.workspace.views import functions_to_mutate

    view, mutants = await server.documents.view(document), await server.documents.mutants(document)
    here = [placed for placed in functions_to_mutate(view, mutants) if first <= placed.line <= last]
    return [_run(document, placed.report.function.name) for placed in here]


def _run(document: Document, function: str, again: str = "") -> CodeAction:
    argument = {"folder": document.folder.uri, "uri": document.uri, "function": function}
    return _command(f"Run the mutants of `{function}`{again}", MUTATE, argument, None)


def _command(title: str, command: str, argument: Any, diagnostics: list[Diagnostic] | None) -> CodeAction:
    """An action that becomes a command once it is chosen."""
    return CodeAction(title, CodeActionKind.QuickFix, diagnostics, data={"command": command, "argument": argument})


def pragma_edit(server: TestlensServer, document: Document, placed: PlacedGap) -> WorkspaceEdit | None:
    """An edit that has mutmut leave the line alone; None where no comment can stand there."""
    from testlens.analysis.pragmas import IGNORE_MUTANTS, pragma_column
    from testlens.sources.coverage_parse import normalise

    column = pragma_column(normalise(document.text), placed.first)
    if column is None:
        return None
    line = split_lines(document.text)[from_line(placed.first)]
    start = Position(from_line(placed.first), utf16_length(line[:column]))
    edit = TextEdit(Range(start, Position(start.line, utf16_length(line))), f"  {IGNORE_MUTANTS}")
    return edit_of(server, document.uri, document.version, [edit])
