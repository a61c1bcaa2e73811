"""Mutants for the editor: one as a text to compare with, and all of them as a report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from testlens.lsp.documents import Document
from testlens.lsp.protocol import (
    MUTANT,
    MUTATION_REPORT,
    Encoded,
    FolderParams,
    MutantParams,
    MutantResult,
    MutationReportResult,
)
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from testlens.workspace.views import PlacedGap
    from testlens.workspace.workspace import Workspace


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""

    @server.feature(MUTANT)
    async def mutant(params: MutantParams) -> MutantResult:
        return await _mutant(server, params)

    @server.feature(MUTATION_REPORT)
    async def report(params: FolderParams) -> Encoded:
        return await _report(server, params.folder)


async def _mutant(server: TestlensServer, params: MutantParams) -> MutantResult:
    document = server.documents.find(params.uri)
    placed = None if document is None else await find_survivor(server, document, params.name)
    if document is None or placed is None:
        return MutantResult(title="The code was edited since this mutant was made. Run its mutants again.", text=None)
    return MutantResult(title=placed.title, text=_mutated(document, placed))


async def find_survivor(server: TestlensServer, document: Document, name: str) -> PlacedGap | None:
    """The survivor of that name where it is in the document now."""
    mutants = await server.documents.mutants(document)
    survivors = () if mutants is None else mutants.survivors
    return next((one for one in survivors if one.gap.survivor and one.gap.survivor.mutant.name == name), None)


def _mutated(document: Document, placed: PlacedGap) -> str:
    from testlens.domain.changed_text import mutated_text
    from testlens.sources.coverage_parse import normalise

    assert placed.span is not None
    assert placed.gap.survivor is not None
    return mutated_text(normalise(document.text), placed.span, placed.gap.survivor.mutant.replacement)


async def _report(server: TestlensServer, uri: str) -> Encoded:
    folder = server.folders.named(uri)
    if folder is None or folder.workspace is None or not folder.workspace.snapshot.mutants.files:
        note = "No mutant is known yet: run the mutants of a function first."
        return Encoded(json.dumps(MutationReportResult(report=None, note=note)).encode())
    return await folder.background.do(_encoded, folder.workspace)


def _encoded(workspace: Workspace) -> Encoded:
    from testlens.workspace.mutation_schema import mutation_schema

    report = mutation_schema(workspace.mutated_files.values())
    return Encoded(json.dumps(MutationReportResult(report=report, note="")).encode())
