"""Reads the coverage.py configuration as coverage.py does, in its order of files, for any folder.

This is the one private use of coverage.py for settings: `read_coverage_config` and `Coverage()` look in the process's
current folder, which a server with several workspace folders cannot change, and `Coverage()` would load the project's
plugins. `CoverageConfig.from_file` does neither.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from coverage.config import (
    DEFAULT_EXCLUDE,
    DEFAULT_PARTIAL,
    DEFAULT_PARTIAL_ALWAYS,
    CoverageConfig,
    config_files_to_try,
)
from coverage.exceptions import CoverageException
from coverage.files import GlobMatcher
from coverage.misc import join_regex

from testlens.domain.problems import Problem

Problems = tuple[Problem, ...]


def _default_outputs() -> Mapping[str, str]:
    return {"json": "coverage.json", "cobertura": "coverage.xml", "lcov": "coverage.lcov"}


@dataclass(frozen=True, slots=True)
class CoverageSettings:
    """The part of coverage.py's configuration that changes what is read and shown.

    `exclude` and `no_branch` are regular expressions over source lines; relative paths are relative to the workspace.
    `outputs` are the report files the project configured or gets by default, by kind.
    """

    config_file: str | None = None
    data_file: str = ".coverage"
    exclude: str = join_regex(DEFAULT_EXCLUDE)
    no_branch: str = join_regex([*DEFAULT_PARTIAL, *DEFAULT_PARTIAL_ALWAYS])
    report_include: tuple[str, ...] = ()
    report_omit: tuple[str, ...] = ()
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    relative_files: bool = False
    source: tuple[str, ...] = ()
    precision: int = 0
    outputs: Mapping[str, str] = field(default_factory=_default_outputs)


def load_coverage_settings(root: Path) -> tuple[CoverageSettings, Problems]:
    """Read the settings that coverage.py would use if it ran in `root`; defaults where they cannot be used."""
    warnings: list[str] = []
    try:
        config = _read_config(root, warnings.append)
    except (CoverageException, OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        # Beside its own errors coverage.py lets through those of a table that is not a table, or bad encodings.
        return CoverageSettings(), (_unusable(root, error),)
    return _settings(root, config), tuple(_ignored(root, warning) for warning in warnings)


def files_to_try(root: Path) -> tuple[Path, ...]:
    """The files in which coverage.py would look for its settings if it ran in `root`, whether they are there or not.

    What is found in them may depend on any variable of the environment, too.
    """
    return tuple(_place(root, name) for name, *_ in config_files_to_try(True))


def report_filter(settings: CoverageSettings, root: Path) -> Callable[[str], bool]:
    """A test of whether `coverage report` would show a file, given its path relative to `root`."""
    include = _matcher(settings.report_include, root)
    omit = _matcher(settings.report_omit, root)

    def is_reported(path: str) -> bool:
        absolute = str(root / path)
        if include is not None and not include.match(absolute):
            return False
        return omit is None or not omit.match(absolute)

    return is_reported


def _matcher(patterns: tuple[str, ...], root: Path) -> GlobMatcher | None:
    if not patterns:
        return None
    # As coverage.files.prep_patterns, but relative to `root` in place of the current folder.
    absolute = [str(root / pattern) for pattern in patterns if not pattern.startswith(("*", "?"))]
    try:
        return GlobMatcher([*patterns, *absolute])
    except CoverageException:
        return None


def _read_config(root: Path, warn: Callable[[str], None]) -> CoverageConfig:
    config = CoverageConfig()
    for name, is_coverages_own, specified in config_files_to_try(True):
        if config.from_file(str(_place(root, name)), warn, our_file=is_coverages_own):
            break
        if specified:
            raise FileNotFoundError(f"COVERAGE_RCFILE names {name}, which cannot be read")
    config.data_file = os.environ.get("COVERAGE_FILE") or config.data_file
    config.post_process()
    return config


def _place(root: Path, name: str) -> Path:
    return root / Path(name).expanduser()


def _settings(root: Path, config: CoverageConfig) -> CoverageSettings:
    return CoverageSettings(
        config_file=_relative(root, config.config_file) if config.config_file else None,
        data_file=config.data_file,
        exclude=join_regex(config.exclude_list),
        no_branch=join_regex([*config.partial_list, *config.partial_always_list]),
        report_include=tuple(config.report_include or ()),
        report_omit=tuple(config.report_omit or ()),
        paths={name: tuple(places) for name, places in config.paths.items()},
        relative_files=config.relative_files,
        source=tuple(config.source or ()),
        precision=config.precision,
        outputs={"json": config.json_output, "cobertura": config.xml_output, "lcov": config.lcov_output},
    )


def _ignored(root: Path, warning: str) -> Problem:
    advice = "coverage.py ignores it: correct its name, or delete it."
    return Problem(f"{_relative_words(root, warning)}.", advice, severity="information")


def _unusable(root: Path, error: Exception) -> Problem:
    reason = _relative_words(root, str(error)).rstrip(".")
    culprit = next((name for name, *_ in config_files_to_try(True) if name in reason), None)
    return Problem(
        f"The coverage.py configuration cannot be used: {reason}.",
        "Its defaults are used until this is corrected; `coverage debug config` shows what coverage.py reads.",
        culprit,
    )


def _relative(root: Path, path: str) -> str:
    return Path(path).relative_to(root).as_posix() if Path(path).is_relative_to(root) else path


def _relative_words(root: Path, text: str) -> str:
    return text.replace(f"{root}{os.sep}", "")
