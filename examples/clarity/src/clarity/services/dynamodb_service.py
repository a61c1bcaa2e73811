"""Health records in DynamoDB, one item a recording; the key is the user and the time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NoReturn

import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import BotoCoreError, ClientError

from clarity.config import Settings
from clarity.errors import ConflictError, RecordNotFoundError, StorageError, ThrottledError
from clarity.models import BatchResult, HealthRecord
from clarity.retry import RetryPolicy

logger = logging.getLogger(__name__)

# DynamoDB takes no more than this in one BatchWriteItem request.
BATCH_SIZE = 25

_THROTTLING = frozenset(
    {"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "InternalServerError"}
)


class DynamoDBService:
    """Stores and finds health records. Errors of AWS reach the caller as `StorageError` and its kinds."""

    def __init__(
        self,
        table_name: str,
        *,
        resource: Any = None,
        policy: RetryPolicy | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._resource = resource or boto3.resource("dynamodb")
        self._table = self._resource.Table(table_name)
        self._policy = policy or RetryPolicy()
        self._sleep = sleep

    @classmethod
    def from_settings(cls, settings: Settings) -> DynamoDBService:
        """The service that a deployment's settings describe."""
        policy = RetryPolicy(settings.max_attempts, settings.base_delay, settings.max_delay)
        resource = boto3.resource("dynamodb", region_name=settings.region)
        return cls(settings.table_name, resource=resource, policy=policy)

    def save_health_data(self, record: HealthRecord) -> None:
        """Store a new record; raises `ConflictError` if that user has one for that time already."""
        with self._translating_errors(f"save {record.sort_key}"):
            self._call_with_backoff(
                lambda: self._table.put_item(
                    Item=record.to_item(), ConditionExpression=Attr("recorded_at").not_exists()
                )
            )
        logger.info("saved %s for %s", record.sort_key, record.user_id)

    def get_health_data(self, user_id: str, recorded_at: datetime) -> HealthRecord:
        """The record of that time; raises `RecordNotFoundError` if there is none."""
        key = _key(user_id, recorded_at)
        with self._translating_errors(f"get {key['recorded_at']}"):
            response = self._call_with_backoff(lambda: self._table.get_item(Key=key, ConsistentRead=True))
        item = response.get("Item")
        if item is None:
            raise RecordNotFoundError(f"no record of {user_id} at {key['recorded_at']}")
        return HealthRecord.from_item(item)

    def update_health_data(self, record: HealthRecord) -> HealthRecord:
        """Replace a record that was read before; raises `ConflictError` if someone else changed it since then."""
        revised = record.revised()
        with self._translating_errors(f"update {record.sort_key}"):
            self._call_with_backoff(
                lambda: self._table.put_item(
                    Item=revised.to_item(), ConditionExpression=Attr("version").eq(record.version)
                )
            )
        return revised

    def delete_health_data(self, user_id: str, recorded_at: datetime) -> bool:
        """Delete a record; tells whether there was one."""
        key = _key(user_id, recorded_at)
        with self._translating_errors(f"delete {key['recorded_at']}"):
            response = self._call_with_backoff(lambda: self._table.delete_item(Key=key, ReturnValues="ALL_OLD"))
        return "Attributes" in response

    def query_health_data(
        self,
        user_id: str,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        page_size: int = 100,
    ) -> Iterator[HealthRecord]:
        """The user's records in the order of their times, read page by page as they are asked for."""
        condition = Key("user_id").eq(user_id)
        if since is not None and until is not None:
            condition &= Key("recorded_at").between(_time(since), _time(until))
        elif since is not None:
            condition &= Key("recorded_at").gte(_time(since))
        elif until is not None:
            condition &= Key("recorded_at").lte(_time(until))
        query: dict[str, Any] = {"KeyConditionExpression": condition, "Limit": page_size}
        while True:
            with self._translating_errors(f"query {user_id}"):
                page = self._call_with_backoff(lambda: self._table.query(**query))
            yield from map(HealthRecord.from_item, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def batch_write_health_data(self, records: Sequence[HealthRecord]) -> BatchResult:
        """Store many records, replacing those with the same key. What could not be written is named in the result."""
        result = BatchResult()
        unique = list({(record.user_id, record.sort_key): record for record in records}.values())
        for start in range(0, len(unique), BATCH_SIZE):
            result += self._write_chunk(unique[start : start + BATCH_SIZE])
        if not result.complete:
            logger.error("%d of %d records could not be written", len(result.failed), len(unique))
        return result

    def delete_all_health_data(self, user_id: str) -> int:
        """Delete everything that is known of a user (the right to be forgotten); returns the number of records."""
        count = 0
        with self._translating_errors(f"delete all of {user_id}"), self._table.batch_writer() as batch:
            for record in self.query_health_data(user_id):
                batch.delete_item(Key={"user_id": record.user_id, "recorded_at": record.sort_key})
                count += 1
        return count

    def _write_chunk(self, chunk: Iterable[HealthRecord]) -> BatchResult:
        """Write at most 25 records, sending again what the table did not take, a little later each time."""
        pending = [{"PutRequest": {"Item": record.to_item()}} for record in chunk]
        total = len(pending)
        delays = self._policy.delays()
        while pending:
            request = {self._table.name: pending}
            try:
                response = self._resource.batch_write_item(RequestItems=request)
                pending = response.get("UnprocessedItems", {}).get(self._table.name, [])
            except ClientError as error:
                if _code(error) not in _THROTTLING:
                    logger.exception("a batch of %d records was refused", len(pending))
                    break
            if not pending:
                break
            delay = next(delays, None)
            if delay is None:
                break
            logger.warning("%d records were not processed, next attempt in %.2f s", len(pending), delay)
            self._sleep(delay)
        failed = tuple(entry["PutRequest"]["Item"]["recorded_at"] for entry in pending)
        return BatchResult(total - len(failed), failed)

    def _call_with_backoff(self, call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        for delay in self._policy.delays():
            try:
                return call()
            except ClientError as error:
                if _code(error) not in _THROTTLING:
                    raise
                logger.warning("throttled (%s), next attempt in %.2f s", _code(error), delay)
                self._sleep(delay)
        return call()

    @contextmanager
    def _translating_errors(self, action: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            _raise_for(error, action)
        except BotoCoreError as error:
            raise StorageError(f"could not {action}: {error}") from error


def _raise_for(error: ClientError, action: str) -> NoReturn:
    code = _code(error)
    if code == "ConditionalCheckFailedException":
        raise ConflictError(f"could not {action}: the record is not as expected") from error
    if code == "ResourceNotFoundException":
        raise StorageError(f"could not {action}: the table does not exist") from error
    if code in _THROTTLING:
        raise ThrottledError(f"could not {action}: the table is busy ({code})") from error
    if code in ("AccessDeniedException", "UnrecognizedClientException"):
        raise StorageError(f"could not {action}: the credentials do not allow it") from error
    raise StorageError(f"could not {action}: {error}") from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def _key(user_id: str, recorded_at: datetime) -> dict[str, str]:
    return {"user_id": user_id, "recorded_at": _time(recorded_at)}


def _time(moment: datetime) -> str:
    return HealthRecord("any", moment, 60).sort_key
