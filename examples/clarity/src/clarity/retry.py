"""Trying again: exponential backoff with full jitter, for calls that may fail for a while."""

from __future__ import annotations

import functools
import logging
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RetryPolicy:
    """How often to try, and how long to wait in between (seconds)."""

    max_attempts: int = 5
    base_delay: float = 0.1
    max_delay: float = 10.0
    jitter: bool = True

    def delays(self) -> Iterator[float]:
        """The pause before each further attempt: doubled each time, capped, and spread so that clients do not meet."""
        for attempt in range(self.max_attempts - 1):
            ceiling = min(self.max_delay, self.base_delay * 2**attempt)
            yield random.uniform(0, ceiling) if self.jitter else ceiling


def with_retries(
    *errors: type[Exception], policy: RetryPolicy | None = None, sleep: Callable[[float], None] = time.sleep
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Call the decorated function again while it raises one of `errors`; the last error reaches the caller."""
    chosen = policy or RetryPolicy()

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def attempt(*args: P.args, **kwargs: P.kwargs) -> T:
            for delay in chosen.delays():
                try:
                    return function(*args, **kwargs)
                except errors as error:
                    logger.warning("%s failed (%s), next attempt in %.2f s", function.__qualname__, error, delay)
                    sleep(delay)
            return function(*args, **kwargs)

        return attempt

    return decorate
