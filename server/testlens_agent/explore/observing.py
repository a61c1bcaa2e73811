"""What can be said of the values that a test ended with."""

from __future__ import annotations

from typing import Any


def marked_type(kind: type) -> str:
    """The class in marked source."""
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"\x01{kind.__module__}:{kind.__qualname__}\x02"


class Observer:
    """Describes values for a test that has these fixtures."""

    def __init__(self, fixtures: dict[str, Any]) -> None:
        self._fixtures = fixtures

    def see(self, values: dict[str, Any]) -> dict[str, Any]:
        """Each value as the fields of domain.trials.Seen."""
        return {name: self._describe(value) for name, value in values.items()}

    def _describe(self, value: Any) -> dict[str, Any]:
        code = repr(value) if type(value) in (int, str, float, bool, type(None), bytes) else None
        return {"type": marked_type(type(value)), "code": code, "calls": [], "attributes": {}, "iterable": None}
