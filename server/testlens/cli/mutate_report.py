"""What came of mutants, in words: progress while they are checked, then score, survivors and what was not mutated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import groupby

from rich.console import Console
from rich.progress import TextColumn
from rich.text import Text

from testlens.cli.terminal import print_problems, results
from testlens.cli.transient_bar import TransientBar
from testlens.domain.coverage import percent_text
from testlens.domain.mutants import Mutant
from testlens.workspace.mutation import MutationOutcome
from testlens.workspace.mutation_job import MutationProgress

_MOST_SHOWN = 20
_MOST_NAMED = 8
_STATUSES = ("killed", "timeout", "survived", "no tests", "suspicious", "skipped", "not checked")
_STYLES = {"killed": "green", "timeout": "green", "survived": "bold red"}


class MutateProgress(TransientBar):
    """A bar with the survivors and the time left."""

    def __init__(self, console: Console) -> None:
        super().__init__(console, TextColumn("[red]{task.fields[survived]}"), TextColumn("{task.fields[left]}"))
        self._task = self._bar.add_task("Starting", total=None, survived="", left="")
        self._survived: set[str] = set()

    def take_mutant(self, mutant: Mutant) -> None:
        """Count a mutant; of one that comes again, the earlier verdict is taken back."""
        self._survived.discard(mutant.name)
        if mutant.status == "survived":
            self._survived.add(mutant.name)

    def take(self, now: MutationProgress) -> None:
        """Show how far the run is."""
        count = len(self._survived)
        self._bar.update(
            self._task,
            description=now.stage,
            total=now.total or None,
            completed=now.done,
            survived=f"{count} survived" if count else "",
            left="" if now.seconds_left is None else f"{now.seconds_left:.0f} s left",
        )


def print_outcome(outcome: MutationOutcome, texts: Mapping[str, str]) -> None:
    """The result for people. `texts` has the source of each file with survivors."""
    console = results()
    survivors = [mutant for mutant in outcome.mutants if mutant.status == "survived"]
    for path, mutants in groupby(survivors[:_MOST_SHOWN], key=lambda mutant: mutant.file):
        lines = texts.get(path, "").splitlines()
        for mutant in mutants:
            _print_survivor(console, mutant, lines)
    if len(survivors) > _MOST_SHOWN:
        console.print(f"... and {len(survivors) - _MOST_SHOWN} more survivors (--json lists all).")
    _print_not_mutated(console, outcome)
    print_problems(outcome.problems)
    console.print(_summary(outcome))
    console.print(_next(outcome, survivors))


def _print_survivor(console: Console, mutant: Mutant, lines: list[str]) -> None:
    span = mutant.span
    console.print(Text(f"{mutant.file}:{span.first_line}", style="cyan").append(f"  {mutant.function}", style="bold"))
    original = "\n".join(lines[span.first_line - 1 : span.last_line])
    tail = len(lines[span.last_line - 1]) - span.last_column if span.last_line <= len(lines) else 0
    changed = original[: span.first_column] + mutant.replacement + (original[-tail:] if tail else "")
    _print_lines(console, "-", original, "red")
    _print_lines(console, "+", changed, "green")
    tests = len(mutant.tests)
    ran = f"{tests} test{'s' if tests != 1 else ''} ran it, none failed" if tests else "no test runs this line"
    console.print(Text(f"  {ran}  ", style="default").append(mutant.name, style="dim"), soft_wrap=True)


def _print_lines(console: Console, sign: str, text: str, style: str) -> None:
    for line in text.splitlines() or [""]:
        console.print(Text(f"  {sign} {line}", style=style), soft_wrap=True)


def _print_not_mutated(console: Console, outcome: MutationOutcome) -> None:
    silent = [(path, name, reason) for path, names in outcome.not_mutated.items() for name, reason in names.items()]
    if not silent:
        return
    console.print(f"{len(silent)} functions were not mutated, so nothing is known of what their tests prove:")
    for path, name, reason in silent[:_MOST_NAMED]:
        console.print(Text(f"  {path}  {name}: {reason}", style="dim"), soft_wrap=True)
    if len(silent) > _MOST_NAMED:
        console.print(Text(f"  ... and {len(silent) - _MOST_NAMED} more", style="dim"))


def _summary(outcome: MutationOutcome) -> Text:
    counts = Counter[str](mutant.status for mutant in outcome.mutants)
    parts = [
        Text(f"{counts[status]} {status}", style=_STYLES.get(status, "default"))
        for status in _STATUSES
        if counts[status]
    ]
    score = "No score" if outcome.score is None else f"Mutation score {_scope(outcome)}{percent_text(outcome.score)} %"
    text = Text(score, style="bold").append(": " if parts else ".", style="default").append(Text(", ").join(parts))
    known = outcome.known - outcome.checked
    return text.append(f" ({known} known from before)", style="default") if known > 0 else text


def _scope(outcome: MutationOutcome) -> str:
    total = len(outcome.mutants)
    return "" if outcome.known == total else f"of the {outcome.known} of {total} mutants that were checked: "


def _next(outcome: MutationOutcome, survivors: list[Mutant]) -> str:
    if not outcome.trusted:
        return "The verdicts of this run count for nothing; see above why."
    if not outcome.is_complete:
        return "Not all was checked. Run it again to go on from here."
    if not outcome.mutants:
        return "There is nothing to mutate here."
    if survivors:
        return "Close the survivors with tests: testlens kill NAME --write"
    return "No mutant survived."
