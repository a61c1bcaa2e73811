"""Reads lcov tracefiles (`coverage lcov`, and other tools' `lcov.info`)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from testlens.domain.coverage import FileCoverage
from testlens.domain.problems import Problem
from testlens.sources.branch_ends import End, complete_counts, file_coverage

Problems = tuple[Problem, ...]

_MAKE_IT_AGAIN = "Make the report again, for example with `coverage lcov`."
_MAXIMUM_PROBLEMS = 20
_JUMP = re.compile(r"jump to line (\d+)")
_FUNCTION_EXIT = re.compile(r"(?:return|except) from function '(.+)'")


def read(path: Path) -> tuple[Mapping[str, FileCoverage], Problems]:
    """The coverage of each file in the report, by the name it has there. Lines that make no sense are left out."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        message = f"The report cannot be opened: {error.strerror}."
        return {}, (Problem(message, "Check its name and permissions.", str(path), severity="error"),)
    reader = _Reader(path)
    for number, line in enumerate(text.split("\n"), 1):
        reader.read_line(number, line.rstrip("\r"))
    return reader.finish()


@dataclass(slots=True)
class _Function:
    name: str
    first: int
    last: int


@dataclass(slots=True)
class _File:
    """One source file; several records of it (one a test, in some tools) add up."""

    hits: dict[int, int] = field(default_factory=dict)
    functions: list[_Function] = field(default_factory=list)
    # (line, block, branch, how many of the same came before in this record) -> taken?
    branches: dict[tuple[int, str, str, int], bool] = field(default_factory=dict)
    total_branches: int | None = None

    def coverage(self, *, measured_branches: bool) -> FileCoverage:
        """The verdict, once all records are read."""
        missing_ends: dict[int, list[End]] = {}
        known: Counter[int] = Counter()
        for (line, _, branch, _), taken in self.branches.items():
            end = self._end(line, branch)
            if end is not None and end > 0 and end not in self.hits:
                # coverage.py lists a way to an excluded line where it was taken, but does not count it.
                continue
            known[line] += 1
            if not taken:
                missing_ends.setdefault(line, []).append(end)
        missing = [line for line, hits in self.hits.items() if hits == 0]
        counts = complete_counts(known, self.total_branches, self.hits, missing)
        return file_coverage(self.hits, counts, missing_ends, measured_branches=measured_branches)

    def _end(self, line: int, branch: str) -> End:
        """The destination that coverage.py's name of a branch tells; other tools number them: unknown."""
        jump = _JUMP.fullmatch(branch)
        if jump:
            return int(jump[1])
        if branch == "exit the module":
            return -1
        if branch.isdecimal():
            return None
        return self._exit(line, branch)

    def _exit(self, line: int, branch: str) -> int:
        # A code object is numbered by its first line, which FN gives for functions, save for their decorators.
        name = _FUNCTION_EXIT.fullmatch(branch)
        around = [
            function.first
            for function in self.functions
            if function.first <= line <= function.last and (name is None or _last_name(function.name) == name[1])
        ]
        return -max(around, default=line)


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: dict[str, _File] = {}
        self._file: _File | None = None
        self._seen: Counter[tuple[int, str, str]] = Counter()
        self._problems: list[Problem] = []
        self._has_branches = False
        self._records: dict[str, Callable[[_File, str], None]] = {
            "DA": self._line,
            "BRDA": self._branch,
            "BRF": self._branches_found,
            "FN": self._function,
        }

    def read_line(self, number: int, text: str) -> None:
        """Take in one line of the report; `number` is 1-based."""
        if text.startswith("SF:"):
            self._file = self._files.setdefault(text[3:].strip(), _File())
            self._seen.clear()
            return
        if text == "end_of_record":
            self._file = None
            return
        record, colon, value = text.partition(":")
        take = self._records.get(record)
        if take is None or not colon:
            return
        if self._file is None:
            self._complain(number, f"{record} stands outside of any source file (SF) and was left out.")
            return
        try:
            take(self._file, value)
        except ValueError as error:
            self._complain(number, f"`{text[:60]}` was left out: {error}.")

    def finish(self) -> tuple[Mapping[str, FileCoverage], Problems]:
        """All files, once every line is read."""
        if not self._files:
            message = "The report names no source files (SF)."
            return {}, (Problem(message, _MAKE_IT_AGAIN, str(self._path), severity="error"), *self._problems)
        if self._file is not None:
            message = "The report ends within a record: it is truncated, and its last file may lack lines."
            self._problems.append(Problem(message, _MAKE_IT_AGAIN, str(self._path)))
        files = {
            name: file.coverage(measured_branches=self._has_branches) for name, file in self._files.items() if name
        }
        return files, tuple(self._problems)

    def _line(self, file: _File, value: str) -> None:
        line, hits = value.split(",")[:2]
        number = _line_number(line)
        file.hits[number] = file.hits.get(number, 0) + _count(hits)

    def _branch(self, file: _File, value: str) -> None:
        line, block, rest = value.split(",", 2)
        # coverage.py's names of branches may contain commas.
        branch, taken = rest.rsplit(",", 1)
        self._has_branches = True
        key = (_line_number(line), block, branch)
        occurrence = (*key, self._seen[key])
        self._seen[key] += 1
        ran = taken != "-" and _count(taken) > 0
        file.branches[occurrence] = ran or file.branches.get(occurrence, False)

    def _branches_found(self, file: _File, value: str) -> None:
        self._has_branches = True
        file.total_branches = max(_count(value), file.total_branches or 0)

    def _function(self, file: _File, value: str) -> None:
        # FN:first,last,name, or FN:first,name as older versions have it.
        first, rest = value.split(",", 1)
        last, comma, name = rest.partition(",")
        if not comma or not last.isdecimal():
            return
        file.functions.append(_Function(name.partition("@")[0], _line_number(first), _line_number(last)))

    def _complain(self, number: int, message: str) -> None:
        if len(self._problems) < _MAXIMUM_PROBLEMS:
            self._problems.append(Problem(message, _MAKE_IT_AGAIN, str(self._path), number))


def _line_number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(f"{number} is no line number")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(f"{number} is no count")
    return number


def _last_name(name: str) -> str:
    return name.rpartition(".")[2]
