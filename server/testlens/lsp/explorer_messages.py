"""What server and client tell each other for a test explorer and its view of coverage (docs/lsp-extensions.md)."""

from __future__ import annotations

from typing import TypedDict

import attrs


@attrs.frozen
class PlacedTest:
    """A test by node id and where it is defined: `lines` (0-based) has one for each class and function in the id.

    `uri` is None where its file is not known, and a line where it is not defined in that file.
    """

    id: str
    uri: str | None
    lines: list[int | None]


@attrs.frozen
class TestReport:
    """What came of a test. `uri` and `line` (0-based) are where it failed, None where that is not known.

    `expected` and `actual` are the two sides of the comparison that did not hold, if it failed on one.
    """

    __test__ = False

    id: str
    outcome: str
    seconds: float
    message: str
    expected: str | None
    actual: str | None
    uri: str | None
    line: int | None


@attrs.frozen
class TestsParams:
    """What is newly known of a folder's tests; with `reset` nothing that was known before holds."""

    __test__ = False

    folder: str
    reset: bool
    tests: list[PlacedTest]
    gone: list[str]
    reports: list[TestReport]


@attrs.frozen
class TestRunParams:
    """How a test run gets on; `details` are pytest's words on tests that failed, by node id."""

    __test__ = False

    folder: str
    job: str
    continuous: bool
    started: list[PlacedTest]
    finished: list[TestReport]
    details: dict[str, str]
    ended: bool


class DebugTargetResult(TypedDict):
    """The interpreter and the arguments for pytest; without one `note` says why, unless the user was told."""

    python: str | None
    args: list[str]
    note: str


class FindTestsResult(TypedDict):
    """How many tests pytest found; `note` says what went wrong, if anything did."""

    found: int
    note: str


class CoveredFile(TypedDict):
    """Counts of a file as `[covered, total]`; `tests` are flat ranges of places in the list of tests."""

    uri: str
    statements: list[int]
    branches: list[int]
    tests: list[int]


class CoverageResult(TypedDict):
    """The coverage of a folder, and the tests (node ids) that the files speak of."""

    percent: float | None
    tests: list[str]
    files: list[CoveredFile]


@attrs.frozen
class FileCoverageParams:
    """A file, and a test (node id) if only what that ran is asked for."""

    uri: str
    test: str | None = None


class BranchDetail(TypedDict):
    """One way out of a line by its name."""

    name: str
    taken: bool


class StatementDetail(TypedDict):
    """A statement; `range` is `[line, character, line, character]`, 0-based, the end exclusive."""

    range: list[int]
    ran: bool
    branches: list[BranchDetail]


class FunctionDetail(TypedDict):
    """A function and whether it was called; `range` as above."""

    name: str
    range: list[int]
    ran: bool


class FileCoverageResult(TypedDict):
    """A file statement by statement, as it is now."""

    statements: list[StatementDetail]
    functions: list[FunctionDetail]
