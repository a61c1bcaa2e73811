"""What came of writing a test, in words; and how the search for it gets on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from testlens.cli.terminal import print_problems, results
from testlens.domain.problems import Problem
from testlens.scaffold.recipe import Offer
from testlens.scaffold.render import Written
from testlens.workspace.scaffolding import Scaffold, Verdict

_STYLES = {"passed": "bold green", "failed": "bold red", "error": "bold red", "todo": "yellow", "flaky": "bold yellow"}


@dataclass(frozen=True, slots=True)
class Result:
    """A written test: `verdict` is None where it was not run, `is_written` says whether it is in its file now."""

    title: str
    scaffold: Scaffold
    verdict: Verdict | None
    is_written: bool
    problems: tuple[Problem, ...]

    @property
    def exit_code(self) -> int:
        """0 where all is well, 1 where something is left to do."""
        if self.verdict is None:
            return 1 if self.scaffold.has_todo else 0
        return 0 if self.verdict.outcome == "passed" else 1

    @property
    def message(self) -> str:
        """What came of it, in a few words."""
        if self.verdict is not None:
            return self.verdict.message
        todo = self.scaffold.todo
        return f"not run; to be finished: {todo}" if todo else "not run"


class SearchProgress:
    """A context manager whose `take` hears how the search gets on. Without a terminal it shows nothing."""

    def __init__(self, console: Console) -> None:
        self._status = console.status("Reading the project") if console.is_terminal else None

    def __enter__(self) -> SearchProgress:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def take(self, what: str, tried: int) -> None:
        """Show what is done now, and how many candidates were tried."""
        if self._status is not None:
            self._status.update(f"{what}, {tried} tried" if tried else what)


def print_offers(offers: Sequence[Offer], message: str) -> None:
    """The recipes that fit, or why none does."""
    if message:
        print(message, file=sys.stderr)
    console = results()
    width = max((len(offer.recipe) for offer in offers), default=0)
    for offer in offers:
        console.print(Text(f"{offer.recipe:<{width}}  ", style="bold").append(offer.title, style="default"))


def print_result(result: Result) -> None:
    """The text that is new, or where it was written, and what came of running it."""
    print_problems(result.problems)
    written = result.scaffold.written
    if result.is_written:
        console = results()
        console.print(Text(f"{result.title}: wrote {_listed(list(written.files))}"), soft_wrap=True)
    else:
        print_added(result.scaffold.written)
        console = Console(stderr=True, highlight=False)
        console.print(Text(f"\n{result.title}: goes into {_listed(list(written.files))}; --write puts it there."))
    if result.verdict is not None:
        style = _STYLES[result.verdict.outcome]
        console.print(Text(result.verdict.message, style=style), soft_wrap=True)
    elif result.scaffold.todo:
        console.print(Text(f"To be finished: {result.scaffold.todo}", style="yellow"), soft_wrap=True)


def print_added(written: Written) -> None:
    """The new text of each file, the test file first; its name is above it where there are several."""
    paths = sorted(written.added, key=lambda path: path != written.test_file)
    for path in paths:
        text = written.added[path]
        _print_code(path, text if len(paths) == 1 else f"# {path}\n{text}")


def _print_code(path: str, text: str) -> None:
    console = results()
    if console.is_terminal:
        console.print(
            Syntax(
                text,
                "gherkin" if path.endswith(".feature") else "python",
                theme="ansi_dark",
                background_color="default",
            )
        )
    else:
        print(text, end="")


def _listed(paths: Sequence[str]) -> str:
    return " and ".join(paths)
