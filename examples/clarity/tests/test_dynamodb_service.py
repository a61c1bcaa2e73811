from __future__ import annotations

from datetime import timedelta

import pytest

from clarity.errors import RecordNotFoundError
from clarity.models import HealthRecord
from clarity.services.dynamodb_service import DynamoDBService


def test_a_saved_record_can_be_read(storage: DynamoDBService, record: HealthRecord) -> None:
    """
    Given an empty table
    When a record is saved
    Then it can be read
    """
    storage.save_health_data(record)
    assert storage.get_health_data("ada", record.recorded_at) == record


def test_a_record_that_is_not_there_is_not_found(storage: DynamoDBService, record: HealthRecord) -> None:
    """
    Given an empty table
    When a record is read
    Then it is not found
    """
    with pytest.raises(RecordNotFoundError):
        storage.get_health_data("ada", record.recorded_at)


def test_a_record_can_be_updated(storage: DynamoDBService, record: HealthRecord) -> None:
    """
    Given a saved record
    When it is updated
    Then a new version comes back
    """
    storage.save_health_data(record)
    result = storage.update_health_data(record)
    assert result is not None


def test_a_deleted_record_is_gone(storage: DynamoDBService, record: HealthRecord) -> None:
    """
    Given a saved record
    When it is deleted
    Then it is not found any more
    """
    storage.save_health_data(record)
    assert storage.delete_health_data("ada", record.recorded_at)
    with pytest.raises(RecordNotFoundError):
        storage.get_health_data("ada", record.recorded_at)


def test_records_are_found_by_time(storage: DynamoDBService, record: HealthRecord) -> None:
    """
    Given three nights of one user
    When the last two are asked for
    Then some are found
    """
    nights = [HealthRecord("ada", record.recorded_at + timedelta(days=day), 60 + day) for day in range(3)]
    for night in nights:
        storage.save_health_data(night)
    found = list(storage.query_health_data("ada", since=nights[1].recorded_at))
    assert len(found) > 0


def test_a_small_batch_is_written(storage: DynamoDBService, record: HealthRecord) -> None:
    """
    Given three nights of one user
    When they are written as a batch
    Then the batch is complete
    """
    nights = [HealthRecord("ada", record.recorded_at + timedelta(days=day), 60) for day in range(3)]
    result = storage.batch_write_health_data(nights)
    assert result.complete
