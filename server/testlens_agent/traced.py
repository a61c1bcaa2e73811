"""What coverage.py's own tracer sees, put into a log at each change of context.

coverage.py commits to its data file then: three times a test, which takes longer than most tests do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any, Callable

from testlens_agent.arc_log import ArcLog

_Arc = tuple[int, int]
_PROBE = 1


class TracedArcs:
    """Takes what the tracer of `collector`, a started one of coverage.py's with branches, has gathered.

    `name_in_data` gives the name of a source file for the data.
    """

    def __init__(self, collector: Any, log: ArcLog, name_in_data: Callable[[str], str]) -> None:
        self._collector = collector
        self._log = log
        self._name_in_data = name_in_data
        self._context = ""

    def begin(self, context: str, is_between: bool) -> None:
        """Write down what ran, and credit to `context` what runs from now on. Raises as `save` does."""
        self.save()
        self._context = context

    def save(self) -> None:
        """Write down what ran in this context. Raises OSError."""
        packed: dict[str, set[int]] = {}
        for file, arcs in list(self._collector.data.items()):
            if arcs:
                # Tracers hold on to the set, and those of other threads go on adding to it.
                taken = arcs.copy()
                arcs.difference_update(taken)
                packed[self._name_in_data(file)] = taken
        if packed:
            self._log.write_packed(self._context, packed)


def can_be_taken(collector: Any) -> bool:
    """Whether this version of coverage.py keeps what it gathers in a way that is understood here."""
    try:
        is_packed = getattr(collector, "core", collector).packed_arcs
        return bool(is_packed) and [*map(len, unpacking()([_PROBE]))] == [2]
    except Exception:  # noqa: BLE001  (of another version, anything may be missing)
        return False


def unpacking() -> Callable[[Sequence[int]], Iterable[_Arc]]:
    """What tells the arcs behind the numbers as which the C tracer keeps them.

    That is coverage.py's own code, since how it packs them differs from version to version.
    """
    from coverage.collector import Collector

    flush: Any = Collector.flush_data

    def unpack(packed: Sequence[int]) -> Iterable[_Arc]:
        found: dict[str, Iterable[_Arc]] = {}
        flush(
            SimpleNamespace(
                branch=True,
                core=SimpleNamespace(packed_arcs=True),
                packed_arcs=True,
                data={"": [*packed]},
                file_tracers={},
                disabled_plugins=(),
                covdata=SimpleNamespace(add_arcs=found.update, add_file_tracers=lambda _tracers: None),
                mapped_file_dict=dict,
                cached_mapped_file=str,
                _activity=lambda: True,
                _clear_data=lambda: None,
            )
        )
        return found[""]

    return unpack
