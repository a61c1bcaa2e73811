"""Finds the project's Python interpreter, and what it lacks to run the tests."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from testlens.domain.problems import Problem
from testlens.runners.process import Completed, run_text

OLDEST = (3, 9)
REQUIRED = ("pytest", "coverage")

_ADVICE = "Create a virtual environment named .venv in the folder, or name another: --python, or testlens.python."
# The first entry of sys.path is our working folder, where a folder named `coverage` would look like the package.
_PROBE = """
import importlib.util, json, sys
sys.path = [entry for entry in sys.path if entry]
found = {name: importlib.util.find_spec(name) is not None for name in sys.argv[1:]}
print(json.dumps({"version": sys.version_info[:2], "found": found}))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The project's interpreter: an absolute path, and in words where it was found."""

    path: str
    found: str


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said about the interpreter, strongest first; each a path, a virtual environment's folder or a command.

    `explicit` is the user's setting or `--python`, and `explicit_name` what the user calls it; `editor` is the editor's
    own choice, `configured` is `[tool.testlens] python`.
    """

    explicit: str | None = None
    editor: str | None = None
    configured: str | None = None
    explicit_name: str = "the setting"


@dataclass(frozen=True, slots=True)
class Equipment:
    """What an interpreter brings: its version, the required packages it lacks, and whether it has pip."""

    version: tuple[int, int]
    missing: tuple[str, ...]
    has_pip: bool


def find_interpreter(
    root: Path, wishes: Wishes | None = None, environment: Mapping[str, str] = os.environ
) -> Interpreter | Problem:
    """The interpreter of the project in `root` (absolute): what was wished for, `.venv`, VIRTUAL_ENV, then PATH.

    A wish of the user's own that leads nowhere is a Problem: another interpreter would give puzzling results.
    """
    wishes = wishes or Wishes()
    for wish, found, is_own in (
        (wishes.explicit, wishes.explicit_name, True),
        (wishes.editor, "the editor's choice", False),
        (wishes.configured, "[tool.testlens] python", True),
    ):
        path = _resolve(wish, root, environment) if wish else None
        if path is not None:
            return Interpreter(path, found)
        if wish and is_own:
            return Problem(f"There is no Python interpreter at {wish}, which {found} names.", "Correct that path.")
    for path, found in _found(root, environment):
        return Interpreter(path, found)
    return Problem(f"No Python interpreter was found for {root}.", _ADVICE, severity="error")


def examine(interpreter: Interpreter, root: Path) -> Equipment | Problem:
    """Ask the interpreter what it has; blocks for up to some seconds. A Problem if it is no usable Python."""
    answer = run_text([interpreter.path, "-c", _PROBE, *REQUIRED, "pip"], root, timeout=30.0)
    if isinstance(answer, Problem):
        return answer
    equipment = _parse(answer)
    if equipment is None:
        detail = answer.errors.strip().splitlines()[-1:] or [f"exit code {answer.status}"]
        return Problem(f"{interpreter.path} does not work as a Python interpreter: {detail[0]}", _ADVICE)
    if equipment.version < OLDEST:
        version = ".".join(map(str, equipment.version))
        return Problem(f"{interpreter.path} is Python {version}; Testlens runs tests on 3.9 or later.", _ADVICE)
    return equipment


def modules_of(python: str, names: Collection[str], root: Path) -> frozenset[str]:
    """Which of these modules (top level) an interpreter can import; blocks for up to some seconds."""
    answer = run_text([python, "-c", _PROBE, *names], root, timeout=30.0)
    try:
        found = json.loads(answer.output.strip().splitlines()[-1])["found"] if isinstance(answer, Completed) else {}
    except (ValueError, IndexError, KeyError, TypeError):
        return frozenset()
    return frozenset(name for name in names if found.get(name) is True)


def packages_of(python: str) -> str:
    """Identifies the distributions that are installed beside an interpreter; "" where they are not found."""
    folder = Path(python).parent.parent
    places = [*folder.glob("lib/python3*/*-packages"), *folder.glob("[Ll]ib/site-packages")]
    # With its time, since a package may be installed again in the same version.
    names = sorted({f"{entry.name} {entry.stat().st_mtime_ns}" for place in places for entry in place.glob("*-info")})
    return hashlib.sha256("\0".join(names).encode()).hexdigest() if names else ""


class Examined:
    """Remembers interpreters that had all that a run needs, for as long as nothing is installed or removed there."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[str, Equipment]] = {}

    def examine(self, interpreter: Interpreter, root: Path) -> Equipment | Problem:
        """As the function of that name."""
        packages = packages_of(interpreter.path)
        known = self._found.get(interpreter.path)
        if known is not None and packages and known[0] == packages:
            return known[1]
        equipment = examine(interpreter, root)
        if isinstance(equipment, Equipment) and not equipment.missing:
            self._found[interpreter.path] = (packages, equipment)
        return equipment


