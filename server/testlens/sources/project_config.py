"""Reads `[tool.testlens]` and the coverage.py configuration of a project, without loading coverage.py's plugins."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Any, Literal, cast, get_args

from testlens.domain.problems import Problem
from testlens.domain.survivors import Show
from testlens.sources.coverage_config import CoverageSettings, files_to_try, load_coverage_settings

Problems = tuple[Problem, ...]

ScaffoldStyle = Literal["bdd", "plain", "pytest-bdd", "behave"]
"""How Testlens writes tests where the project's own tests do not say: scenarios in classes, or plain functions;
the scenarios of the recipe `bdd` may also be feature files, for pytest-bdd or behave."""

_SECTION = "[tool.testlens]"


@dataclass(frozen=True, slots=True)
class ProjectConfig:
    """What the project's files say about how to measure, judge and show it.

    `python` is the project's interpreter as written, `target` a percentage, `critical` globs of paths that matter most,
    `weights` of risk factors by name, `data` data files to prefer over any found, `test_timeout` seconds a test.
    `record_values` keeps what the tests call the project's functions with.
    `scaffold_budget` is how many seconds the search for a test may take (0: nothing of the project is run for it),
    `scaffold_network` whether the code may use the network meanwhile.
    `mutants_show` says which survivors are gaps.
    `thresholds` has the coverage in percent that `testlens check` asks of all files together that match a glob.
    `slow_tests` is from how many seconds on continuous testing leaves a test to the user (0: none).
    """

    python: str | None = None
    target: float = 85.0
    critical: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    data: tuple[str, ...] = ()
    pytest_args: tuple[str, ...] = ()
    test_timeout: float | None = None
    record_values: bool = True
    scaffold_budget: float = 5.0
    scaffold_network: bool = False
    scaffold_style: ScaffoldStyle = "bdd"
    mutants_show: Show = "calm"
    slow_tests: float = 0.0
    thresholds: Mapping[str, float] = field(default_factory=dict)
    coverage: CoverageSettings = field(default_factory=CoverageSettings)

    @property
    def parsing_digest(self) -> str:
        """Identifies all settings that change what static parsing of a source text yields."""
        return _digest(self.coverage.exclude, self.coverage.no_branch)

    @property
    def reporting_digest(self) -> str:
        """Identifies all settings that change which files are shown, and how."""
        coverage = self.coverage
        return _digest(
            self.parsing_digest, self.target, self.critical, sorted(self.weights.items()), self.data,
            coverage.report_include, coverage.report_omit, sorted(coverage.paths.items()), coverage.precision,
            str(coverage.data_file),
        )  # fmt: skip


class ConfigReader:
    """Reads the configuration of the project in `root`, as `load` does, and again where anything in it has changed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._found: tuple[ProjectConfig, Problems] | None = None
        self._read_from: object = None

    def load(self) -> tuple[ProjectConfig, Problems]:
        """What the files say now."""
        files = self._files()
        if self._found is None or files != self._read_from:
            self._found = load(self._root)
            # What was written meanwhile may have been read or not.
            self._read_from = files if self._files() == files else None
        return self._found

    def _files(self) -> object:
        places = {self._root / "pyproject.toml", *files_to_try(self._root)}
        return dict(os.environ), {place: _content_or_error(place) for place in places}


def _content_or_error(place: Path) -> bytes | int | None:
    """The bytes of a file, or the number of the error that keeps them from being read."""
    try:
        return place.read_bytes()
    except OSError as error:
        return error.errno


def load(root: Path) -> tuple[ProjectConfig, Problems]:
    """Read the configuration of the project in `root`; a setting that cannot be used keeps its default."""
    text, problems = _read(root / "pyproject.toml")
    settings, own_problems = _testlens_settings(text)
    coverage, coverage_problems = load_coverage_settings(root)
    if problems or (own_problems and not settings):
        # coverage.py trips over the same file in the same place: once is enough.
        coverage_problems = tuple(p for p in coverage_problems if p.path != "pyproject.toml")
    return ProjectConfig(**settings, coverage=coverage), (*problems, *own_problems, *coverage_problems)


def _read(path: Path) -> tuple[str, Problems]:
    try:
        return path.read_text(encoding="utf-8"), ()
    except FileNotFoundError:
        return "", ()
    except UnicodeDecodeError as error:
        return "", (Problem(f"It is not UTF-8 (byte {error.start}).", "Save it as UTF-8.", path.name),)
    except OSError as error:
        return "", (Problem(f"It cannot be read: {error.strerror}.", "Check its permissions.", path.name),)


