"""The two values of the comparison on which an assertion of pytest's failed, as text."""

from __future__ import annotations

import sys
from pprint import pformat
from types import CodeType
from typing import Any

_LONGEST = 5_000
_WIDTH = 80
# Whose frames lie between the assertion and the hook.
_BETWEEN = ("_pytest", "pluggy", "testlens_agent")


class Compared:
    """Remembers the last comparison that did not hold, until it is known whether a test failed on it."""

    def __init__(self) -> None:
        self._place: tuple[CodeType, int] | None = None
        self._expected = ""
        self._actual = ""

    def note(self, actual: object, expected: object) -> None:
        """Called while the assertion is being explained: `assert actual == expected`."""
        self._place = _place_of_assertion()
        try:
            self._actual, self._expected = _as_text(actual), _as_text(expected)
        except Exception:  # noqa: BLE001  (a value's own __repr__ may raise anything)
            self._place = None

    def take(self, excinfo: Any) -> tuple[str, str] | None:
        """Expected and actual value, if this exception came from that very assertion and they look different."""
        place, self._place = self._place, None
        if place is None or not isinstance(excinfo.value, AssertionError):
            return None
        traceback = excinfo.tb
        while traceback.tb_next is not None:
            traceback = traceback.tb_next
        if place != (traceback.tb_frame.f_code, traceback.tb_lineno) or self._expected == self._actual:
            return None
        return self._expected, self._actual


def _place_of_assertion() -> tuple[CodeType, int] | None:
    frame = sys._getframe(2)
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] in _BETWEEN:
        frame = frame.f_back
    return frame.f_code, frame.f_lineno


def _as_text(value: object) -> str:
    """A text as it is, anything else as it is written, a part a line where it is long."""
    text = value if isinstance(value, str) else repr(value)
    if len(text) > _LONGEST:
        return f"{text[:_LONGEST]}\n[...]"
    return text if isinstance(value, str) or len(text) <= _WIDTH else pformat(value, width=_WIDTH)