def missing_problem(interpreter: Interpreter, equipment: Equipment) -> Problem | None:
    """One message that says what is missing where and what installs it; None if nothing is missing."""
    if not equipment.missing:
        return None
    names = " and ".join(equipment.missing)
    command = " ".join(install_command(interpreter, equipment))
    verb = "are" if len(equipment.missing) > 1 else "is"
    return Problem(
        f"{names} {verb} not installed for {interpreter.path} ({interpreter.found}).",
        f"Install with: {command}",
        severity="error",
    )


def install_command(interpreter: Interpreter, equipment: Equipment) -> tuple[str, ...]:
    """The argument list that installs what is missing: with the interpreter's pip, else with uv, else pip first."""
    if equipment.has_pip:
        return (interpreter.path, "-m", "pip", "install", *equipment.missing)
    uv = shutil.which("uv")
    if uv is not None:
        return (uv, "pip", "install", "--python", interpreter.path, *equipment.missing)
    # Installs nothing of the above yet, but the next attempt finds pip.
    return (interpreter.path, "-m", "ensurepip")


def _parse(answer: Completed) -> Equipment | None:
    try:
        facts = json.loads(answer.output.strip().splitlines()[-1])
        major, minor = facts["version"]
        found = facts["found"]
        missing = tuple(name for name in REQUIRED if not found[name])
        return Equipment((int(major), int(minor)), missing, bool(found["pip"]))
    except (ValueError, IndexError, KeyError, TypeError):
        return None


def _found(root: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in (".venv", "venv"):
        path = _first_file(_in_environment(root / name))
        if path is not None:
            yield path, f"{name} in the folder"
    if environment.get("VIRTUAL_ENV"):
        path = _first_file(_in_environment(Path(environment["VIRTUAL_ENV"])))
        if path is not None:
            yield path, "VIRTUAL_ENV"
    for command in ("python3", "python"):
        on_path = shutil.which(command, path=environment.get("PATH"))
        if on_path is not None:
            yield str(Path(on_path).absolute()), "PATH"


def _resolve(wish: str, root: Path, environment: Mapping[str, str]) -> str | None:
    place = root / Path(wish).expanduser()
    if place.is_dir():
        return _first_file(_in_environment(place))
    if place.is_file():
        return str(place)
    # A bare name such as python3.12 is a command; anything with a separator was meant as a path.
    on_path = None if Path(wish).name != wish else shutil.which(wish, path=environment.get("PATH"))
    return None if on_path is None else str(Path(on_path).absolute())


def _in_environment(folder: Path) -> tuple[Path, ...]:
    return (folder / "bin" / "python", folder / "Scripts" / "python.exe")


def _first_file(paths: Iterable[Path]) -> str | None:
    # Not resolved: the link in a virtual environment is what makes its packages visible.
    return next((str(path) for path in paths if path.is_file()), None)
