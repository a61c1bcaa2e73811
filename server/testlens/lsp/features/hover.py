"""Hover: which tests ran a line, and what makes up the risk of a gap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from lsprotocol.types import TEXT_DOCUMENT_HOVER, Hover, HoverParams, MarkupContent, MarkupKind

from testlens.lsp.convert import line_range, to_line
from testlens.lsp.documents import Document
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from testlens.domain.snapshot import Snapshot, TestResult
    from testlens.workspace.views import PlacedGap, View

_MOST_TESTS = 10


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    server.feature(TEXT_DOCUMENT_HOVER)(_hover)


async def _hover(ls: TestlensServer, params: HoverParams) -> Hover | None:
    document = ls.documents.find(params.text_document.uri)
    if document is None:
        return None
    line = to_line(params.position)
    parts = [*await _of_mutants(ls, document, line), *await _of_coverage(ls, document, line)]
    text = "\n\n---\n\n".join(filter(None, parts))
    return Hover(MarkupContent(MarkupKind.Markdown, text), line_range(line)) if text else None


async def _of_coverage(ls: TestlensServer, document: Document, line: int) -> list[str]:
    view = await ls.documents.view(document)
    if view is None:
        return []
    parts = [_of_gap(gap, view, document.folder.snapshot) for gap in view.gaps if gap.first <= line <= gap.last]
    measured = view.measured_line(line)
    ran = line in {*view.marks.covered, *view.marks.partial, *view.marks.failing}
    if measured is not None and ran:
        tests = (await ls.documents.tests_by_line(document)).get(measured, ())
        parts.append(_of_tests(tests, document.folder.snapshot))
    return parts


async def _of_mutants(ls: TestlensServer, document: Document, line: int) -> list[str]:
    mutants = await ls.documents.mutants(document)
    if mutants is None:
        return []
    here = [gap for gap in mutants.survivors if gap.first <= line <= gap.last]
    parts = [_of_survivor(gap) for gap in here]
    if here and mutants.hidden:
        counts = ", ".join(f"{count} ({reason})" for reason, count in sorted(mutants.hidden.items()))
        parts[-1] += f"\n\nSurvivors of this file that are not shown: {counts}."
    return parts


def _of_survivor(placed: PlacedGap) -> str:
    survivor = placed.gap.survivor
    assert survivor is not None
    tests = survivor.mutant.tests
    rows = [f"- `{test}`" for test in tests[:_MOST_TESTS]]
    if len(tests) > _MOST_TESTS:
        rows.append(f"- … and {len(tests) - _MOST_TESTS} more")
    covering = ["", "Tests that ran it and did not fail:", "", *rows] if rows else []
    lines = survivor.diff.split("\n")[3:]
    while not lines[0].strip():
        del lines[0]
    diff = ["```diff", *lines, "```"]
    # Code in backticks stays as it is: the title has no other characters that Markdown knows.
    head = f"**Survivor in {_escaped(placed.subject)}:** {placed.title}"
    return "\n".join([head, "", *diff, "", *_table(placed), *covering])


def _of_gap(placed: PlacedGap, view: View, snapshot: Snapshot | None) -> str:
    from testlens.domain.plan import gain

    gap = placed.gap
    head = f"**{_escaped(placed.subject)}** {_escaped(placed.title)}"
    facts = []
    if snapshot is not None and snapshot.percent is not None:
        facts.append(f"Closing it adds {gain(gap, snapshot.totals):.2f} percentage points.")
    function = next((f for f in view.report.functions if f.function.line == gap.region.scope_line), None)
    if function is not None:
        facts.append(f"CRAP of the function: {function.crap:g}.")
    lines = [*filter(None, (head, _escaped(placed.reason), " ".join(facts)))]
    text = "  \n".join(lines) + "\n\n" + "\n".join(_table(placed))
    if gap.risk.left_out:
        text += f"\n\nNot known, and left out: {', '.join(gap.risk.left_out)}."
    return text


def _table(placed: PlacedGap) -> list[str]:
    from testlens.domain.risk import is_likelihood

    risk = placed.gap.risk
    rows = ["| Factor | Likelihood | Consequence |", "|:--|--:|--:|"]
    for name in risk.largest(len(risk.factors)):
        points = f"{risk.factors[name]:.1f}"
        rows.append(f"| {name} | {points} | |" if is_likelihood(name) else f"| {name} | | {points} |")
    rows.append(f"| **Risk {risk.score:.1f}** | **{risk.likelihood:.1f}** | **{risk.consequence:.1f}** |")
    return rows


def _of_tests(tests: Iterable[str], snapshot: Snapshot | None) -> str:
    outcomes: Mapping[str, TestResult] = snapshot.outcomes if snapshot is not None else {}
    failing = {test for test in tests if test in outcomes and outcomes[test].failed}
    ordered = sorted(tests, key=lambda test: (test not in failing, test))
    if not ordered:
        return ""
    count = f"Run by {len(ordered)} tests" if len(ordered) > 1 else "Run by 1 test"
    rows = [f"- {'❌ failing: ' if test in failing else ''}`{test}`" for test in ordered[:_MOST_TESTS]]
    if len(ordered) > _MOST_TESTS:
        rows.append(f"- … and {len(ordered) - _MOST_TESTS} more")
    return "\n".join([f"**{count}**", "", *rows])


def _escaped(text: str) -> str:
    """`text` as Markdown shows it: names such as __init__ would turn bold."""
    return "".join(f"\\{character}" if character in "\\`*_{}[]<>#|" else character for character in text)
