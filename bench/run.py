"""Runs all benchmarks, prints their figures in one table, and exits with 1 if a bound was missed."""

from __future__ import annotations

from collections.abc import Iterator

import appear
import initialize
import offering
import plan
import responsive
from figures import Figure, Size, main

# The plan before those that read long answers: its peer may take little more memory than this process then has.
_ALL = (initialize, plan, appear, offering, responsive)


def measure(size: Size) -> Iterator[Figure]:
    """All figures."""
    for benchmark in _ALL:
        yield from benchmark.measure(size)


if __name__ == "__main__":
    main(measure, __doc__)
