"""A bar on standard error that goes when its work is done."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn


class TransientBar:
    """A context manager: what is done, a bar, counts, then `columns`. Without a terminal it draws nothing."""

    def __init__(self, console: Console, *columns: ProgressColumn) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            *columns,
            console=console,
            transient=True,
            disable=not console.is_terminal,
            expand=True,
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
