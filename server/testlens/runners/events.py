"""What the agent reports of a test run, as typed values."""

from __future__ import annotations

import json
import os
from array import array
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from testlens.domain.coverage import Arc
from testlens.domain.problems import Problem, Severity

Outcome = Literal["passed", "failed", "skipped", "error", "xfailed", "xpassed"]

_ROOT = "./"
_OUTCOMES = frozenset(get_args(Outcome))


@dataclass(frozen=True, slots=True)
class Hello:
    """The agent is there. Versions are None where the package is missing."""

    python: str
    executable: str
    platform: str
    pytest: str | None
    coverage: str | None


@dataclass(frozen=True, slots=True)
class ProcessStarted:
    """A process began to run tests; it leads the process group `pid`. A second one follows a crash."""

    pid: int


@dataclass(frozen=True, slots=True)
class Collected:
    """`total` tests are to run; their node ids are relative to `rootdir`, an absolute path.

    Where tests were chosen, `present` are all that were found in their files, run or not; else it is None.
    """

    total: int
    rootdir: str
    present: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Uses:
    """What a test used beside code: files that it opened, and folders that it listed, whose paths end in a slash.

    Paths are relative to the workspace folder (POSIX); only those inside are known. `shared` are those that were used
    since the test before ended for more than this test, at import or in a fixture that several tests share. `starts`
    says that it started a process, of which nothing more is known, `starts_shared` that such a fixture did. `imports`
    are the modules of the project that were first imported while it ran, "" for those of which the name is not known.
    """

    opened: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    starts: bool = False
    starts_shared: bool = False
    imports: frozenset[str] = frozenset()


UNKNOWN_USES = Uses(starts=True, imports=frozenset({""}))


@dataclass(frozen=True, slots=True)
class TestStarted:
    """A test begins. `file` is as in `TestFinished`, `line` the 1-based line of its definition."""

    __test__ = False  # no test class, whatever its name begins with

    nodeid: str
    file: str | None
    line: int | None


@dataclass(frozen=True, slots=True)
class TestFinished:
    """A test ended. `duration` is in seconds, setup and teardown included.

    `file` and the 1-based `line` are where it failed in the project's code, else where it is defined; `file` is
    relative to the workspace folder (POSIX) where it lies inside. `source` is the text of the line where it failed.
    `expected` and `actual` are the two sides of the comparison that did not hold, where it failed on one. A
    test that had to run again is reported again.
    """

    __test__ = False

    nodeid: str
    outcome: Outcome
    duration: float
    message: str | None = None
    file: str | None = None
    line: int | None = None
    source: str | None = None
    longrepr: str | None = None
    uses: Uses = UNKNOWN_USES
    expected: str | None = None
    actual: str | None = None


@dataclass(frozen=True, slots=True)
class RunProblem:
    """Something went wrong beside the tests; `missing` names packages that the interpreter lacks."""

    problem: Problem
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The run is over. `exit_code` is pytest's (0 all passed, 1 some failed, 5 no tests); times are in seconds."""

    exit_code: int
    seconds: float
    collection_seconds: float | None


@dataclass(frozen=True, slots=True)
class Measured:
    """The coverage data is there, all of it. It `is_early` where chosen tests have ended and pytest has not yet.

    `data_file` is absolute. `sources` has the SHA-256 of each measured file's bytes by absolute path; those of files
    that were written during the run, which may have run as they were before, are in `rewritten`. `arcs` are all in the
    data file of a run of chosen tests, by the names of files in it, where they are known without reading it.
    """

    is_early: bool
    data_file: Path
    sources: Mapping[str, str]
    rewritten: Mapping[str, str]
    arcs: Mapping[str, frozenset[Arc]] | None = None


@dataclass(frozen=True, slots=True)
class Libraries:
    """The modules of others that a run of all tests has imported, in this order; `True` for those pytest rewrote."""

    modules: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Warm:
    """A process that serves many runs has imported what it can, in so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Unable:
    """A process cannot serve many runs."""

    why: str


@dataclass(frozen=True, slots=True)
class Idle:
    """A process that serves many runs has ended one; `status` is how the process of that run ended, as of `wait`."""

    status: int


Event = (
    Hello
    | ProcessStarted
    | Collected
    | TestStarted
    | TestFinished
    | RunProblem
    | Measured
    | Done
    | Libraries
    | Warm
    | Unable
    | Idle
)


def parse_event(line: bytes, root: Path) -> Event | None:
    """One line of the agent's output as an event of a run in `root` (absolute, without links); None if it is none."""
    try:
        fields = json.loads(line)
        return _PARSERS[fields["event"]](fields, root)
    except (ValueError, KeyError, TypeError):
        return None


