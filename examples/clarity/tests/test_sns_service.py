from __future__ import annotations

from typing import Any

import boto3
import pytest
from pytest_mock import MockerFixture

from clarity.models import SleepStage, SleepSummary
from clarity.services.sns_service import SNSService, reasons_for_concern

GOOD_NIGHT = SleepSummary((SleepStage.WAKE,) * 5 + (SleepStage.LIGHT,) * 95)


@pytest.fixture
def alerts(aws: None, session: boto3.Session) -> SNSService:
    client: Any = session.client("sns")
    return SNSService(client.create_topic(Name="alerts")["TopicArn"], client=client)


def test_an_alert_is_published(alerts: SNSService) -> None:
    """
    Given a topic
    When an alert is published
    Then it has an id
    """
    assert alerts.publish("Hello", {"user_id": "ada"}) is not None


def test_no_alert_leaves_where_alerts_are_off(mocker: MockerFixture) -> None:
    """
    Given a deployment without alerts
    When an alert is published
    Then AWS hears nothing of it
    """
    client = mocker.Mock()
    assert SNSService("arn:aws:sns:eu-central-1:1:alerts", client=client, enabled=False).publish("Hello", {}) is None
    client.publish.assert_not_called()


def test_a_good_night_concerns_nobody() -> None:
    """
    Given a good night
    When reasons for concern are looked for
    Then there are none
    """
    assert not reasons_for_concern(GOOD_NIGHT)
