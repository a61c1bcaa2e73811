"""Takes turns among streams of things to try."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")


def alternately(streams: list[Iterator[_T]]) -> Iterator[_T]:
    """One item of each stream in turn, until all have ended."""
    while streams:
        left = []
        for stream in streams:
            for item in islice(stream, 1):
                yield item
                left.append(stream)
        streams = left
