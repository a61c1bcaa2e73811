"""The values that Clarity's services exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any, TypedDict

EPOCH_SECONDS = 30


class SleepStage(StrEnum):
    """Stages of sleep as the model tells them apart."""

    WAKE = "wake"
    LIGHT = "light"
    DEEP = "deep"
    REM = "rem"

    @property
    def is_asleep(self) -> bool:
        return self is not SleepStage.WAKE


class QueuedAnalysis(TypedDict):
    """The body of a message that asks for one night's analysis."""

    user_id: str
    recorded_at: str
    attempt: int


@dataclass(frozen=True)
class HealthRecord:
    """What a wearable measured for one person from `recorded_at` on. `movement` has one count per 30 s epoch."""

    user_id: str
    recorded_at: datetime
    heart_rate: float
    movement: tuple[int, ...] = ()
    notes: str = ""
    version: int = 1

    def __post_init__(self) -> None:
        if not self.user_id:
            raise ValueError("a health record needs a user")
        if not 20 <= self.heart_rate <= 250:
            raise ValueError(f"a heart rate of {self.heart_rate} is not plausible")

    @property
    def sort_key(self) -> str:
        """The time in UTC, so that keys sort as times do."""
        return self.recorded_at.astimezone(UTC).isoformat(timespec="seconds")

    def to_item(self) -> dict[str, Any]:
        """The record as DynamoDB stores it: no floats, no empty strings."""
        item: dict[str, Any] = {
            "user_id": self.user_id,
            "recorded_at": self.sort_key,
            "heart_rate": Decimal(str(self.heart_rate)),
            "movement": list(self.movement),
            "version": self.version,
        }
        if self.notes:
            item["notes"] = self.notes
        return item

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> HealthRecord:
        """The record that `to_item` stored; raises `ValueError` on an item that it did not write."""
        try:
            return cls(
                user_id=item["user_id"],
                recorded_at=datetime.fromisoformat(item["recorded_at"]),
                heart_rate=float(item["heart_rate"]),
                movement=tuple(int(count) for count in item.get("movement", ())),
                notes=item.get("notes", ""),
                version=int(item.get("version", 1)),
            )
        except KeyError as missing:
            raise ValueError(f"the stored item lacks {missing}") from missing

    def revised(self, **changes: Any) -> HealthRecord:
        """A copy with these changes and the next version."""
        return replace(self, **changes, version=self.version + 1)


@dataclass(frozen=True)
class BatchResult:
    """What became of a batch: how many were written, and the keys of those that were not."""

    written: int = 0
    failed: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.failed

    def __add__(self, other: BatchResult) -> BatchResult:
        return BatchResult(self.written + other.written, self.failed + other.failed)


@dataclass(frozen=True)
class SleepSummary:
    """One night in numbers; times in minutes."""

    stages: tuple[SleepStage, ...]
    confidence: float = 0.0
    warnings: tuple[str, ...] = field(default_factory=tuple)

    @property
    def total_sleep_minutes(self) -> float:
        return sum(stage.is_asleep for stage in self.stages) * EPOCH_SECONDS / 60

    @property
    def efficiency(self) -> float:
        """Share of the time in bed that was sleep, 0 to 1."""
        if not self.stages:
            return 0.0
        return sum(stage.is_asleep for stage in self.stages) / len(self.stages)

    @property
    def latency_minutes(self) -> float | None:
        """Time until sleep came, or None for a night without sleep."""
        for epoch, stage in enumerate(self.stages):
            if stage.is_asleep:
                return epoch * EPOCH_SECONDS / 60
        return None

    @property
    def awakenings(self) -> int:
        """How often sleep turned into waking."""
        return sum(before.is_asleep and not after.is_asleep for before, after in pairwise(self.stages))
