"""Hover: which tests ran a line, and what makes up the risk of a gap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from lsprotocol.types import TEXT_DOCUMENT_HOVER, Hover, HoverParams, MarkupContent, MarkupKind

from testlens.lsp.convert import line_range, to_line
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
    view = await ls.documents.view(document) if document is not None else None
    if document is None or view is None:
        return None
    line = to_line(params.position)
    parts = [_of_gap(gap, view, document.folder.snapshot) for gap in view.gaps if gap.first <= line <= gap.last]
    measured = view.measured_line(line)
    ran = line in {*view.marks.covered, *view.marks.partial, *view.marks.failing}
    if measured is not None and ran:
        tests = (await ls.documents.tests_by_line(document)).get(measured, ())
        parts.append(_of_tests(tests, document.folder.snapshot))
    text = "\n\n---\n\n".join(filter(None, parts))
    return Hover(MarkupContent(MarkupKind.Markdown, text), line_range(line)) if text else None


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
