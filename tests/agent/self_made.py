"""Classes whose instances differ from what their constructor is given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class SortsItself:
    """Holds names in order, whatever order they come in."""

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        self.names = tuple(sorted(self.names))


@dataclass
class DoublesItself:
    """Holds twice the amount that it is given."""

    amount: int

    def __post_init__(self) -> None:
        self.amount *= 2
