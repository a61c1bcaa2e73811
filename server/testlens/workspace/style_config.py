"""What files other than the tests say about how a project tests: pytest's settings, the formatter's, its libraries."""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from testlens.scaffold.style import StyleConfig

_LIBRARIES = (
    "pytest_mock", "pytest_asyncio", "anyio", "moto", "hypothesis", "factory", "pytest_bdd", "behave", "locust",
    "aioboto3", "boto3", "freezegun", "responses", "respx",
)  # fmt: skip
_OLDEST = re.compile(r">=?\s*(\d+)\.(\d+)")


def load_style_config(root: Path, python: str | None, sources: Iterable[str], features: Iterable[str]) -> StyleConfig:
    """Read the project's configuration; what cannot be read says nothing. Runs nothing: libraries are looked for on
    disk.

    `sources` are the measured files and `features` the feature files, POSIX and relative.
    """
    project = _toml(root / "pyproject.toml")
    options = _pytest_options(root, project)
    tools = _table(project.get("tool"))
    ruff = _table(tools.get("ruff")) or _toml(root / "ruff.toml")
    black = _table(tools.get("black"))
    return StyleConfig(
        test_paths=_words(options.get("testpaths")),
        python_files=_words(options.get("python_files")),
        python_functions=_words(options.get("python_functions")),
        python_classes=_words(options.get("python_classes")),
        asyncio_mode=_text(options.get("asyncio_mode")),
        line_length=_number(ruff.get("line-length")) or _number(black.get("line-length")),
        quotes=_quotes(ruff, black),
        python=_oldest_python(project),
        libraries=frozenset(_installed(python)) if python is not None else frozenset(),
        source_roots=(*dict.fromkeys([*_words(options.get("pythonpath")), "src", ""]),),
        sources=tuple(sources),
        features=tuple(features),
    )


def _pytest_options(root: Path, project: Mapping[str, Any]) -> Mapping[str, Any]:
    """pytest's settings from the one file that it reads them from."""
    for name in ("pytest.toml", ".pytest.toml"):
        if found := _table(_toml(root / name).get("pytest")):
            return found
    for name, section in (("pytest.ini", "pytest"), (".pytest.ini", "pytest")):
        if found := _ini(root / name, section):
            return found
    pytest_table = _table(_table(project.get("tool")).get("pytest"))
    if pytest_table:
        return _table(pytest_table.get("ini_options")) or pytest_table
    for name, section in (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        if found := _ini(root / name, section):
            return found
    return {}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _ini(path: Path, section: str) -> dict[str, Any]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
    except (OSError, ValueError, configparser.Error):
        return {}
    return dict(parser[section]) if parser.has_section(section) else {}


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(value.split())
    return tuple(word for word in value if isinstance(word, str)) if isinstance(value, list) else ()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _quotes(ruff: Mapping[str, Any], black: Mapping[str, Any]) -> Literal['"', "'"] | None:
    style = _table(ruff.get("format")).get("quote-style")
    if style == "single" or black.get("skip-string-normalization") is True:
        return "'" if style == "single" else None
    return '"' if style == "double" or black else None


def _oldest_python(project: Mapping[str, Any]) -> tuple[int, int] | None:
    required = _text(_table(project.get("project")).get("requires-python")) or ""
    found = _OLDEST.search(required)
    return (int(found[1]), int(found[2])) if found is not None else None


def _installed(python: str) -> Iterator[str]:
    """The libraries that lie where this interpreter finds its packages."""
    prefix = Path(python).parent.parent
    folders = [*prefix.glob("lib/python3*/site-packages"), prefix / "Lib" / "site-packages"]
    for name in _LIBRARIES:
        if any((folder / name).is_dir() or (folder / f"{name}.py").is_file() for folder in folders):
            yield name
