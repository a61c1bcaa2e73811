"""The work queue: nights that wait for analysis, on SQS."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import boto3
from botocore.exceptions import ClientError

from clarity.errors import MessagingError
from clarity.models import QueuedAnalysis

logger = logging.getLogger(__name__)

# SQS takes no more than this in one batch request.
BATCH_SIZE = 10
MAX_RECEIVES = 3


@dataclass(frozen=True)
class ReceivedMessage:
    """One message in our hands until its visibility timeout ends; `receives` counts deliveries, this one included."""

    body: str
    receipt_handle: str
    receives: int

    @property
    def is_poison(self) -> bool:
        """Whether it came back so often that working on it again makes no sense."""
        return self.receives > MAX_RECEIVES

    def analysis(self) -> QueuedAnalysis:
        """The request in the body; raises `MessagingError` if the body is none."""
        try:
            request = json.loads(self.body)
        except json.JSONDecodeError as error:
            raise MessagingError(f"the message is not JSON: {error}") from error
        missing = {"user_id", "recorded_at"} - set(request)
        if missing:
            raise MessagingError(f"the message lacks {', '.join(sorted(missing))}")
        request.setdefault("attempt", 1)
        return cast(QueuedAnalysis, request)


class SQSService:
    """Sends and works off analysis requests."""

    def __init__(self, queue_url: str, *, dead_letter_url: str | None = None, client: Any = None) -> None:
        self._client = client or boto3.client("sqs")
        self._queue_url = queue_url
        self._dead_letter_url = dead_letter_url

    def send(self, request: QueuedAnalysis, *, delay: int = 0) -> str:
        """Queue one request; returns the message's id."""
        try:
            response = self._client.send_message(
                QueueUrl=self._queue_url, MessageBody=json.dumps(request), DelaySeconds=delay
            )
        except ClientError as error:
            raise MessagingError(f"the analysis could not be queued: {error}") from error
        return str(response["MessageId"])

    def send_many(self, requests: Sequence[QueuedAnalysis]) -> list[QueuedAnalysis]:
        """Queue many requests; returns those that the queue did not take, so that the caller can try them again."""
        rejected: list[QueuedAnalysis] = []
        for start in range(0, len(requests), BATCH_SIZE):
            chunk = requests[start : start + BATCH_SIZE]
            entries = [{"Id": str(index), "MessageBody": json.dumps(request)} for index, request in enumerate(chunk)]
            try:
                response = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
            except ClientError:
                logger.exception("a batch of %d requests was refused", len(chunk))
                rejected.extend(chunk)
                continue
            for failure in response.get("Failed", ()):
                if failure["SenderFault"]:
                    logger.error("request %s is at fault: %s", failure["Id"], failure.get("Message"))
                rejected.append(chunk[int(failure["Id"])])
        return rejected

    def receive(self, *, limit: int = 10, wait: int = 0) -> list[ReceivedMessage]:
        """Up to `limit` messages, waiting up to `wait` seconds for the first one."""
        response = self._client.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=min(limit, BATCH_SIZE),
            WaitTimeSeconds=wait,
            AttributeNames=["ApproximateReceiveCount"],
        )
        return [
            ReceivedMessage(m["Body"], m["ReceiptHandle"], int(m["Attributes"]["ApproximateReceiveCount"]))
            for m in response.get("Messages", ())
        ]

    def acknowledge(self, message: ReceivedMessage) -> None:
        """Take a finished message off the queue."""
        try:
            self._client.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message.receipt_handle)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ReceiptHandleIsInvalid":
                logger.warning("a message was acknowledged too late and will come again")
                return
            raise MessagingError(f"the message could not be acknowledged: {error}") from error

    def process(self, handle: Callable[[QueuedAnalysis], None], *, limit: int = 10) -> int:
        """Work off what waits; returns how many messages were handled.

        A message whose handling fails stays in the queue and comes again; after three deliveries, or if it cannot
        be read at all, it is put aside.
        """
        handled = 0
        for message in self._healthy(self.receive(limit=limit)):
            try:
                handle(message.analysis())
            except MessagingError as error:
                self._put_aside(message, str(error))
            except Exception:
                logger.exception("an analysis failed and will be tried again")
            else:
                self.acknowledge(message)
                handled += 1
        return handled

    def _healthy(self, messages: Sequence[ReceivedMessage]) -> Iterator[ReceivedMessage]:
        for message in messages:
            if message.is_poison:
                self._put_aside(message, f"failed {message.receives - 1} times")
            else:
                yield message

    def _put_aside(self, message: ReceivedMessage, reason: str) -> None:
        if self._dead_letter_url is None:
            logger.error("a message was dropped: %s", reason)
        else:
            self._client.send_message(
                QueueUrl=self._dead_letter_url,
                MessageBody=message.body,
                MessageAttributes={"reason": {"DataType": "String", "StringValue": reason}},
            )
        self.acknowledge(message)
