"""Evaluates marked source, to see whether it gives a value at all."""

from __future__ import annotations

import importlib
import re
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from testlens_agent.explore.patience import TooSlowError, time_limit

_MARK = re.compile("\x01([^\x01\x02:]*):([^\x01\x02:]*)\x02")
_SECONDS_EACH = 0.25


class Value(NamedTuple):
    """An expression in marked source, the fixtures that it names, and where it comes from (see domain.expressions)."""

    code: str
    fixtures: tuple[str, ...] = ()
    origin: str = "type"


class Evaluator:
    """Evaluates expressions, for at most `seconds` in all: then nothing gives a value any more."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._known: dict[str, Any] = {}
        self._failed: set[str] = set()

    @property
    def is_late(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self._end

    def works(self, value: Value) -> bool:
        """Whether the expression gives a value; evaluated once."""
        if value.code in self._known:
            return True
        if value.code in self._failed or self.is_late:
            return False
        try:
            with time_limit(_SECONDS_EACH), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._known[value.code] = self._evaluate(value)
        except (TooSlowError, Exception, SystemExit, KeyboardInterrupt):  # noqa: BLE001  (code of the project)
            self._failed.add(value.code)
            return False
        return True

    def result(self, value: Value) -> Any:
        """What an expression that works gave."""
        return self._known[value.code]

    def _evaluate(self, value: Value) -> Any:
        namespace: dict[str, Any] = {}

        def name(found: re.Match[str]) -> str:
            namespace[f"_{len(namespace)}"] = _look_up(found[1], found[2])
            return f"_{len(namespace) - 1}"

        source = _MARK.sub(name, value.code)
        if "tmp_path" in value.fixtures:
            namespace["tmp_path"] = Path(tempfile.mkdtemp())
        return eval(source, namespace)  # noqa: S307  (in a sandbox, and what it names is the project's)


def _look_up(module: str, qualname: str) -> Any:
    found = importlib.import_module(module)
    for part in filter(None, qualname.split(".")):
        found = getattr(found, part)
    return found
