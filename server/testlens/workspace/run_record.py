"""What the last run of all tests was made on: every file that the tests may depend on, and what each test used.

It is kept beside the run's data. What depends on a file that is not in it was not there when the tests ran.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from testlens.analysis.fingerprints import blocks
from testlens.domain.snapshot import Snapshot
from testlens.runners.pytest_runner import RunResult
from testlens.sources.coverage_parse import decode
from testlens.sources.source_text import read_content
from testlens.workspace.store import FOLDER

_FILE = f"{FOLDER}/record.json"
_FORMAT = 2
_AT_THE_END = (0, 1)  # pytest's exit codes: all passed, some failed
_INCOMPLETE = "The coverage of this run is incomplete"
_EDITED_SINCE = "edited while the tests ran"
_LEFT_OUT = frozenset({"node_modules", "mutants", "build", "dist", "site-packages", "__pycache__", "venv", "env"})
_CONFIGURATION = frozenset(
    {"pyproject.toml", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini", "setup.cfg"}
)
_LOCKS = frozenset(
    {"uv.lock", "poetry.lock", "pdm.lock", "pixi.lock", "conda-lock.yml", "environment.yml", "Pipfile", "Pipfile.lock"}
)
# Options that choose tests, or end a run early; whatever else is no option may choose as well.
_WITH_VALUE = frozenset({"-p", "-o", "-W", "-n", "-r"})
_SELECTING = re.compile(
    r"-[kmx]|--(?:lf|ff|nf|sw|last-|failed-|new-|stepwise|deselect|ignore|maxfail|exitfirst|collect|co)"
    r"|(?:testpaths|python_\w+|addopts|norecursedirs)="
)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a run was made on; all paths are POSIX and relative to the workspace folder.

    `python` is the interpreter, and `packages` identifies what is installed there. `files` has what identifies the
    content of each Python file, configuration and lock file, `measured` that of the text of each file whose lines were
    measured, and `prints` the fingerprints of the blocks of each other Python file, and of each with tests. `opened`
    has what identifies each file or folder that tests opened, with those tests; `shared` those that are every test's
    business. `starting` are the tests that started processes, and `importing` those that were the first to import some
    module of the project; `starts_shared` says that a fixture of several tests started one.
    """

    python: str
    packages: str
    files: Mapping[str, str]
    measured: Mapping[str, str]
    prints: Mapping[str, Mapping[str, str]]
    opened: Mapping[str, tuple[str, Sequence[str]]] = field(default_factory=dict)
    shared: Mapping[str, str] = field(default_factory=dict)
    starting: Sequence[str] = ()
    importing: Sequence[str] = ()
    starts_shared: bool = False


def tells_all(root: Path, result: RunResult) -> bool:
    """Whether a run was one of all tests of the folder, ran to its end, and measured all of it."""
    if result.exit_code not in _AT_THE_END or len(result.results) < result.total:
        return False
    if any(problem.message.startswith(_INCOMPLETE) for problem in result.problems):
        return False
    files = {test.nodeid.partition("::")[0] for test in result.results}
    # Node ids may be relative to another folder, where pytest found its configuration.
    return are_of_all_tests(result.request.pytest_args) and all((root / file).is_file() for file in files)


def are_of_all_tests(pytest_args: Sequence[str]) -> bool:
    """Whether a run with these arguments surely runs all tests to the end."""
    is_value = False
    for argument in pytest_args:
        if _SELECTING.match(argument) or not (is_value or argument.startswith("-")):
            return False
        is_value = argument in _WITH_VALUE
    return True


