"""What the last run of all tests was made on: every file that the tests may depend on, and what each test used.

It is kept beside the run's data. What depends on a file that is not in it was not there when the tests ran.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from testlens.analysis.fingerprints import blocks
from testlens.domain.snapshot import Snapshot
from testlens.runners.interpreter import packages_of
from testlens.runners.run_log import RunResult
from testlens.sources.coverage_parse import decode
from testlens.sources.digests import Digests
from testlens.sources.source_text import read_content
from testlens.workspace.store import FOLDER

_FILE = f"{FOLDER}/record.json"
_FORMAT = 4
AT_THE_END = (0, 1)
"""pytest's exit codes where a run came to its end: all passed, some failed."""
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


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


_DIGESTS = Digests(_sha256)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a run was made on; all paths are POSIX and relative to the workspace folder.

    `python` is the interpreter, and `packages` identifies what is installed there. `files` has what identifies the
    content of each Python file, configuration and lock file, `measured` that of the text of each file whose lines were
    measured, and `prints` the fingerprints of the blocks of each other Python file, and of each with tests. `opened`
    has what identifies each file or folder that tests opened, with those tests; `shared` those that are every test's
    business. `starting` are the tests that started processes, and `importing` has the modules of the project that tests
    were the first to import ("" where the name is not known); `starts_shared` says that a fixture of several tests
    started one. `libraries` are the modules of others that the run imported, in this order, each with whether pytest
    rewrote its assertions.
    """

    python: str
    packages: str
    files: Mapping[str, str]
    measured: Mapping[str, str]
    prints: Mapping[str, Mapping[str, str]]
    opened: Mapping[str, tuple[str, Sequence[str]]] = field(default_factory=dict)
    shared: Mapping[str, str] = field(default_factory=dict)
    starting: Sequence[str] = ()
    importing: Mapping[str, Sequence[str]] = field(default_factory=dict)
    starts_shared: bool = False
    libraries: Sequence[tuple[str, bool]] = ()


def tells_all(root: Path, result: RunResult) -> bool:
    """Whether a run was one of all tests of the folder, ran to its end, and measured all of it."""
    if result.exit_code not in AT_THE_END or len(result.results) < result.total:
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


def record_run(
    root: Path, result: RunResult, snapshot: Snapshot, seen: Mapping[str, str], before: RunRecord | None = None
) -> RunRecord:
    """The record of a run of all tests that has led to `snapshot`.

    `seen` has what identified files before it: those that are the same now were not edited, whoever has touched them.
    `before` is an older record, which knows the blocks of files that are the same still.
    """
    results, began, python = result.results, result.began, result.request.python
    measured = {path: report.text_digest for path, report in snapshot.files.items() if report.anchored}
    test_files = {test.partition("::")[0] for test in snapshot.outcomes}
    opened: dict[str, list[str]] = {}
    for test in results:
        for path in test.uses.opened:
            opened.setdefault(path, []).append(test.nodeid)
    # Those that ran count wherever they lie; of templates that were compiled it is known who opened them.
    ran = (path for path in snapshot.files if path.endswith(".py") or path not in opened)
    paths = {*files_of_interest(root), *ran, *test_files}
    files = {path: _identity_then(root, path, began, seen) for path in sorted(paths)}
    unedited = (path for path, identified in files.items() if identified != _EDITED_SINCE)
    printed = [path for path in unedited if path not in measured or path in test_files]
    shared = frozenset[str]().union(*(test.uses.shared for test in results))
    return RunRecord(
        python=python,
        packages=packages_of(python),
        files=files,
        measured=measured,
        prints={path: prints for path in printed if (prints := _prints(root, path, files[path], before))},
        opened={path: (_identity_then(root, path, began, seen), tests) for path, tests in opened.items()},
        shared={path: _identity_then(root, path, began, seen) for path in shared},
        starting=[test.nodeid for test in results if test.uses.starts],
        importing={test.nodeid: sorted(test.uses.imports) for test in results if test.uses.imports},
        starts_shared=any(test.uses.starts_shared for test in results),
        libraries=result.libraries,
    )


def with_some_tests(before: RunRecord, now: RunRecord, tests: Collection[str]) -> RunRecord:
    """The record after a run of some `tests` whose own record is `now`; of all others what was known before holds."""
    opened = dict(now.opened)
    for path, (identified, users) in before.opened.items():
        others = [test for test in users if test not in tests]
        if others:
            opened[path] = (identified, [*others, *opened.get(path, ("", ()))[1]])
    return replace(
        now,
        opened=opened,
        shared={**before.shared, **now.shared},
        starting=[*(test for test in before.starting if test not in tests), *now.starting],
        importing={**{test: of for test, of in before.importing.items() if test not in tests}, **now.importing},
        starts_shared=before.starts_shared or now.starts_shared,
        libraries=before.libraries,
    )


def identities(root: Path) -> Mapping[str, str]:
    """What identifies each file of interest now."""
    return {path: identity(root, path) for path in files_of_interest(root)}


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
    # By text and not by Path: every round asks for them a few times.
    top = os.fspath(root)
    for folder, names in _walk(root):
        inside = folder[len(top) :].strip(os.sep).replace(os.sep, "/")
        for name in sorted(names):
            if name.endswith(".py") or (not inside and name in _CONFIGURATION) or _is_lock(name):
                yield f"{inside}/{name}" if inside else name


def folders_of_interest(root: Path) -> Iterator[Path]:
    """The folders in which such files may lie."""
    return (Path(folder) for folder, _ in _walk(root))


def _walk(root: Path) -> Iterator[tuple[str, list[str]]]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _LEFT_OUT)
        yield folder, names


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
    found = _DIGESTS.of(place) if content is None else _sha256(content)
    if found is not None:
        return found
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
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    return {name: f"{block.kind} {block.fingerprint}" for name, block in found.items()}


def _prints(root: Path, path: str, identified: str, before: RunRecord | None) -> Mapping[str, str]:
    if before is not None and path in before.prints and before.files.get(path) == identified:
        return before.prints[path]
    return prints_of(root, path)


def _listing(folder: Path) -> list[str]:
    names = [entry.name for entry in folder.iterdir()]
    return sorted(name for name in names if not name.startswith(".") and name != "__pycache__")


def _identity_then(root: Path, path: str, began: float, seen: Mapping[str, str]) -> str:
    """As `identity`, at the time when the tests ran; what was edited meanwhile is identified with nothing.

    A file that was `seen` before tells that by itself, others by when they were written.
    """
    identified = identity(root, path)
    if path in seen:
        return identified if seen[path] == identified else _EDITED_SINCE
    try:
        is_written = not path.endswith("/") and (root / path).stat().st_mtime >= began
    except OSError:
        return ""
    return _EDITED_SINCE if is_written else identified


def _is_lock(name: str) -> bool:
    return name in _LOCKS or (name.startswith("requirements") and name.endswith((".txt", ".in")))
