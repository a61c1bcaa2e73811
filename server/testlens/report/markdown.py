"""The report for a pull request: a summary, and the riskiest gaps."""

from __future__ import annotations

import re

from testlens.domain.coverage import percent_text
from testlens.domain.plan import Plan, PlannedGap
from testlens.report.mutation_summary import mutation_line
from testlens.report.view import View

_TOP = 20


def render_markdown(view: View) -> str:
    """The whole report as Markdown text."""
    plan = view.plan
    lines = [
        f"# Test gaps of {as_text(view.name)}",
        "",
        as_text(plan.summary),
        "",
        f"**{as_text(view.outlook)}**",
        "",
        "| Coverage | Target | Statements missing | Branches missing | Gaps |",
        "| ---: | ---: | ---: | ---: | ---: |",
        _totals_row(plan),
        "",
    ]
    if mutation := mutation_line(view.snapshot):
        lines += [as_text(mutation), ""]
    if plan.gaps:
        lines += [*_gap_table(plan.gaps[:_TOP]), ""]
    if len(plan.gaps) > _TOP:
        lines += [f"{len(plan.gaps) - _TOP} more gaps are less risky than these.", ""]
    if plan.shortest:
        lines += [f"## The shortest way to {plan.target:g} %", ""]
        lines += [
            f"{rank}. {as_code(f'{step.file} {step.function}')} "
            f"+{step.gain:.2f}, reaches {percent_text(step.reached)} %"
            for rank, step in enumerate(plan.shortest, 1)
        ]
        lines.append("")
    return "\n".join(lines)


def _totals_row(plan: Plan) -> str:
    numbers = plan.totals
    statements = f"{numbers.missing} of {numbers.statements}"
    branches = f"{numbers.missing_branches} of {numbers.branches}"
    return f"| {percent_text(numbers.percent)} % | {plan.target:g} % | {statements} | {branches} | {len(plan.gaps)} |"


def _gap_table(gaps: tuple[PlannedGap, ...]) -> list[str]:
    head = ["| Risk | Where | What is missing | Why it is risky | Gain |", "| ---: | --- | --- | --- | ---: |"]
    return head + [_row(planned) for planned in gaps]


def _row(planned: PlannedGap) -> str:
    gap = planned.gap
    where = f"{as_code(f'{gap.file}:{gap.region.first}')} {as_code(gap.region.function)}"
    missing = gap.title
    if gap.region.kind == "uncovered" and gap.region.reason:
        missing += f": {gap.region.reason}"
    why = ", ".join(f"{name} {gap.risk.factors[name]:.0f}" for name in gap.risk.largest(2))
    gain = "" if gap.survivor else f"+{planned.gain:.2f}"
    return f"| {gap.risk.score:.0f} | {where} | {as_text(missing)} | {as_text(why)} | {gain} |"


def as_text(text: str) -> str:
    """`text` so that Markdown and HTML read nothing into it, also in a cell of a table."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", " ")
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", escaped)


def as_code(text: str) -> str:
    """`text` as code within a table cell: a pipe would end the cell, a backtick the code."""
    return "`" + text.replace("`", "'").replace("|", "\\|").replace("\n", " ") + "`"
