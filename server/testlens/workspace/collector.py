"""Python's cycle collector, for processes that hold very many objects and make hardly any cycles."""

from __future__ import annotations

import gc

# Objects more than were freed, before the collector looks at the young ones (a few milliseconds in which no request is
# answered), and how often it then looks at older ones.
_YOUNG = 10_000
_OLDER = 100
_OLDEST = 100


def collect_rarely() -> None:
    """Have the collector pass over all that exists now, and look at the rest less often.

    A snapshot of a large project has hundreds of thousands of objects that stay: looking through them again and again
    while they are made takes a third of the time that reading them takes, and holds up every thread.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG, _OLDER, _OLDEST)
