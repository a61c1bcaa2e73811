from __future__ import annotations

from typing import Any

import pytest

from clarity.ingestion import IngestionHandler
from clarity.services.dynamodb_service import DynamoDBService
from clarity.services.sqs_service import SQSService

UPLOAD = {"user_id": "ada", "recorded_at": "2026-03-01T22:30:00+00:00", "heart_rate": 61.5, "movement": [0, 12, 3]}


@pytest.fixture
def handler(storage: DynamoDBService, queue_client: Any, queue_url: str) -> IngestionHandler:
    return IngestionHandler(storage, SQSService(queue_url, client=queue_client))


async def test_an_upload_is_accepted(handler: IngestionHandler) -> None:
    """
    Given a valid upload
    When it is taken in
    Then it is accepted
    """
    outcome = await handler.ingest(UPLOAD)
    assert outcome.status == "accepted"


async def test_an_upload_without_a_user_is_invalid(handler: IngestionHandler) -> None:
    """
    Given an upload that names no user
    When it is taken in
    Then it is invalid, and the others are not harmed
    """
    outcomes = await handler.ingest_all([{**UPLOAD, "movement": []}, {"recorded_at": "2026-03-01", "heart_rate": 60}])
    assert [outcome.status for outcome in outcomes] == ["accepted", "invalid"]
