"""A check for people in a terminal: one line a gate, and below it what was lost and the way back."""

from __future__ import annotations

from rich.text import Text

from testlens.cli import terminal
from testlens.domain.gates import in_percent
from testlens.report.gate_words import gate_details
from testlens.report.mutation_summary import mutation_line
from testlens.workspace.checking import Check
from testlens.workspace.views import PlacedGap

_MOST_GAPS = 5


def print_check(check: Check) -> None:
    """Everything on standard output."""
    console = terminal.results()
    for gate in check.gates:
        symbol, style = ("✓", "green") if gate.passed else ("✗", "bold red")
        console.print(Text(f"{symbol} ", style=style).append(gate.summary, style="bold"), soft_wrap=True)
        for line in gate_details(gate):
            console.print(Text(f"    {line}"), soft_wrap=True)
    if not check.gates:
        console.print(Text("No gate is set, so nothing can fail."))
    for placed in (check.new_gaps or ())[:_MOST_GAPS]:
        console.print(_gap(placed), soft_wrap=True)
    console.print(Text(_closing(check), style="bold"), soft_wrap=True)


def _gap(placed: PlacedGap) -> Text:
    text = Text("new gap ", style="dim").append(f"{placed.gap.file}:{placed.first}", style="not dim cyan")
    name = placed.gap.region.function
    return text.append(f"  {name}  {placed.title} (risk {placed.gap.risk.score:.0f})", style="not dim default")


def _closing(check: Check) -> str:
    sentences = [f"{in_percent(check.snapshot.totals.percent)} covered."]
    if check.changed is not None:
        numbers = check.changed.numbers
        ran = numbers.statements - numbers.missing
        sentences.append(f"Of the lines changed since {check.changed.revision}, {ran} of {numbers.statements} ran.")
    if mutation := mutation_line(check.snapshot):
        sentences.append(mutation)
    if check.gates:
        sentences.append("Every gate holds." if check.passed else f"{len(check.failed)} of {len(check.gates)} failed.")
    return " ".join(sentences)
