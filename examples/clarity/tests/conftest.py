"""AWS as moto plays it: fresh for each test, with credentials that open nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from clarity.models import HealthRecord
from clarity.services.dynamodb_service import DynamoDBService

REGION = "eu-central-1"


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """One session for all tests: it reads the descriptions of AWS's services once."""
    return boto3.Session("testing", "testing", region_name=REGION)


@pytest.fixture(autouse=True)
def fake_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def storage(aws: None, session: boto3.Session) -> DynamoDBService:
    resource = session.resource("dynamodb")
    resource.create_table(
        TableName="health",
        KeySchema=[
            {"AttributeName": "user_id", "KeyType": "HASH"},
            {"AttributeName": "recorded_at", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "user_id", "AttributeType": "S"},
            {"AttributeName": "recorded_at", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return DynamoDBService("health", resource=resource)


@pytest.fixture
def queue_client(aws: None, session: boto3.Session) -> Any:
    return session.client("sqs")


@pytest.fixture
def queue_url(queue_client: Any) -> str:
    return str(queue_client.create_queue(QueueName="analyses")["QueueUrl"])


@pytest.fixture
def record() -> HealthRecord:
    recorded_at = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
    return HealthRecord("ada", recorded_at, 61.5, movement=(0, 12, 3, 0), notes="after a long walk")
