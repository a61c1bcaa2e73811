"""Brings together the calls that the processes of one run recorded, and puts the result where the server wants it."""

from __future__ import annotations

import ast
import contextlib
import json
import os
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from testlens_agent.wire import EventStream

VERSION = 1
_PREFIX = "calls"
_MOST_CALLS = (6, 4, 2, 1)
_LARGEST_BYTES = 4_000_000

_Calls = dict[str, Any]
_Functions = dict[str, dict[str, list[_Calls]]]


def piece_name(scratch: Path, generation: int) -> str:
    """The file to which the given process of the run appends what it records, a line a call."""
    return str(scratch / f"{_PREFIX}-{generation}")


def publish(scratch: Path, target: Path, root: Path, tests: Collection[str], events: EventStream) -> None:
    """Put the calls recorded in `scratch` into `target`, which appears whole or not at all.

    What is in `scratch` is removed. `tests` are node ids if not all tests were asked for: then what is known of other
    tests stays.
    A file that cannot be written is reported as a problem.
    """
    functions: _Functions = {}
    files: dict[str, list[str]] = {}
    ran = set()
    for record in _records(sorted(scratch.glob(f"{_PREFIX}-*"))):
        name = record["name"] or _name(record["path"], record["first"], record["short_name"])
        if name is None or "<locals>" in name:
            continue
        ran.add(record["test"])
        path = os.path.relpath(record["path"], os.path.realpath(str(root))).replace(os.sep, "/")
        kept = {key: record[key] for key in ("test", "arguments", "receiver", "result", "raised", "left")}
        functions.setdefault(path, {}).setdefault(name, []).append(kept)
        _add_files(files, record["fixture_files"].items())
    if tests:
        _add_earlier(functions, files, target, ran)
    _write(target, _bounded(functions, files), events)


def _records(pieces: Iterable[Path]) -> Iterator[_Calls]:
    for piece in pieces:
        with contextlib.suppress(OSError):
            for line in piece.read_bytes().splitlines():
                with contextlib.suppress(ValueError):  # the process was killed while it wrote
                    yield json.loads(line)
            piece.unlink()


def _name(path: str, first: int, short_name: str) -> str | None:
    """The dotted name of the function that begins at this line, decorators included: before 3.11 its code has none."""
    return _names(path).get((first, short_name))


@cache
def _names(path: str) -> dict[tuple[int, str], str]:
    try:
        tree = ast.parse(Path(path).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return {}
    return dict(_definitions(tree, ""))


def _definitions(node: ast.AST, prefix: str) -> Iterator[tuple[tuple[int, str], str]]:
    for child in ast.iter_child_nodes(node):
        name = prefix
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            name = f"{prefix}{child.name}."
            first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
            yield (first, child.name), name[:-1]
        yield from _definitions(child, name)


def _add_files(files: dict[str, list[str]], found: Iterable[tuple[str, str]]) -> None:
    for name, file in found:
        known = files.setdefault(name, [])
        if file not in known:
            known.append(file)


def _add_earlier(functions: _Functions, files: dict[str, list[str]], target: Path, ran: Collection[str]) -> None:
    """Add what is known from runs before of tests that were not run again."""
    try:
        earlier = json.loads(target.read_bytes())
        for path, by_name in earlier["functions"].items():
            for name, calls in by_name.items():
                kept = [call for call in calls if call["test"] not in ran]
                if kept:
                    functions.setdefault(path, {}).setdefault(name, []).extend(kept)
        for name, known in earlier["fixture_files"].items():
            _add_files(files, ((name, file) for file in known))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return  # none yet, or of another version: this run's own calls remain


def _bounded(functions: _Functions, files: dict[str, list[str]]) -> bytes:
    """The file's content, with fewer calls a function where it would become too large."""
    for most in _MOST_CALLS:
        kept = {
            path: {name: calls[:most] for name, calls in sorted(by_name.items())}
            for path, by_name in sorted(functions.items())
        }
        content = json.dumps({"version": VERSION, "functions": kept, "fixture_files": files}, separators=(",", ":"))
        if len(content) <= _LARGEST_BYTES:
            return content.encode("ascii")
    return json.dumps({"version": VERSION, "functions": {}, "fixture_files": {}}).encode("ascii")


def _write(target: Path, content: bytes, events: EventStream) -> None:
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        events.problem(
            f"The values that the tests used could not be kept: {error.strerror or error}.",
            "Make the folder writable or free some space, then run again.",
            str(target),
        )