def record_run(root: Path, result: RunResult, snapshot: Snapshot) -> RunRecord:
    """The record of a run of all tests that has led to `snapshot`."""
    results, began, python = result.results, result.began, result.request.python
    measured = {path: report.text_digest for path, report in snapshot.files.items() if report.anchored}
    test_files = {test.nodeid.partition("::")[0] for test in results}
    # Those that ran count wherever they lie.
    paths = {*files_of_interest(root), *snapshot.files, *test_files}
    files = {path: _identity_then(root, path, began) for path in sorted(paths)}
    opened: dict[str, list[str]] = {}
    for test in results:
        for path in test.uses.opened:
            opened.setdefault(path, []).append(test.nodeid)
    unedited = (path for path, identified in files.items() if identified != _EDITED_SINCE)
    printed = [path for path in unedited if path not in measured or path in test_files]
    shared = frozenset[str]().union(*(test.uses.shared for test in results))
    return RunRecord(
        python=python,
        packages=packages_of(python),
        files=files,
        measured=measured,
        prints={path: prints for path in printed if (prints := prints_of(root, path))},
        opened={path: (_identity_then(root, path, began), tests) for path, tests in opened.items()},
        shared={path: _identity_then(root, path, began) for path in shared},
        starting=[test.nodeid for test in results if test.uses.starts],
        importing=[test.nodeid for test in results if test.uses.imports],
        starts_shared=any(test.uses.starts_shared for test in results),
    )


def keep_record(root: Path, record: RunRecord | None) -> None:
    """Keep it in the place of the last one. Where there is none the next question is answered with everything."""
    place = root / _FILE
    with contextlib.suppress(OSError):
        place.unlink(missing_ok=True)
        if record is not None:
            place.write_text(json.dumps({"format": _FORMAT, **asdict(record)}), encoding="utf-8")


def load_record(root: Path) -> RunRecord | None:
    """The record of the last run of all tests, if there is one."""
    try:
        fields = json.loads((root / _FILE).read_text(encoding="utf-8"))
        return RunRecord(**fields) if fields.pop("format") == _FORMAT else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def files_of_interest(root: Path) -> Iterator[str]:
    """The Python files, configuration and lock files of a project, as relative POSIX paths."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _LEFT_OUT)
        for name in sorted(names):
            path = Path(folder, name).relative_to(root)
            if name.endswith(".py") or (len(path.parts) == 1 and name in _CONFIGURATION) or _is_lock(path):
                yield path.as_posix()


def is_configuration(path: str) -> bool:
    """Whether it is a configuration or lock file."""
    return not path.endswith(".py")


def identity(root: Path, path: str) -> str:
    """What identifies the content of a file, or of a folder, whose path ends in a slash: the names in it.

    It is "" for what is not there.
    """
    place = root / path
    try:
        content = "\0".join(_listing(place)).encode("utf-8", "surrogateescape") if path.endswith("/") else None
    except OSError:
        return ""
    if content is None:
        content = read_content(place)
    if content is not None:
        return hashlib.sha256(content).hexdigest()
    try:
        state = place.stat()  # too large to be read
    except OSError:
        return ""
    return f"{state.st_size} {state.st_mtime_ns}"


def prints_of(root: Path, path: str) -> Mapping[str, str]:
    """The fingerprints of the blocks of a Python file by name; none where it cannot be parsed."""
    content = read_content(root / path) if path.endswith(".py") else None
    try:
        found = {} if content is None else blocks(decode(content))
    except (SyntaxError, ValueError, RecursionError):
        return {}
    return {name: f"{block.kind} {block.fingerprint}" for name, block in found.items()}


def packages_of(python: str) -> str:
    """Identifies the distributions that are installed beside an interpreter; "" where they are not found."""
    folder = Path(python).parent.parent
    places = [*folder.glob("lib/python3*/*-packages"), *folder.glob("[Ll]ib/site-packages")]
    names = sorted({entry.name for place in places for entry in place.glob("*-info")})
    return hashlib.sha256("\0".join(names).encode()).hexdigest() if names else ""


def _listing(folder: Path) -> list[str]:
    names = [entry.name for entry in folder.iterdir()]
    return sorted(name for name in names if not name.startswith(".") and name != "__pycache__")


def _identity_then(root: Path, path: str, began: float) -> str:
    """As `identity`, at the time when the tests ran; what was edited meanwhile is identified with nothing."""
    try:
        is_edited = not path.endswith("/") and (root / path).stat().st_mtime >= began
    except OSError:
        return ""
    return _EDITED_SINCE if is_edited else identity(root, path)


def _is_lock(path: Path) -> bool:
    return path.name in _LOCKS or (path.name.startswith("requirements") and path.suffix in (".txt", ".in"))
