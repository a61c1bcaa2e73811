"""The plan for people: a table of the riskiest gaps, then the shortest way to the target."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from testlens.domain.coverage import percent_text
from testlens.domain.outline import MODULE
from testlens.domain.plan import Plan, PlannedGap, Step

_STEPS_SHOWN = 12
_HIGH, _MEDIUM = 60.0, 35.0


def print_plan(console: Console, plan: Plan, top: int, outlook: str) -> None:
    """The `top` riskiest gaps of `plan` with what closing them buys; `outlook` says how far the target is."""
    if plan.gaps:
        console.print(_table(plan.gaps[:top]))
        left = len(plan.gaps) - top
        if left > 0:
            console.print(Text(f"{left} more {'gap' if left == 1 else 'gaps'}: --top {len(plan.gaps)} shows all.\n"))
    else:
        console.print(Text("No gaps: the tests run everything that was measured.\n"))
    if plan.totals.statements:
        console.print(Text(plan.summary, style="bold"))
    _print_steps(console, plan.shortest or ())
    if plan.shortest:
        console.print(Text(outlook), soft_wrap=True)


def _table(gaps: Sequence[PlannedGap]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), title_justify="left")
    table.add_column("#", justify="right", style="dim")
    table.add_column("Risk", justify="right")
    table.add_column("Gap", ratio=1, overflow="fold")
    table.add_column("Gain", justify="right", no_wrap=True)
    table.add_column("Reaches", justify="right", no_wrap=True)
    for rank, planned in enumerate(gaps, 1):
        score = planned.gap.risk.score
        table.add_row(
            str(rank),
            Text(f"{score:.0f}", style=_style(score)),
            _description(planned),
            # A survivor's lines are covered already.
            "" if planned.gap.survivor else f"+{planned.gain:.2f}",
            "" if planned.gap.survivor else f"{percent_text(planned.cumulative)} %",
        )
    return table


def _description(planned: PlannedGap) -> Text:
    gap, region = planned.gap, planned.gap.region
    text = Text(f"{gap.file}:{region.first}", style="cyan")
    if region.function != MODULE:
        text.append(f"  {region.function}", style="bold default")
    text.append(f"\n{gap.title}", style="default")
    if region.kind == "uncovered" and region.reason:
        text.append(f": {region.reason}", style="default")
    factors = ", ".join(f"{name} {gap.risk.factors[name]:.0f}" for name in gap.risk.largest(2))
    if factors:
        text.append(f"\n{factors}", style="dim")
    return text


def _print_steps(console: Console, steps: Sequence[Step]) -> None:
    for rank, step in enumerate(steps[:_STEPS_SHOWN], 1):
        where = Text(f"{rank:4}. ")
        where.append(step.file, style="cyan")
        where.append(f"  {step.function}  +{step.gain:.2f} -> {percent_text(step.reached)} %")
        console.print(where)
    if len(steps) > _STEPS_SHOWN:
        console.print(Text(f"      and {len(steps) - _STEPS_SHOWN} more"))


def _style(score: float) -> str:
    if score >= _HIGH:
        return "bold red"
    return "yellow" if score >= _MEDIUM else "default"
