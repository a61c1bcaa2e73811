"""Shards: equal parts of one mutation run, each for a job of its own."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from testlens.domain.problems import Problem

_SHARD = re.compile(r"(\d+)/(\d+)")
_ADVICE = "Write which of how many, from 1 on, such as 2/4."


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `index` (1-based) of `count`. Each mutant is in exactly one of the parts, whatever else there is."""

    index: int
    count: int

    def has(self, mutant: str) -> bool:
        """Whether a mutant, by its name, is in this part."""
        # The name alone decides, by a digest: parts are of like size, and no machine's order or hash seed matters.
        number = int.from_bytes(hashlib.sha256(mutant.encode("utf-8", "surrogatepass")).digest()[:8], "big")
        return number % self.count == self.index - 1

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def parse_shard(text: str) -> Shard | Problem:
    """`2/4` as a shard; a Problem where it is none."""
    match = _SHARD.fullmatch(text.strip())
    if match is None:
        return Problem(f"`{text}` is no shard.", _ADVICE, severity="error")
    shard = Shard(int(match[1]), int(match[2]))
    if not 1 <= shard.index <= shard.count:
        return Problem(f"There is no shard {shard.index} of {shard.count}.", _ADVICE, severity="error")
    return shard
