"""Values that Hypothesis draws for a type, where the project has it: it knows the strategies that were registered."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from testlens_agent.explore.patience import TooSlowError, time_limit

_SECONDS = 2.0
_EXAMPLES = 50


def drawn_for(annotation: Any) -> list[object]:
    """The simplest value of the strategy for a type; none without Hypothesis, or where it knows no strategy."""
    if importlib.util.find_spec("hypothesis") is None:
        return []
    try:
        with time_limit(_SECONDS):
            return [_simplest(annotation)]
    except (TooSlowError, Exception):  # noqa: BLE001  (strategies run code of the project)
        return []


def _simplest(annotation: Any) -> object:
    hypothesis: Any = importlib.import_module("hypothesis")
    quiet = hypothesis.settings(
        database=None,
        deadline=None,
        max_examples=_EXAMPLES,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    return hypothesis.find(hypothesis.strategies.from_type(annotation), _is_any, settings=quiet)


def _is_any(_value: object) -> bool:
    return True
