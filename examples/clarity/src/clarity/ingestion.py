"""The way of an upload: validate, store, queue for analysis; many at a time, a bounded number at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clarity.errors import ConflictError, MessagingError, StorageError, ThrottledError
from clarity.models import HealthRecord
from clarity.services.dynamodb_service import DynamoDBService
from clarity.services.sqs_service import SQSService

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of one upload: `accepted`, `duplicate`, `invalid` or `failed`."""

    status: str
    reason: str = ""


class IngestionHandler:
    """Takes uploads in without blocking the event loop: boto3 runs in threads."""

    def __init__(self, storage: DynamoDBService, queue: SQSService, *, concurrency: int = 8, timeout: float = 30.0):
        self._storage = storage
        self._queue = queue
        self._slots = asyncio.Semaphore(concurrency)
        self._timeout = timeout

    async def ingest_all(self, payloads: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        """Take in many uploads; the outcomes are in the order of the payloads, and one failure stops no other."""
        return list(await asyncio.gather(*(self.ingest(payload) for payload in payloads)))

    async def ingest(self, payload: Mapping[str, Any]) -> Outcome:
        """Take in one upload."""
        try:
            record = parse_payload(payload)
        except ValueError as error:
            return Outcome("invalid", str(error))
        async with self._slots:
            try:
                return await asyncio.wait_for(self._store_and_queue(record), self._timeout)
            except TimeoutError:
                logger.error("an upload of %s took longer than %.0f s", record.user_id, self._timeout)
                return Outcome("failed", "timeout")

    async def _store_and_queue(self, record: HealthRecord) -> Outcome:
        try:
            await asyncio.to_thread(self._storage.save_health_data, record)
        except ConflictError:
            return Outcome("duplicate")
        except ThrottledError:
            return Outcome("failed", "busy")
        except StorageError as error:
            logger.exception("an upload of %s was not stored", record.user_id)
            return Outcome("failed", str(error))
        return await self._queue_or_undo(record) if record.movement else Outcome("accepted")

    async def _queue_or_undo(self, record: HealthRecord) -> Outcome:
        """Queue a stored record; one that cannot be queued is removed again, so that the client's retry is taken."""
        try:
            await asyncio.to_thread(
                self._queue.send, {"user_id": record.user_id, "recorded_at": record.sort_key, "attempt": 1}
            )
        except MessagingError as error:
            logger.exception("an upload of %s was not queued", record.user_id)
            await asyncio.to_thread(self._storage.delete_health_data, record.user_id, record.recorded_at)
            return Outcome("failed", str(error))
        return Outcome("accepted")


def parse_payload(payload: Mapping[str, Any]) -> HealthRecord:
    """The record in an upload; raises `ValueError` with a reason that the client may see."""
    try:
        recorded_at = datetime.fromisoformat(payload["recorded_at"])
        heart_rate = float(payload["heart_rate"])
        user_id = str(payload["user_id"])
    except KeyError as missing:
        raise ValueError(f"{missing} is missing") from missing
    except TypeError as error:
        raise ValueError(f"a field has the wrong type: {error}") from error
    if recorded_at.tzinfo is None:
        raise ValueError("recorded_at needs a time zone")
    movement = payload.get("movement", ())
    if any(not isinstance(count, int) or count < 0 for count in movement):
        raise ValueError("movement must be a list of counts")
    return HealthRecord(user_id, recorded_at, heart_rate, tuple(movement))
