"""Python's audit events (PEP 578), told to who listens to them.

There is one hook for all, since Python has no way to take one away, and asks each of them at each event.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, Callable

_Listener = Callable[[str, tuple[Any, ...]], None]

_listeners: dict[str, _Listener] = {}


def listen(events: Iterable[str], listener: _Listener) -> None:
    """Have `listener` called with the name and the arguments of these events, for as long as this process lives.

    What it raises is raised where the event comes from. Each event has the listener that came last.
    """
    if not _listeners:
        sys.addaudithook(_hook)
    _listeners.update(dict.fromkeys(events, listener))


# A function, since with each event Python asks the hook for an attribute that none has, which raises an exception where
# it is a method. There are hundreds of times as many events as those that anybody listens to.
def _hook(event: str, arguments: tuple[Any, ...], listeners: dict[str, _Listener] = _listeners) -> None:
    if event in listeners:
        listeners[event](event, arguments)
