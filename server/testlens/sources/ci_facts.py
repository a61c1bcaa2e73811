"""Reads from a project's files what a CI workflow needs to know. Nothing of the project is run."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from testlens.domain.ci_plan import Installer, Minor, ProjectFacts
from testlens.domain.problems import Problem

KNOWN: tuple[Minor, ...] = ((3, 9), (3, 10), (3, 11), (3, 12), (3, 13), (3, 14))
"""The versions of CPython that tests can be run on by Testlens' agent, oldest first."""

_SUPPORTED = KNOWN[1:]
_PATCHES = 40  # more than any version of Python has seen
_GROUPS = ("test", "tests", "testing", "dev", "develop", "development", "ci")
_REQUIREMENTS = (
    *(f"requirements{sign}{name}.txt" for name in _GROUPS for sign in ("-", "_", "/")),
    *(f"{name}-requirements.txt" for name in _GROUPS),
)
_MAIN_BRANCHES = ("main", "master", "trunk", "develop")
_PLAIN = re.compile(r"\w[\w ./+-]*")  # needs no quotes in YAML, in expressions of GitHub and in globs
_CARET = re.compile(r"\^\s*(\d+)\.(\d+)")


def read_facts(root: Path) -> ProjectFacts | Problem:
    """The facts of the project in `root`; a Problem where its files cannot be read or allow no version of Python."""
    document = _pyproject(root)
    if isinstance(document, Problem):
        return document
    versions = _versions(document)
    if isinstance(versions, Problem):
        return versions
    installer = _installer(root, document)
    install = tuple(_install(root, document, installer))
    locks = tuple(_locks(root, installer, install))
    place = default_branch(root), folder_in_repository(root)
    return ProjectFacts(_name(root, document), versions, installer, install, locks, *place)


def folder_in_repository(root: Path) -> str:
    """Where in its repository a project lies (POSIX); empty at the top, and where a workflow cannot name the place."""
    top = next((place for place in (root, *root.parents) if (place / ".git").exists()), root)
    folder = root.relative_to(top).as_posix()
    return folder if _PLAIN.fullmatch(folder) else ""


def default_branch(root: Path) -> str:
    """The branch that others are merged into, as far as the files of git say; `main` where they do not."""
    git = _git_folder(root)
    if git is None:
        return "main"
    head = _reference(git / "refs" / "remotes" / "origin" / "HEAD", "refs/remotes/origin/")
    if head is not None:
        return head
    packed = _text(git / "packed-refs").splitlines()
    for name in _MAIN_BRANCHES:
        if (git / "refs" / "heads" / name).is_file() or any(line.endswith(f" refs/heads/{name}") for line in packed):
            return name
    return _reference(git / "HEAD", "refs/heads/") or "main"


def _git_folder(root: Path) -> Path | None:
    """Where git keeps the branches of the repository around `root`, which a worktree or submodule only points to."""
    found = next((place / ".git" for place in (root, *root.parents) if (place / ".git").exists()), None)
    if found is None or found.is_dir():
        return found
    own = found.parent / _text(found).strip().removeprefix("gitdir: ")
    return own / (_text(own / "commondir").strip() or ".")


def _reference(file: Path, prefix: str) -> str | None:
    text = _text(file).strip()
    return text.removeprefix(f"ref: {prefix}") if text.startswith(f"ref: {prefix}") else None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _pyproject(root: Path) -> Mapping[str, Any] | Problem:
    try:
        return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        return Problem(f"It cannot be read: {error}", "Correct it first.", "pyproject.toml", severity="error")


def _table(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    value: Any = document
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _name(root: Path, document: Mapping[str, Any]) -> str:
    name = _table(document, "project").get("name") or _table(document, "tool", "poetry").get("name")
    return name if isinstance(name, str) else root.name


def _versions(document: Mapping[str, Any]) -> tuple[Minor, ...] | Problem:
    wish = _table(document, "project").get("requires-python")
    if wish is None:
        wish = _table(document, "tool", "poetry", "dependencies").get("python")
    if wish is None:
        return _SUPPORTED
    try:
        allowed = SpecifierSet(_plain(str(wish)))
    except InvalidSpecifier:
        return _no_version(wish, "is no version specifier")
    # `>=3.9.2` and `<3.12.4` allow some patch of that version, which is enough to test on it.
    found = [(major, minor) for major, minor in KNOWN if any(
        f"{major}.{minor}.{patch}" in allowed for patch in range(_PATCHES))]  # fmt: skip
    return tuple(found) or _no_version(wish, f"allows none of Python 3.{KNOWN[0][1]} to 3.{KNOWN[-1][1]}")


def _plain(wish: str) -> str:
    """A version specifier, from one that may have Poetry's caret (`^3.9` is `>=3.9,<4`)."""
    return _CARET.sub(lambda found: f">={found[1]}.{found[2]},<{int(found[1]) + 1}", wish)


def _no_version(wish: object, what: str) -> Problem:
    advice = 'Write, for example, requires-python = ">=3.11".'
    return Problem(f"`requires-python` is {wish!r}, which {what}.", advice, "pyproject.toml", severity="error")


def _installer(root: Path, document: Mapping[str, Any]) -> Installer:
    if (root / "uv.lock").is_file():
        return "uv"
    if (root / "poetry.lock").is_file() or _table(document, "tool", "poetry").get("dependencies"):
        return "poetry"
    return "pip"


def _install(root: Path, document: Mapping[str, Any], installer: Installer) -> Iterator[str]:
    extras = [name for name in _GROUPS if name in _table(document, "project", "optional-dependencies")]
    groups = [name for name in _GROUPS if name in _table(document, "dependency-groups")]
    if installer == "uv":
        yield from (
            "--frozen",
            *(f"--extra {name}" for name in extras[:1]),
            *(f"--group {name}" for name in groups[:1]),
        )
    elif installer == "poetry":
        groups = [name for name in _GROUPS if name in _table(document, "tool", "poetry", "group")] or groups
        yield from (*(f"--with {name}" for name in groups[:1]), *(f"--extras {name}" for name in extras[:1]))
    else:
        yield from _for_pip(root, document, extras, groups)


def _for_pip(root: Path, document: Mapping[str, Any], extras: Sequence[str], groups: Sequence[str]) -> Iterator[str]:
    if "project" in document or (root / "setup.py").is_file() or (root / "setup.cfg").is_file():
        # Both the tests' own extra and what it may leave out, such as `dev`, would be too much: the first is meant.
        yield f'-e ".[{extras[0]}]"' if extras else "-e ."
    yield from (f"--group {name}" for name in groups[:1])
    yield from (f"-r {name}" for name in _requirements(root))


def _requirements(root: Path) -> list[str]:
    return [name for name in ("requirements.txt", *_REQUIREMENTS) if (root / name).is_file()]


def _locks(root: Path, installer: Installer, install: Sequence[str]) -> Iterator[str]:
    if installer != "pip":
        yield f"{installer}.lock"
        return
    yield from (argument.removeprefix("-r ") for argument in install if argument.startswith("-r "))
    yield from (name for name in ("pyproject.toml", "setup.py", "setup.cfg") if (root / name).is_file())
