"""Reads the report of `coverage json` (formats 1 to 3)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from testlens.domain.coverage import Arc, FileCoverage
from testlens.domain.problems import Problem
from testlens.sources.branch_ends import complete_counts, file_coverage

Problems = tuple[Problem, ...]

_MAKE_IT_AGAIN = "Make the report again with `coverage json`."


def read(path: Path) -> tuple[Mapping[str, FileCoverage], Problems]:
    """The coverage of each file in the report, by the name it has there. Totals equal the report's own."""
    try:
        report = json.loads(path.read_bytes())
    except OSError as error:
        message = f"The report cannot be opened: {error.strerror}."
        return {}, (Problem(message, "Check its name and permissions.", str(path), severity="error"),)
    except json.JSONDecodeError as error:
        return {}, (_unusable(path, f"It is not complete JSON ({error.msg})", error.lineno),)
    except (UnicodeDecodeError, RecursionError, ValueError):
        return {}, (_unusable(path, "It is not JSON"),)
    files = report.get("files") if isinstance(report, dict) else None
    if not isinstance(files, dict):
        return {}, (_unusable(path, "It has no table `files` as coverage.py's reports do"),)
    return _read_files(path, files)


def _read_files(path: Path, files: Mapping[str, Any]) -> tuple[Mapping[str, FileCoverage], Problems]:
    found: dict[str, FileCoverage] = {}
    problems: list[Problem] = []
    for name, entry in files.items():
        try:
            found[name] = _read_file(entry)
        except (KeyError, TypeError, ValueError) as error:
            message = f"The entry of {name} is not as coverage.py writes it ({error!r}): the file is left out."
            problems.append(Problem(message, _MAKE_IT_AGAIN, str(path)))
    return found, tuple(problems)


def _read_file(entry: Mapping[str, Any]) -> FileCoverage:
    executed, missing = _lines(entry["executed_lines"]), _lines(entry["missing_lines"])
    excluded = _lines(entry.get("excluded_lines", ()))
    hits = dict.fromkeys(executed, 1) | dict.fromkeys(missing, 0)
    if "missing_branches" not in entry:
        return file_coverage(hits, {}, {}, excluded=excluded, measured_branches=False)
    missing_arcs = _arcs(entry["missing_branches"])
    # A way to an excluded line is listed where it was taken, but is not counted.
    known = Counter(start for start, end in _arcs(entry["executed_branches"]) + missing_arcs if end not in excluded)
    missing_ends: dict[int, list[int | None]] = {}
    for start, end in missing_arcs:
        missing_ends.setdefault(start, []).append(end)
    counts = complete_counts(known, _number(entry["summary"]["num_branches"]), hits, missing)
    return file_coverage(hits, counts, missing_ends, excluded=excluded, measured_branches=True)


def _lines(values: object) -> frozenset[int]:
    if not isinstance(values, (list, tuple)):
        raise TypeError("lines are not a list")
    lines = frozenset(_number(value) for value in values)
    if lines and min(lines) < 1:
        raise ValueError(f"line {min(lines)}")
    return lines


def _arcs(values: object) -> list[Arc]:
    if not isinstance(values, list):
        raise TypeError("branches are not a list")
    return [(_number(start), _number(end)) for start, end in values]


def _number(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is not a whole number")
    return value


def _unusable(path: Path, reason: str, line: int | None = None) -> Problem:
    return Problem(f"{reason}.", _MAKE_IT_AGAIN, str(path), line, severity="error")
