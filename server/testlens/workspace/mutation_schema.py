"""All that is known of mutants, after the mutation-testing-report-schema (2.0): for programs, and for its viewer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from testlens import __version__
from testlens.domain.mutants import Mutant, MutantStatus
from testlens.workspace.known_mutants import MutatedFile

_STATUSES: Mapping[MutantStatus, str] = {
    "killed": "Killed",
    "survived": "Survived",
    "timeout": "Timeout",
    "no tests": "NoCoverage",
    "suspicious": "RuntimeError",
    "skipped": "Ignored",
    "not checked": "Pending",
}
_THRESHOLDS = {"high": 80, "low": 60}


def mutation_schema(files: Iterable[MutatedFile]) -> dict[str, Any]:
    """The document as JSON values; every text that spans refer to is in it."""
    found = list(files)
    tests = sorted({test for file in found for mutant in file.mutants.mutants for test in _tests(mutant)})
    return {
        "schemaVersion": "2.0",
        "thresholds": _THRESHOLDS,
        "files": {file.mutants.path: _file(file) for file in found},
        "testFiles": _test_files(tests),
        "framework": {"name": "Testlens", "version": __version__},
    }


def _file(file: MutatedFile) -> dict[str, Any]:
    lines = file.text.split("\n")
    return {
        "language": "python",
        "source": file.text,
        "mutants": [_mutant(mutant, lines) for mutant in file.mutants.mutants],
    }


def _mutant(mutant: Mutant, lines: Sequence[str]) -> dict[str, Any]:
    span = mutant.span
    entry: dict[str, Any] = {
        "id": mutant.name,
        "mutatorName": mutant.function,
        "replacement": mutant.replacement,
        "status": _STATUSES[mutant.status],
        "location": {
            "start": _position(lines, span.first_line, span.first_column),
            "end": _position(lines, span.last_line, span.last_column),
        },
        "coveredBy": list(mutant.tests),
    }
    if mutant.killed_by is not None:
        entry["killedBy"] = [mutant.killed_by]
    if mutant.seconds is not None:
        entry["duration"] = mutant.seconds * 1000
    return entry


def _position(lines: Sequence[str], line: int, column: int) -> dict[str, int]:
    """1-based, the column in UTF-16 units: readers of this format are written in JavaScript."""
    before = lines[line - 1][:column]
    return {"line": line, "column": 1 + len(before) + sum(character > "\uffff" for character in before)}


def _test_files(tests: Iterable[str]) -> dict[str, Any]:
    files: dict[str, Any] = {}
    for test in tests:
        file, _, name = test.partition("::")
        files.setdefault(file, {"tests": []})["tests"].append({"id": test, "name": name or test})
    return files


def _tests(mutant: Mutant) -> tuple[str, ...]:
    return mutant.tests if mutant.killed_by is None else (*mutant.tests, mutant.killed_by)
