"""How a project writes its tests, as values that the renderer follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Docstrings = Literal["given-when-then", "sentence", "none"]
AsyncMode = Literal["auto", "strict", "anyio", "none"]


@dataclass(frozen=True, slots=True)
class FixtureFacts:
    """One fixture of the project. `file` is POSIX and relative; `parameters` are the fixtures that it asks for itself.

    `returns` is the annotation of what it gives, as written, empty where there is none.
    """

    name: str
    file: str
    parameters: tuple[str, ...] = ()
    returns: str = ""
    autouse: bool = False


@dataclass(frozen=True, slots=True)
class Style:
    """How the project writes tests.

    `folder` is where its tests are (POSIX, relative; empty for the root), `bdd_folder` where scenarios go. `whole`
    are the modules that its tests import whole (`import click`, then `click.Context`). `fixtures` are those of
    conftest files, by name. `libraries` are the import names of those test libraries that the project's interpreter
    has (`pytest_mock`, `pytest_asyncio`, `anyio`, `moto`, `hypothesis`, `factory`, `pytest_bdd`, `behave`, `locust`).
    `annotated` says that its tests annotate what they return. `test_files` maps a source file to the test file that
    tests it, where known. `python` is the oldest version that the project supports.
    """

    folder: str = "tests"
    bdd_folder: str = "tests/bdd"
    quotes: Literal['"', "'"] = '"'
    line_length: int = 88
    classes: bool = False
    docstrings: Docstrings = "given-when-then"
    annotated: bool = False
    asyncio: AsyncMode = "none"
    whole: frozenset[str] = frozenset()
    fixtures: Mapping[str, FixtureFacts] = field(default_factory=dict)
    libraries: frozenset[str] = frozenset()
    test_files: Mapping[str, str] = field(default_factory=dict)
    python: tuple[int, int] = (3, 9)
