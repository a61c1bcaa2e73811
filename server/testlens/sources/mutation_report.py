"""Reads mutation reports of other engines: JSON after the mutation-testing-report-schema, versions 1 and 2.

A report brings the text that it speaks of, so its places need no guess. Lines and columns are 1-based, columns count
UTF-16 units as in JavaScript, and the end is exclusive.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from testlens.domain.changed_text import text_in
from testlens.domain.mutants import Mutant, MutantStatus, Span
from testlens.domain.problems import Problem
from testlens.sources.coverage_parse import normalise

PLACES = (
    "reports/mutation/mutation.json",
    "reports/mutation-report.json",
    "mutation-report.json",
    "mutation.json",
    "build/mutation-report.json",
)
"""Where such reports customarily lie, relative to the workspace folder."""

LARGEST = 64 * 1024 * 1024
STATUSES: Mapping[str, MutantStatus] = {
    "Killed": "killed",
    "Survived": "survived",
    "NoCoverage": "no tests",
    "Timeout": "timeout",
    "CompileError": "suspicious",
    "RuntimeError": "suspicious",
    "Ignored": "skipped",
    "Pending": "not checked",
}
"""What the words of such reports mean."""


@dataclass(frozen=True, slots=True)
class ReportedFile:
    """What a report says of one file; `name` is as recorded, `text` what was mutated.

    The mutants have neither a function nor its digest: a report does not say them.
    """

    name: str
    text: str
    mutants: tuple[Mutant, ...]


def read_report(file: Path, shown: str) -> tuple[tuple[ReportedFile, ...], tuple[Problem, ...]]:
    """The Python files of a report; `shown` is its name in problems."""
    try:
        if file.stat().st_size > LARGEST:
            return (), (Problem("The report is too large to be read.", "Report on fewer files.", shown),)
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        return (), (Problem(f"It cannot be read: {error.strerror}.", "Check its permissions.", shown),)
    except (ValueError, RecursionError):
        advice = "It may be half-written: it is read again when it changes."
        return (), (Problem("It is not valid JSON.", advice, shown, severity="information"),)
    files = document.get("files") if isinstance(document, dict) else None
    if not isinstance(files, dict) or "schemaVersion" not in document:
        advice = "Give it another name, or have it written after the mutation-testing-report-schema."
        return (), (Problem("It is no mutation report.", advice, shown, severity="information"),)
    names = _test_names(document.get("testFiles"))
    found = tuple(_file(name, value, names) for name, value in files.items() if _is_python(name, value))
    unread = sum(len(value["mutants"]) for name, value in files.items() if _is_python(name, value)) - sum(
        len(one.mutants) for one in found
    )
    if not unread:
        return found, ()
    message = f"{unread} mutants have no place in their file, or no status that is known, and are left out."
    return found, (Problem(message, "Have the report written again.", shown, severity="information"),)


def reports_no_mutant(root: Path) -> bool:
    """Whether there are mutation reports below `root`, all of them whole, and none has a mutant."""
    reports = [read_report(root / place, place) for place in PLACES if (root / place).is_file()]
    return bool(reports) and all(
        not problems and not any(file.mutants for file in files) for files, problems in reports
    )


def _is_python(name: object, value: object) -> bool:
    if not (isinstance(name, str) and isinstance(value, dict)):
        return False
    has_parts = isinstance(value.get("source"), str) and isinstance(value.get("mutants"), list)
    return has_parts and PurePosixPath(name.replace("\\", "/")).suffix in (".py", ".pyi")


def _file(name: str, value: Mapping[str, Any], names: Mapping[str, str]) -> ReportedFile:
    text = normalise(value["source"])
    lines = text.split("\n")
    mutants = (_mutant(name, entry, lines, text, names) for entry in value["mutants"])
    return ReportedFile(name, text, tuple(mutant for mutant in mutants if mutant is not None))


def _mutant(path: str, entry: object, lines: Sequence[str], text: str, names: Mapping[str, str]) -> Mutant | None:
    if not isinstance(entry, dict):
        return None
    span = _span(entry.get("location"), lines)
    status = STATUSES.get(str(entry.get("status")))
    if span is None or status is None:
        return None
    tests = tuple(_named(entry.get("coveredBy"), names))
    killers = tuple(_named(entry.get("killedBy"), names))
    replacement = entry.get("replacement")
    duration = entry.get("duration")
    return Mutant(
        str(entry.get("id", "")),
        path,
        "",
        "",
        span,
        text_in(text, span),
        normalise(replacement).removesuffix("\n") if isinstance(replacement, str) else str(entry.get("mutatorName")),
        status,
        tests or killers,
        next(iter(killers), None),
        duration / 1000 if isinstance(duration, (int, float)) else None,
    )


def _span(location: Any, lines: Sequence[str]) -> Span | None:
    """The place in the text; None where the text has no such place."""
    try:
        start, end = location["start"], location["end"]
        first, last = int(start["line"]), int(end["line"])
        first_column = _characters(lines[first - 1], int(start["column"]) - 1)
        last_column = _characters(lines[last - 1], int(end["column"]) - 1)
    except (TypeError, KeyError, ValueError, IndexError):
        return None
    if first < 1 or first_column is None or last_column is None or (last, last_column) < (first, first_column):
        return None
    return Span(first, first_column, last, last_column)


def _characters(line: str, units: int) -> int | None:
    """A column in characters from one in UTF-16 units; None where the line is shorter."""
    if units < 0:
        return None
    if line.isascii():
        return units if units <= len(line) else None
    encoded = line.encode("utf-16-le", "surrogatepass")
    if 2 * units > len(encoded):
        return None
    return len(encoded[: 2 * units].decode("utf-16-le", "replace"))


def _test_names(files: object) -> Mapping[str, str]:
    """The names of the tests by the ids that mutants have for them."""
    names: dict[str, str] = {}
    for path, file in files.items() if isinstance(files, dict) else ():
        tests = file.get("tests") if isinstance(file, dict) else None
        for test in tests if isinstance(tests, list) else ():
            if isinstance(test, dict):
                own, name = str(test.get("id")), str(test.get("name"))
                # An id that is a node id, as in Testlens' own reports, says more than the name.
                names[own] = own if own == f"{path}::{name}" else name
    return names


def _named(ids: object, names: Mapping[str, str]) -> Iterator[str]:
    for one in ids if isinstance(ids, list) else ():
        yield names.get(str(one), str(one))