def _testlens_settings(text: str) -> tuple[dict[str, Any], Problems]:
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        line = re.search(r"at line (\d+)", str(error))
        message = f"It is not valid TOML: {error}. All settings keep their defaults."
        return {}, (Problem(message, "Correct that line.", "pyproject.toml", int(line[1]) if line else None),)
    tool = document.get("tool")
    table = tool.get("testlens", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        problem = _problem(text, "testlens", "`tool.testlens` is not a table.", f"Write {_SECTION} on its own line.")
        return {}, (problem,)
    settings: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in table.items():
        option = _OPTIONS.get(key)
        if option is None:
            problems.extend(_unknown(text, key))
        elif option.accepts(value):
            settings[key] = option.convert(value)
        elif key == "thresholds" and isinstance(value, dict):
            problems.extend(_wrong_thresholds(text, value))
        else:
            message = f"`{key}` in {_SECTION} cannot be {value!r}: the default is used."
            problems.append(_problem(text, key, message, f"Write, for example, `{option.example}`."))
    return settings, tuple(problems)


@dataclass(frozen=True, slots=True)
class _Option:
    accepts: Callable[[Any], bool]
    convert: Callable[[Any], Any]
    example: str


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_weights(value: object) -> bool:
    return isinstance(value, dict) and all(_is_number(weight) and weight >= 0 for weight in value.values())


def _is_percentage(value: object) -> bool:
    return _is_number(value) and 0 <= cast(float, value) <= 100


def _is_thresholds(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_percentage, value.values()))


def _floats(weights: Mapping[str, float]) -> dict[str, float]:
    return {name: float(weight) for name, weight in weights.items()}


_OPTIONS = {
    "python": _Option(lambda v: isinstance(v, str) and v != "", str, 'python = ".venv/bin/python"'),
    "target": _Option(_is_percentage, float, "target = 85.0"),
    "critical": _Option(_is_texts, tuple, 'critical = ["src/payments/**"]'),
    "weights": _Option(_is_weights, _floats, "weights = { complexity = 40 }"),
    "data": _Option(_is_texts, tuple, 'data = ["build/.coverage"]'),
    "pytest_args": _Option(_is_texts, tuple, 'pytest_args = ["-m", "not slow"]'),
    "test_timeout": _Option(lambda v: _is_number(v) and v > 0, float, "test_timeout = 60"),
    "record_values": _Option(lambda v: isinstance(v, bool), bool, "record_values = false"),
    "scaffold_budget": _Option(lambda v: _is_number(v) and v >= 0, float, "scaffold_budget = 10"),
    "scaffold_network": _Option(lambda v: isinstance(v, bool), bool, "scaffold_network = true"),
    "scaffold_style": _Option(lambda v: v in get_args(ScaffoldStyle), str, 'scaffold_style = "plain"'),
    "slow_tests": _Option(lambda v: _is_number(v) and v >= 0, float, "slow_tests = 2"),
    "thresholds": _Option(_is_thresholds, _floats, 'thresholds = { "src/payments/**" = 90 }'),
    "mutants_show": _Option(lambda v: v in get_args(Show), str, 'mutants_show = "all"'),
}


def _unknown(text: str, key: str) -> Collection[Problem]:
    near = get_close_matches(key, _OPTIONS, n=1)
    advice = f"Did you mean `{near[0]}`?" if near else f"Known are {', '.join(sorted(_OPTIONS))}."
    return (_problem(text, key, f"{_SECTION} has no setting `{key}`.", advice),)


def _wrong_thresholds(text: str, table: Mapping[str, Any]) -> Iterator[Problem]:
    for glob, value in table.items():
        if not _is_percentage(value):
            message = f"`{glob}` in [tool.testlens.thresholds] cannot be {value!r}: no threshold is held."
            advice = 'Write a glob in quotes and a percentage from 0 to 100, such as `"src/payments/**" = 90`.'
            yield _problem(text, glob, message, advice)


def _problem(text: str, key: str, message: str, advice: str) -> Problem:
    return Problem(message, advice, "pyproject.toml", _line_of(text, key))


def _line_of(text: str, key: str) -> int | None:
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("["):
            inside = stripped.startswith("[tool.testlens")
        if inside and re.match(rf"(\[tool\.testlens\.)?[\"']?{re.escape(key)}[\"']?\s*[.=\]]", stripped):
            return number
    return None


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
