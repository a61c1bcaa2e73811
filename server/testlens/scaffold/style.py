"""How a project writes its tests, as values that the renderer follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

Docstrings = Literal["given-when-then", "comments", "sentence", "none"]
"""Where a test says what it does: sections in its docstring, the same as comments in its body, one sentence in its
docstring, or only in its name."""
AsyncMode = Literal["auto", "strict", "anyio", "none"]
Scenarios = Literal["classes", "pytest-bdd", "behave"]
"""How the recipe `bdd` writes: methods of a class, or a feature file with step functions for one of two runners."""


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
    `factories` are the factories of factory_boy that its tests import, in marked source by the class that they build.
    `annotated` says that its tests annotate what they return. `test_files` maps a source file to the test file that
    tests it, where known. `python` is the oldest version that the project supports.

    `file_name` is how test files are called, `{}` for the module. `file_patterns`, `class_patterns` and
    `function_patterns` are what pytest collects (globs or prefixes, as its configuration has them). `first_party` are
    the top-level names of the project's own modules; `single_imports` says that each imported name has a
    line of its own. `marks` are those without arguments that nearly all tests have.
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
    factories: Mapping[str, str] = field(default_factory=dict)
    test_files: Mapping[str, str] = field(default_factory=dict)
    python: tuple[int, int] = (3, 9)
    file_name: str = "test_{}.py"
    file_patterns: tuple[str, ...] = ("test_*.py", "*_test.py")
    class_patterns: tuple[str, ...] = ("Test",)
    function_patterns: tuple[str, ...] = ("test",)
    first_party: frozenset[str] = frozenset()
    single_imports: bool = False
    marks: tuple[str, ...] = ()
    scenarios: Scenarios = "classes"
    feature_folder: str = ""
    """Where the project's own feature files are, empty where it has none."""


@dataclass(frozen=True, slots=True)
class StyleConfig:
    """What files other than the tests say about a project's tests; None and empty where they say nothing.

    `test_paths`, `python_files`, `python_functions`, `python_classes` and `asyncio_mode` are pytest's settings.
    `line_length` and `quotes` are those of the formatter. `python` is the oldest supported version. `libraries` are the
    import names of the test libraries that the project's interpreter has. `source_roots` are the folders that modules
    are imported from, `sources` the project's source files, `features` its `.feature` files; all POSIX and relative.
    """

    test_paths: tuple[str, ...] = ()
    python_files: tuple[str, ...] = ()
    python_functions: tuple[str, ...] = ()
    python_classes: tuple[str, ...] = ()
    asyncio_mode: str | None = None
    line_length: int | None = None
    quotes: Literal['"', "'"] | None = None
    python: tuple[int, int] | None = None
    libraries: frozenset[str] = frozenset()
    source_roots: tuple[str, ...] = ("src", "")
    sources: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    scenarios: Scenarios = "classes"


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether pytest collects something of that name: a pattern is a prefix, or a glob where it has wildcards."""
    return any(name.startswith(pattern) or ("*" in pattern and fnmatchcase(name, pattern)) for pattern in patterns)
