from __future__ import annotations

from typing import Any

from clarity.models import QueuedAnalysis
from clarity.services.sqs_service import SQSService

REQUEST: QueuedAnalysis = {"user_id": "ada", "recorded_at": "2026-03-01T22:30:00+00:00", "attempt": 1}


def test_a_sent_request_can_be_received(queue_client: Any, queue_url: str) -> None:
    """
    Given an empty queue
    When a request is sent
    Then it is received with the same content
    """
    service = SQSService(queue_url, client=queue_client)
    message_id = service.send(REQUEST)
    [message] = service.receive()
    assert message_id is not None
    assert message.analysis() == REQUEST


def test_a_handled_request_leaves_the_queue(queue_client: Any, queue_url: str) -> None:
    """
    Given one request in the queue
    When it is processed
    Then the handler saw it
    """
    service = SQSService(queue_url, client=queue_client)
    service.send(REQUEST)
    seen: list[QueuedAnalysis] = []
    assert service.process(seen.append) == 1
    assert len(seen) == 1
