"""Above each function: its coverage, its risk, how many tests run it, its mutation score, and ways to run both. Above a
new test: how it did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lsprotocol.types import (
    CODE_LENS_RESOLVE,
    TEXT_DOCUMENT_CODE_LENS,
    CodeLens,
    CodeLensOptions,
    CodeLensParams,
    Command,
)

from testlens.domain.coverage import percent_text
from testlens.lsp.convert import line_range
from testlens.lsp.documents import Document
from testlens.lsp.protocol import MUTATE, RUN_TESTS
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from testlens.domain.survivors import FunctionProof
    from testlens.workspace.views import MutantView, PlacedProof, View

# VS Code shows a command without an identifier as plain text.
_NO_COMMAND = ""


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    server.feature(TEXT_DOCUMENT_CODE_LENS, CodeLensOptions(resolve_provider=True))(_lenses)
    server.feature(CODE_LENS_RESOLVE)(_resolve)
    server.on_snapshot.append(lambda _folder: refresh_lenses(server))


async def _lenses(ls: TestlensServer, params: CodeLensParams) -> list[CodeLens]:
    document = ls.documents.find(params.text_document.uri)
    if document is None or not ls.options.code_lens:
        return []
    note = ls.verdicts.of(document)
    verdict = [] if note is None else [CodeLens(line_range(note.line), Command(note.text, _NO_COMMAND))]
    view = await ls.documents.view(document)
    mutants = await ls.documents.mutants(document)
    lenses = [] if view is None else list(_of_functions(document, view))
    return [*verdict, *lenses, *_of_proofs(document, mutants), *_to_mutate(document, view, mutants)]


def _of_functions(document: Document, view: View) -> Iterator[CodeLens]:
    for placed in view.functions:
        # The measured lines: resolving asks the data, whatever was typed since.
        function = placed.report.function
        # The line of `def` runs when the module is imported.
        first = min(function.line + 1, function.last)
        data = {"uri": document.uri, "first": first, "last": function.last}
        summary = f"{percent_text(placed.report.numbers.percent, 0)} % · risk {placed.report.risk:.0f}"
        where = line_range(placed.line)
        yield CodeLens(where, data={**data, "summary": summary})
        if placed.report.numbers.missing < placed.report.numbers.statements:
            yield CodeLens(where, data=data)


def _of_proofs(document: Document, mutants: MutantView | None) -> Iterator[CodeLens]:
    """How far the mutants of each function prove it."""
    for placed in () if mutants is None else mutants.functions:
        yield CodeLens(line_range(placed.line), Command(_proof_in_words(placed), _NO_COMMAND))
        if placed.proof.not_mutated is None:
            yield _mutate_lens(document, placed.proof.name, placed.line, "Mutate again")


def _to_mutate(document: Document, view: View | None, mutants: MutantView | None) -> Iterator[CodeLens]:
    from testlens.workspace.views import functions_to_mutate

    for placed in functions_to_mutate(view, mutants):
        yield _mutate_lens(document, placed.report.function.name, placed.line, "Mutate")


def _mutate_lens(document: Document, function: str, line: int, title: str) -> CodeLens:
    arguments = [{"folder": document.folder.uri, "uri": document.uri, "function": function}]
    return CodeLens(line_range(line), Command(title, MUTATE, arguments=arguments))


def _proof_in_words(placed: PlacedProof) -> str:
    proof = placed.proof
    if proof.not_mutated is not None:
        return f"not mutated: {proof.not_mutated}"
    if proof.score is None:
        return "mutants not checked yet"
    since = ", before the last edit" if placed.is_stale else ""
    left = f", {proof.unchecked} not checked yet" if proof.unchecked else ""
    return f"mutation score {percent_text(proof.score, 0)} % · {_fate_in_words(proof)}{left}{since}"


def _fate_in_words(proof: FunctionProof) -> str:
    """What became of a function's mutants."""
    if proof.survived:
        return f"{proof.survived} of {_mutants(proof.checked)} survive"
    if proof.untested:
        return f"no test runs {proof.untested} of {_mutants(proof.checked)}"
    return f"{_mutants(proof.checked)}, none survives"


def _mutants(count: int) -> str:
    return "1 mutant" if count == 1 else f"{count} mutants"


async def _resolve(ls: TestlensServer, lens: CodeLens) -> CodeLens:
    data: dict[str, Any] = lens.data if isinstance(lens.data, dict) else {}
    document = ls.documents.find(data.get("uri", ""))
    tests = await _tests(ls, document, data) if document is not None else ()
    count = "1 test" if len(tests) == 1 else f"{len(tests)} tests"
    if "summary" in data:
        title = f"{data['summary']} · {count if tests else 'no tests'}"
        return CodeLens(lens.range, Command(title, _NO_COMMAND), data)
    if document is None or not tests:
        return CodeLens(lens.range, Command("no tests to run", _NO_COMMAND), data)
    arguments = [{"folder": document.folder.uri, "tests": list(tests)}]
    return CodeLens(lens.range, Command(f"Run {count}", RUN_TESTS, arguments=arguments), data)


async def _tests(ls: TestlensServer, document: Document, data: dict[str, Any]) -> tuple[str, ...]:
    from testlens.workspace.views import tests_of

    return tests_of(await ls.documents.tests_by_line(document), data["first"], data["last"])


def refresh_lenses(server: TestlensServer) -> None:
    """Have the editor ask for lenses again, where it can be told to."""
    workspace = server.client_capabilities.workspace
    if workspace is not None and workspace.code_lens is not None and workspace.code_lens.refresh_support:
        server.workspace_code_lens_refresh(None)
