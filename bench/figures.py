"""What a benchmark finds: figures with their bounds, and how they are printed."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


@dataclass(frozen=True, slots=True)
class Figure:
    """One promise, measured. `unit` is "x" for a ratio to the peer, "ms" for what comes on top of it.

    `detail` has the absolute values behind it: they hold for one machine at one moment only.
    """

    name: str
    value: float
    bound: float
    unit: str
    detail: str

    @property
    def held(self) -> bool:
        """Whether the bound was kept."""
        return self.value <= self.bound


@dataclass(frozen=True, slots=True)
class Size:
    """How much to measure: the project's files, lines of each, test contexts and tests, and rounds of A B A B."""

    files: int = 1000
    lines: int = 300
    contexts: int = 5000
    tests: int = 400
    rounds: int = 5


def ratio(name: str, ours: Sequence[float], peers: Sequence[float], bound: float, unit: str) -> Figure:
    """The median of `ours` over the median of `peers`; `unit` is that of both."""
    mine, theirs = statistics.median(ours), statistics.median(peers)
    return Figure(name, mine / theirs, bound, "x", f"{mine:.2f} {unit} against {theirs:.2f} {unit}")


def main(measure: Callable[[Size], Iterable[Figure]], description: str | None) -> None:
    """Run a benchmark as a program: exits with 1 if a bound was missed."""
    parser = argparse.ArgumentParser(description=description)
    for name, default in asdict(Size()).items():
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N", help="default: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    arguments = vars(parser.parse_args())
    file: Path | None = arguments.pop("json")
    # Some machines forbid it: there all that is measured, peers too, would compile at every start what is imported.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    figures = list(measure(Size(**arguments)))
    if file is not None:
        file.write_text(json.dumps([asdict(figure) for figure in figures]), encoding="utf-8")
    conclude(figures)


def conclude_attempts(
    attempts: Mapping[str, Sequence[T]], figure: Callable[[str, Sequence[T]], Figure], file: Path | None
) -> NoReturn:
    """Print the figure of each project and of all of them, and exit; with `file`, write there what came of each."""
    if file is not None:
        file.write_text(json.dumps({name: [asdict(one) for one in found] for name, found in attempts.items()}))
    figures = [figure(name, found) for name, found in attempts.items()]
    figures.append(figure("all", [one for found in attempts.values() for one in found]))
    conclude(figures)


def conclude(figures: Sequence[Figure]) -> NoReturn:
    """Print the figures, and exit: with 1 if a bound was missed."""
    show(figures)
    sys.exit(0 if all(figure.held for figure in figures) else 1)


def show(figures: Sequence[Figure]) -> None:
    """Print a table."""
    width = max(len(figure.name) for figure in figures)
    print(f"{'':{width}}  {'measured':>10}  {'bound':>10}")
    for figure in figures:
        verdict = "ok" if figure.held else "MISSED"
        measured, bound = _quantity(figure.value, figure.unit), _quantity(figure.bound, figure.unit)
        print(f"{figure.name:{width}}  {measured:>10}  {bound:>10}  {verdict:6}  {figure.detail}", flush=True)


def _quantity(value: float, unit: str) -> str:
    return f"{value:.3f} x" if unit == "x" else f"{value:.0f} {unit}"
