"""Quick fixes on gaps: what Testlens would write for them. Nothing is run before one is chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lsprotocol.types import (
    CODE_ACTION_RESOLVE,
    TEXT_DOCUMENT_CODE_ACTION,
    CodeAction,
    CodeActionClientCapabilities,
    CodeActionContext,
    CodeActionDisabled,
    CodeActionKind,
    CodeActionOptions,
    CodeActionParams,
    CodeActionTriggerKind,
    Command,
    Diagnostic,
)

from testlens.lsp.convert import from_line, to_line
from testlens.lsp.documents import Document
from testlens.lsp.features.diagnostics import SOURCE
from testlens.lsp.features.equipment import known_interpreter
from testlens.lsp.features.survivor_actions import mutating_actions, survivor_actions
from testlens.lsp.folders import Folder
from testlens.lsp.gap_targets import Offered
from testlens.lsp.protocol import SCAFFOLD
from testlens.lsp.server import TestlensServer


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    options = CodeActionOptions([CodeActionKind.QuickFix], resolve_provider=True)
    server.feature(TEXT_DOCUMENT_CODE_ACTION, options)(_offer)
    server.feature(CODE_ACTION_RESOLVE)(_resolve)

    server.on_snapshot.append(lambda folder: _learn_soon(server, folder))
    server.on_removal.append(server.gap_targets.forget_folder)


def _learn_soon(server: TestlensServer, folder: Folder) -> None:
    async def learn() -> None:
        python = await known_interpreter(server, folder)
        await server.gap_targets.learn_style(folder, python)

    folder.spawn(learn())


async def _offer(ls: TestlensServer, params: CodeActionParams) -> list[CodeAction]:
    document = ls.documents.find(params.text_document.uri)
    if document is None or not _wants_quick_fixes(params.context):
        return []
    first, last = to_line(params.range.start), to_line(params.range.end)
    of_survivors = await survivor_actions(ls, document, first, last, params.context.diagnostics)
    offered = await ls.gap_targets.offered(document, first, last)
    actions = list(_actions(document, offered, params.context.diagnostics))
    if not actions and offered and not of_survivors and _asked_why(ls, params.context):
        return [_not_offered(offered[0])]
    actions += [*of_survivors, *await mutating_actions(ls, document, first, last)]
    return actions if _resolves_commands(ls) else [_resolve(ls, action) for action in actions]


def _actions(document: Document, offered: Sequence[Offered], diagnostics: Sequence[Diagnostic]) -> Iterator[CodeAction]:
    titles: set[str] = set()
    for found in offered:
        line = from_line(found.gap.first)
        of_gap = [each for each in diagnostics if each.source == SOURCE and each.range.start.line == line]
        for offer in found.offers:
            if offer.title in titles:
                continue
            is_first = not titles
            titles.add(offer.title)
            yield CodeAction(
                offer.title,
                CodeActionKind.QuickFix,
                of_gap or None,
                is_preferred=is_first or None,
                data={
                    "folder": document.folder.uri,
                    "uri": document.uri,
                    "version": document.version,
                    "line": line,
                    "recipe": offer.recipe,
                },
            )


def _resolve(_ls: TestlensServer, action: CodeAction) -> CodeAction:
    data: Any = action.data
    if not isinstance(data, dict) or action.command is not None:
        return action
    if "command" in data:
        action.command = Command(action.title, data["command"], arguments=[data["argument"]])
    else:
        action.command = Command(action.title, SCAFFOLD, arguments=[data])
    return action


def _not_offered(found: Offered) -> CodeAction:
    title = f"Write a test for {found.gap.subject}"
    return CodeAction(title, CodeActionKind.QuickFix, disabled=CodeActionDisabled(f"Not offered: {found.reason}."))


def _wants_quick_fixes(context: CodeActionContext) -> bool:
    return context.only is None or any(CodeActionKind.QuickFix.startswith(kind) for kind in context.only)


def _asked_why(server: TestlensServer, context: CodeActionContext) -> bool:
    """Whether the user asked for actions, and can be shown why there is none."""
    known = _capabilities(server)
    is_shown = known is not None and known.disabled_support
    return bool(is_shown and context.trigger_kind == CodeActionTriggerKind.Invoked)


def _resolves_commands(server: TestlensServer) -> bool:
    """Whether the client asks for the command of an action once the user has chosen it."""
    known = _capabilities(server)
    support = known.resolve_support if known is not None else None
    return support is not None and "command" in support.properties


def _capabilities(server: TestlensServer) -> CodeActionClientCapabilities | None:
    document = server.client_capabilities.text_document
    return document.code_action if document is not None else None
