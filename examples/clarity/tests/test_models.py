from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from clarity.models import BatchResult, HealthRecord, SleepStage, SleepSummary

WAKE, LIGHT, DEEP = SleepStage.WAKE, SleepStage.LIGHT, SleepStage.DEEP


def test_a_record_survives_the_way_to_the_table_and_back(record: HealthRecord) -> None:
    """
    Given a record of one evening
    When it is turned into an item and read again
    Then it is the same record
    """
    assert HealthRecord.from_item(record.to_item()) == record


def test_sort_keys_are_in_utc() -> None:
    """
    Given a time in Tokyo
    When the sort key is asked for
    Then it is the same moment in UTC
    """
    tokyo = timezone(timedelta(hours=9))
    record = HealthRecord("ada", datetime(2026, 3, 2, 7, 30, tzinfo=tokyo), 60)
    assert record.sort_key == "2026-03-01T22:30:00+00:00"


def test_an_implausible_heart_rate_is_refused() -> None:
    """
    Given a heart rate that nobody has
    When a record is made of it
    Then it is refused
    """
    with pytest.raises(ValueError):
        HealthRecord("ada", datetime(2026, 3, 1, tzinfo=UTC), 900)


def test_a_revised_record_has_the_next_version(record: HealthRecord) -> None:
    """
    Given a record
    When it is revised
    Then the copy has the change and a new version
    """
    revised = record.revised(notes="")
    assert revised.notes == ""
    assert revised.version > record.version


def test_batch_results_add_up() -> None:
    """
    Given the results of two batches
    When they are added
    Then nothing is lost
    """
    total = BatchResult(25) + BatchResult(3, ("2026-03-01T22:30:00+00:00",))
    assert total.written == 28
    assert total.failed


def test_a_night_is_summed_up() -> None:
    """
    Given a night that starts awake and is interrupted once
    When it is summed up
    Then sleep, efficiency and latency are numbers
    """
    night = SleepSummary((WAKE, WAKE, LIGHT, DEEP, WAKE, LIGHT))
    assert night.total_sleep_minutes == 1.5
    assert night.latency_minutes == 1.0
    assert 0 < night.efficiency < 1
    assert night.awakenings is not None
