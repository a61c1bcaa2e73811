"""Answers of AWS that take a request in part only: entries refused, items unprocessed, more pages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from testlens.scaffold.recipes.aws_code import Operation, called_name


@dataclass(frozen=True, slots=True)
class Answer:
    """What a stand-in does instead of AWS: `given` says it in words.

    `behaviour` are the arguments of the stand-in, which may use what the statements `first` have made. After an answer
    that `is_temporary` the code may wait. `outcome` is what should come of it where that is known.
    """

    given: str
    behaviour: str
    first: tuple[str, ...] = ()
    is_temporary: bool = False
    outcome: str = ""


AGAIN = "it is tried again"
_PLAIN = {
    "query": '{"Items": [], "Count": 0}', "scan": '{"Items": [], "Count": 0}', "send_message": '{"MessageId": "1"}',
    "publish": '{"MessageId": "1"}', "send_message_batch": '{"Successful": [], "Failed": []}', "publish_batch":
    '{"Successful": [], "Failed": []}', "put_object": '{"ETag": "1"}', "get_object":
    '{"ETag": "1", "ContentLength": 4}', "head_object": '{"ETag": "1", "ContentLength": 4}', "receive_message":
    '{"Messages": []}', "list_objects_v2": '{"Contents": []}', "batch_get_item": '{"Responses": {}}',
}  # fmt: skip


def plain_answer(operation: Operation) -> str:
    """What AWS answers to a request that it takes, where there is nothing to give."""
    return _PLAIN.get(operation.method, "{}")


_REFUSED = '{{"Id": {id}, "SenderFault": {fault}, "Code": "{code}", "Message": "{message}"}}'
_ENTRIES = {
    "send_message_batch": ("Entries", "message", "queue"),
    "delete_message_batch": ("Entries", "message", "queue"),
    "publish_batch": ("PublishBatchRequestEntries", "message", "topic"),
}


def partial_answers(operation: Operation, count: int) -> Iterator[Answer]:
    """What the operation may answer beside everything or nothing; `count` entries are sent."""
    method = operation.method
    if method in _ENTRIES:
        yield from _entries_refused(operation, count)
    elif method == "batch_write_item":
        yield from _left("UnprocessedItems", "items", "")
    elif method == "batch_get_item":
        yield from _left("UnprocessedKeys", "keys", '"Responses": {}, ')
    elif method in ("query", "scan") and _reads(operation, "LastEvaluatedKey"):
        yield Answer(
            "there is a second page",
            'side_effect=[{"Items": [], "Count": 0, "LastEvaluatedKey": {"id": "1"}}, {"Items": [], "Count": 0}]',
        )
    elif method == "list_objects_v2" and (_reads(operation, "IsTruncated") or _reads(operation, "ContinuationToken")):
        pages = (
            '{"Contents": [{"Key": "one"}], "IsTruncated": True, "NextContinuationToken": "more"}',
            '{"Contents": [{"Key": "two"}], "IsTruncated": False}',
        )
        yield Answer("there is a second page", f"side_effect=[{', '.join(pages)}]")


def _reads(operation: Operation, key: str) -> bool:
    return any(
        isinstance(node, ast.Constant) and isinstance(node.value, str) and key in node.value
        for node in ast.walk(operation.place.node)
    )


def _entries_refused(operation: Operation, count: int) -> Iterator[Answer]:
    keyword, noun, thing = _ENTRIES[operation.method]
    first, last = f'{keyword}[0]["Id"]', f'{keyword}[-1]["Id"]'
    if _ids_are_positions(operation):
        first, last = '"0"', f'"{count - 1}"'
    fault = _REFUSED.format(id=first, fault=True, code="InvalidParameterValue", message="the message is not valid")
    busy = _REFUSED.format(id=last, fault=False, code="InternalError", message="try again later")
    failed = f"[{fault}, {busy}]" if count > 1 else f"[{fault}]"
    said = f"the {thing} refuses {f'two {noun}s' if count > 1 else f'a {noun}'}"
    answer = f'{{"Successful": [], "Failed": {failed}}}'
    if _ids_are_positions(operation):
        yield Answer(said, "return_value=partial_answer", (f"partial_answer = {answer}",))
        return
    yield Answer(said, "side_effect=refuse", (f"def refuse({keyword}, **_):\n    return {answer}",))


def _ids_are_positions(operation: Operation) -> bool:
    """Whether the entries are numbered: `{"Id": str(index), ...}`."""
    for node in ast.walk(operation.place.node):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "Id":
                    return _is_position(value)
    return False


def _is_position(value: ast.expr) -> bool:
    match value:
        case ast.Call(args=[ast.Name()]):
            return called_name(value) == "str"
        case ast.JoinedStr(values=[ast.FormattedValue(value=ast.Name())]):
            return True
    return False


def _left(key: str, what: str, rest: str) -> Iterator[Answer]:
    once = (
        "seen_requests = []",
        (
            f"def leave_all_once(RequestItems, **_):\n"
            f"    seen_requests.append(RequestItems)\n"
            f'    return {{{rest}"{key}": RequestItems if len(seen_requests) == 1 else {{}}}}'
        ),
    )
    yield Answer(f"the table leaves {what} unprocessed once", "side_effect=leave_all_once", once, True, AGAIN)
    yield Answer(
        f"the table never processes the {what}",
        f'side_effect=lambda RequestItems, **_: {{{rest}"{key}": RequestItems}}',
        is_temporary=True,
    )
