"""Reads and writes a baseline: TOML with one line for each fact, in the order of paths, so that git merges it.

Apart from an update nothing writes it. Counts are exact, and percentages follow from them.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from testlens.domain.baseline import Baseline, HeldFile, MutantCounts
from testlens.domain.coverage import Numbers
from testlens.domain.problems import Problem

FILE_NAME = "testlens-baseline.toml"
"""Where a project keeps its baseline, to be committed."""
VERSION = 1

_HEAD = f"""\
# What the tests proved at best, raised by `testlens baseline --update` and lowered by nothing. Commit it.
# [statements, missing, branches, missing branches] of each file, [missing, missing branches] of each function that
# misses anything, [noticed, checked] mutants.
version = {VERSION}
"""
_CONFLICT = re.compile(r"^(<{7} |={7}$|>{7} |\|{7} )", re.MULTILINE)
_LINE = re.compile(r"at line (\d+)")
_ANEW = "Delete it and run `testlens baseline --update`, which writes what the tests prove now."


def read_baseline(file: Path) -> Baseline | Problem:
    """The baseline in `file`; a Problem where there is none or it cannot be used."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        advice = "Run `testlens baseline --update` and commit what it writes, or name another with --baseline FILE."
        return _problem(file, "There is no baseline.", advice)
    except UnicodeDecodeError as error:
        return _problem(file, f"It is no baseline: it is not UTF-8 (byte {error.start}).", _ANEW)
    except OSError as error:
        return _problem(file, f"The baseline cannot be read: {error.strerror}.", "Check its name and permissions.")
    conflict = _CONFLICT.search(text)
    if conflict is not None:
        advice = (
            f"Take one side whole (`git checkout --ours {file.name}`, or --theirs), then run "
            "`testlens baseline --update`, which raises it to what the merged code has."
        )
        return _problem(file, "There is a merge conflict in the baseline.", advice, _line_at(text, conflict.start()))
    return _parsed(file, text)


def baseline_text(baseline: Baseline) -> str:
    """The file of a baseline: equal baselines give equal bytes."""
    return "".join(part for part in (_HEAD, *_sections(baseline)))


def _sections(baseline: Baseline) -> Iterator[str]:
    for path in sorted(baseline.files):
        held = baseline.files[path]
        counts = [held.numbers.statements, held.numbers.missing, held.numbers.branches, held.numbers.missing_branches]
        yield f"\n[{_quoted(path)}]\ncounts = {counts}\n"
        if held.mutants is not None:
            yield f"mutants = {[held.mutants.noticed, held.mutants.checked]}\n"
        if held.functions:
            yield f"[{_quoted(path)}.missing]\n"
        for name in sorted(held.functions):
            missing = held.functions[name]
            yield f"{_quoted(name)} = {[missing.missing, missing.missing_branches]}\n"


def _quoted(text: str) -> str:
    # A basic string of TOML has JSON's escapes, but no pairs of surrogates for what lies beyond the first plane.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _parsed(file: Path, text: str) -> Baseline | Problem:
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = _LINE.search(str(error))
        advice = f"Correct that line; a file must not be there twice after a merge. Or begin anew: {_ANEW}"
        message = f"The baseline is not valid TOML: {error}."
        return _problem(file, message, advice, int(place[1]) if place else None)
    version = document.pop("version", None)
    if version != VERSION:
        return _other_version(file, version)
    files: dict[str, HeldFile] = {}
    for path, table in document.items():
        held = _held(table)
        if held is None:
            line = next((number for number, one in enumerate(text.splitlines(), 1) if _quoted(path) in one), None)
            return _problem(file, f"The baseline has counts of {path} that cannot be.", _ANEW, line)
        files[path] = held
    return Baseline(files)


def _other_version(file: Path, version: object) -> Problem:
    if version is None:
        return _problem(file, "This is no baseline: it has no `version`.", f"Name another file. {_ANEW}")
    advice = f"Use the Testlens that wrote it, or a newer one. Or begin anew: {_ANEW}"
    return _problem(file, f"The baseline is of version {version}, and this Testlens knows {VERSION}.", advice)


def _held(table: Any) -> HeldFile | None:
    """One file of the document; None where its values make no sense."""
    if not isinstance(table, dict):
        return None
    missing = table.get("missing", {})
    if not isinstance(missing, dict):
        return None
    counts, mutants = _counts(table.get("counts"), 4), _counts(table.get("mutants", [0, 0]), 2)
    functions = {name: _counts(value, 2) for name, value in missing.items()}
    if not (counts and mutants and all(functions.values())):
        return None
    numbers, checked = Numbers(*counts), MutantCounts(*mutants)
    if numbers.missing > numbers.statements or numbers.missing_branches > numbers.branches:
        return None
    if checked.noticed > checked.checked:
        return None
    held = {name: Numbers(missing=both[0], missing_branches=both[1]) for name, both in functions.items() if both}
    return HeldFile(numbers, held, checked if checked.checked else None)


def _counts(value: object, length: int) -> list[int] | None:
    """`value` where it is a list of so many counts, None where it is anything else."""
    if not isinstance(value, list) or len(value) != length:
        return None
    return value if all(type(number) is int and number >= 0 for number in value) else None


def _line_at(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _problem(file: Path, message: str, advice: str, line: int | None = None) -> Problem:
    return Problem(message, advice, str(file), line, severity="error")
