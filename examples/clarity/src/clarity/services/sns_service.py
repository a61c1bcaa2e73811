"""Alerts to the care team, on SNS."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

import boto3
from botocore.exceptions import ClientError, EndpointConnectionError

from clarity.errors import MessagingError
from clarity.models import SleepSummary
from clarity.retry import RetryPolicy, with_retries

logger = logging.getLogger(__name__)

MAX_SUBJECT = 100
POOR_EFFICIENCY = 0.65
MANY_AWAKENINGS = 8


class SNSService:
    """Publishes alerts. A lost alert is worse than a late one, so connections are tried again."""

    def __init__(self, topic_arn: str, *, client: Any = None, enabled: bool = True) -> None:
        self._client = client or boto3.client("sns")
        self._topic_arn = topic_arn
        self._enabled = enabled

    @with_retries(EndpointConnectionError, policy=RetryPolicy(max_attempts=3))
    def publish(self, subject: str, body: dict[str, Any], *, severity: str = "info") -> str | None:
        """Publish one alert; returns its id, or None where alerts are switched off."""
        if not self._enabled:
            return None
        try:
            response = self._client.publish(
                TopicArn=self._topic_arn,
                Subject=_subject_line(subject),
                Message=json.dumps(body, sort_keys=True),
                MessageAttributes={"severity": {"DataType": "String", "StringValue": severity}},
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "NotFound":
                raise MessagingError(f"the topic {self._topic_arn} does not exist") from error
            if code == "AuthorizationError":
                raise MessagingError("the credentials do not allow alerts") from error
            raise MessagingError(f"the alert was not published: {error}") from error
        return str(response["MessageId"])

    def publish_many(self, alerts: Sequence[tuple[str, dict[str, Any]]]) -> list[str]:
        """Publish alerts, ten at a time; returns the subjects of those that were not taken."""
        failed: list[str] = []
        for start in range(0, len(alerts), 10):
            chunk = alerts[start : start + 10]
            entries = [
                {"Id": str(index), "Subject": _subject_line(subject), "Message": json.dumps(body)}
                for index, (subject, body) in enumerate(chunk)
            ]
            response = self._client.publish_batch(TopicArn=self._topic_arn, PublishBatchRequestEntries=entries)
            failed.extend(chunk[int(entry["Id"])][0] for entry in response.get("Failed", ()))
        if failed:
            logger.error("%d of %d alerts were not published", len(failed), len(alerts))
        return failed

    def alert_care_team_about_poor_sleep(self, user_id: str, summary: SleepSummary) -> bool:
        """Alert when a night was bad enough for someone to look at; tells whether it was."""
        reasons = reasons_for_concern(summary)
        if not reasons:
            return False
        severity = "urgent" if len(reasons) > 1 else "warning"
        self.publish(f"Poor sleep of {user_id}", {"user_id": user_id, "reasons": reasons}, severity=severity)
        return True


def reasons_for_concern(summary: SleepSummary) -> list[str]:
    """Why a night needs a look; empty for a good one."""
    reasons = []
    if summary.efficiency < POOR_EFFICIENCY:
        reasons.append(f"efficiency {summary.efficiency:.0%}")
    if summary.awakenings >= MANY_AWAKENINGS:
        reasons.append(f"{summary.awakenings} awakenings")
    latency = summary.latency_minutes
    if latency is None:
        reasons.append("no sleep at all")
    elif latency > 60:
        reasons.append(f"{latency:.0f} minutes until sleep")
    return reasons


def _subject_line(text: str) -> str:
    """One line of at most 100 characters, as SNS wants it."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_SUBJECT else line[: MAX_SUBJECT - 1] + "…"