def _hello(fields: dict[str, Any], _root: Path) -> Hello:
    return Hello(fields["python"], fields["executable"], fields["platform"], fields["pytest"], fields["coverage"])


def _process(fields: dict[str, Any], _root: Path) -> ProcessStarted:
    return ProcessStarted(int(fields["pid"]))


def _collected(fields: dict[str, Any], _root: Path) -> Collected:
    present = fields.get("present")
    return Collected(int(fields["total"]), fields["rootdir"], None if present is None else frozenset(present))


def _started(fields: dict[str, Any], root: Path) -> TestStarted:
    return TestStarted(fields["nodeid"], _relative(fields["file"], root), fields["line"])


def _finished(fields: dict[str, Any], root: Path) -> TestFinished:
    outcome = fields["outcome"]
    if outcome not in _OUTCOMES:
        raise ValueError(outcome)
    return TestFinished(
        fields["nodeid"],
        outcome,
        float(fields["duration"]),
        fields["message"],
        _relative(fields["file"], root),
        fields["line"],
        fields.get("source"),
        fields["longrepr"],
        _uses(fields["uses"], root) if "uses" in fields else UNKNOWN_USES,
        fields.get("expected"),
        fields.get("actual"),
    )


def _uses(fields: dict[str, Any], root: Path) -> Uses:
    opened, shared = (
        frozenset(_relative(name, root) or _ROOT for name in fields[kind]) for kind in ("opened", "shared")
    )
    imports = frozenset(map(str, fields["imports"]))
    return Uses(opened, shared, bool(fields["starts"]), bool(fields["starts_shared"]), imports)


def _problem(fields: dict[str, Any], root: Path) -> RunProblem:
    missing = tuple(fields.get("missing", ()))
    severity: Severity = "error" if missing or fields.get("severity") == "error" else "warning"
    path = _relative(fields["path"], root)
    return RunProblem(Problem(fields["message"], fields["advice"], path, fields["line"], severity), missing)


def _done(fields: dict[str, Any], _root: Path) -> Done:
    return Done(int(fields["exit_code"]), float(fields["seconds"]), fields["collection_seconds"])


def _measured(fields: dict[str, Any], _root: Path) -> Measured:
    return Measured(
        bool(fields["is_early"]),
        Path(fields["data_file"]),
        dict(fields["sources"]),
        dict(fields["rewritten"]),
        _arcs(fields["arcs"]),
    )


def _arcs(fields: dict[str, str] | None) -> Mapping[str, frozenset[Arc]] | None:
    """From the two ends of all arcs of each file, one after the other, as 4 bytes each in base64."""
    if fields is None:
        return None
    ends = {name: array("i", b64decode(text)) for name, text in fields.items()}
    return {name: frozenset(zip(of_file[::2], of_file[1::2], strict=True)) for name, of_file in ends.items()}


def _libraries(fields: dict[str, Any], _root: Path) -> Libraries:
    return Libraries(tuple((str(name), bool(is_rewritten)) for name, is_rewritten in fields["modules"]))


def _relative(path: str | None, root: Path) -> str | None:
    # By text and not by Path: this runs twice a test, on the event loop. The agent sends absolute paths only.
    prefix = f"{root}{os.sep}"
    if path is None or not path.startswith(prefix):
        return path
    return path[len(prefix) :].replace(os.sep, "/")


_PARSERS: Mapping[str, Callable[[dict[str, Any], Path], Event]] = {
    "hello": _hello,
    "process": _process,
    "collected": _collected,
    "started": _started,
    "finished": _finished,
    "problem": _problem,
    "measured": _measured,
    "done": _done,
    "libraries": _libraries,
    "warm": lambda fields, _root: Warm(float(fields["seconds"])),
    "unable": lambda fields, _root: Unable(str(fields["why"])),
    "idle": lambda fields, _root: Idle(int(fields["status"])),
}
