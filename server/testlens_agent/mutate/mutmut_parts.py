"""The parts of mutmut that are used, found in the project's interpreter. Nothing else knows mutmut's names."""

from __future__ import annotations

import importlib
import math
import os
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, Callable

OLDEST = (3, 8)
_SOURCE_FOLDERS = (".", "src", "source")
_NEVER_SOURCES = ("test", "docs", "doc", "examples", "example", "build", "dist", "mutants", "setup.py", "conftest.py")

FRESH_PYTEST = """
import os, sys
from mutmut.mutation.trampoline import set_mutant_under_test
set_mutant_under_test(os.environ["MUTANT_UNDER_TEST"])  # which lasts even if a test clears the environment
from pytest import console_main
sys.exit(console_main())
"""
"""What `python -c` runs in place of `python -m pytest` to play the mutant that the environment names."""


class TooOldError(Exception):
    """The mutmut that is installed lacks parts that are used here; its text is the version."""


def installed_version() -> str:
    """The version of mutmut; raises TooOldError if it cannot be used."""
    version = metadata.version("mutmut")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST:
        raise TooOldError(version)
    return version


def load_configuration(root: Path, tree: Path) -> Any:
    """The user's configuration, as mutmut reads it in `root`, which is made the current folder.

    Where there is none and mutmut's guess finds no sources, the packages and modules in `root` are the sources.
    """
    os.chdir(str(root))
    configuration: Any = importlib.import_module("mutmut.configuration")
    guess: Callable[[], list[str]] = configuration._guess_source_paths

    def guess_or_look() -> list[str]:
        try:
            return guess()
        except FileNotFoundError:
            return _packages_and_modules(root) or ["."]

    configuration._guess_source_paths = guess_or_look
    config = configuration.config()
    # mutmut asks whether a stack frame lies in its copy, which is ours here.
    config.resolved_mutated_source_paths = [tree / path for path in config.source_paths]
    return config


def covered_and_excluded_lines(tree: Path, names: list[str]) -> dict[str, tuple[list[int], list[int]]]:
    """The lines of files that the tests run, and those that coverage.py is to leave out; from the folder of `tree`."""
    runner = importlib.import_module("mutmut.runners.harness").PytestRunner()
    gather = importlib.import_module("mutmut.code_coverage").gather_coverage
    info = gather(runner, [Path(name) for name in names])
    places = {name: str((tree / name).absolute()) for name in names}
    return {
        name: (sorted(info.covered_lines.get(place, ())), sorted(info.excluded_lines.get(place, ())))
        for name, place in places.items()
    }


def caught_by_type_checker() -> list[str]:
    """The mutants that `type_check_command` finds an error in; from the folder of the copy."""
    return sorted(importlib.import_module("mutmut.mutation.file_mutation").filter_mutants_with_type_checker())


def _packages_and_modules(root: Path) -> list[str]:
    found = []
    for entry in sorted(root.iterdir()):
        if entry.name.startswith((".", "_", *_NEVER_SOURCES)):
            continue
        if entry.suffix == ".py" or (entry / "__init__.py").is_file():
            found.append(entry.name)
    return found


def use_tree(root: Path, tree: Path) -> None:
    """Import from the copy, and from nowhere in the user's sources, as mutmut arranges it."""
    for name in _SOURCE_FOLDERS:
        if (tree / name).exists():
            sys.path.insert(0, str((tree / name).absolute()))
    originals = {(root / name).resolve() for name in _SOURCE_FOLDERS}
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() not in originals]


def import_path(tree: Path) -> str:
    """The PYTHONPATH with which a fresh interpreter imports from the copy."""
    places = [str(tree / name) for name in reversed(_SOURCE_FOLDERS) if (tree / name).exists()]
    return os.pathsep.join([*places, *filter(None, [os.environ.get("PYTHONPATH")])])


def play(mutant: str) -> None:
    """From now on the functions of this process play `mutant`: a name, "" (none), "stats" or "fail"."""
    importlib.import_module("mutmut.mutation.trampoline").set_mutant_under_test(mutant)


def pause_at(function: str, pause: Callable[[], str]) -> None:
    """Call `pause` where the function with this key is called next; from then on this process plays what it returns."""
    trampoline: Any = importlib.import_module("mutmut.mutation.trampoline")
    wanted, frame = f"{function}__mutmut_orig", sys._getframe

    def active_mutant() -> str:
        original = frame(1).f_locals.get("orig_func")
        if f"{getattr(original, '__module__', '')}.{getattr(original, '__name__', '')}" != wanted:
            return ""
        # Meanwhile nothing is asked of it: other code may run while it pauses.
        trampoline.get_mutant_under_test = str
        mutant = pause()
        trampoline.get_mutant_under_test = lambda: mutant
        return mutant

    trampoline.get_mutant_under_test = active_mutant


def functions_hit() -> set[str]:
    """The keys of the functions that ran in "stats" mode since they were last taken; they are taken by this."""
    state = importlib.import_module("mutmut.state").state()
    hit = set(state._stats)
    state._stats.clear()
    return hit


def mutant_key(path: str, name: str) -> str:
    """mutmut's whole name for the generated function `name` of the file at `path`."""
    return str(importlib.import_module("mutmut.utils.format_utils").get_mutant_name(Path(path), name))


def pytest_arguments(config: Any) -> list[str]:
    """The arguments that mutmut runs the tests with, without the selection of tests."""
    plain = ["--rootdir=.", "--tb=native", "-x", "-q", "-p", "no:randomly", "-p", "no:random-order"]
    return [*plain, *config.pytest_add_cli_args]


def time_limits(config: Any, expected_seconds: float) -> tuple[float, int]:
    """Seconds by the clock and of the processor that tests of `expected_seconds` may take, as mutmut computes them."""
    wall = (expected_seconds + config.timeout_constant) * config.timeout_multiplier
    return wall, math.ceil(wall * 2)
