"""Makes a large project with coverage data: the ground on which the benchmarks run."""

from __future__ import annotations

import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

from coverage import CoverageData

_FUNCTION = '''\
def function_{number}(limit, extra=None, *rest):
    """Sum what lies above the limit, as module {module} does."""
    if limit is None:
        raise ValueError(limit)
    total = 0
    for item in rest:
        if item > limit:
            total += item
        elif extra is not None:
            total -= 1
    try:
        value = int(limit)
    except ValueError:
        value = 0
    return total + value

'''
_TESTS_A_FILE = 20
_TEST = """

def test_{number}():
    for limit in range(200):
        assert module.function_{function}(limit, None, *range(20)) >= 0
"""
_LINES = _FUNCTION.count("\n")
# Arcs of one call, as offsets from the `def` line, -1 being entry and exit.
_LOOP = [(-1, 3), (3, 5), (5, 6), (6, 7), (7, 8), (8, 6), (7, 9), (9, 10), (10, 6), (9, 6), (6, 11), (11, 12)]
_GOOD_CALL = [*_LOOP, (12, 15), (15, -1)]
_REFUSED_CALL = [(-1, 3), (3, 4), (4, -1)]
_RESCUED_CALL = [*_LOOP, (12, 13), (13, 14), (14, 15), (15, -1)]
_CALLS = (_GOOD_CALL, _REFUSED_CALL, _RESCUED_CALL)


@dataclass(frozen=True, slots=True)
class Density:
    """How much the tests miss: the chances that a call goes well, is refused at once, and is rescued by the handler."""

    name: str
    chances: tuple[int, int, int]


# Some calls take the ways that tests take less often: 70 % is covered then, with 16 gaps a file, as in real backends.
USUAL = Density("", (70, 15, 15))
# No call ever takes those ways: 58 % is covered, with 44 gaps in each file of 300 lines.
DENSE = Density(", dense gaps", (1, 0, 0))


def make_project(root: Path, files: int, lines: int, contexts: int, density: Density = USUAL, seed: int = 1) -> Path:
    """Write `files` modules of about `lines` lines below `root` and a `.coverage` with `contexts` test contexts.

    Each test calls 10 functions in each of two files. Returns the path of the data file.
    """
    # In a process of its own: Linux counts what this one takes as the peak of every process that it starts.
    with ProcessPoolExecutor(1, get_context("spawn")) as maker:
        return maker.submit(_make_project, root, files, lines, contexts, density, seed).result()


def _make_project(root: Path, files: int, lines: int, contexts: int, density: Density, seed: int) -> Path:
    functions = lines // _LINES
    names = []
    for number in range(files):
        folder = root / "src" / f"package_{number % 20}"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"module_{number}.py"
        # Each text is another one: nothing is to be gained by remembering texts.
        text = "".join(_FUNCTION.format(module=number, number=function) for function in range(functions))
        path.write_text(text, encoding="utf-8")
        names.append(str(path))
    (root / "pyproject.toml").write_text("[tool.coverage.run]\nbranch = true\n", encoding="utf-8")
    return _write_data(root / ".coverage", names, functions, contexts, density, random.Random(seed))


def make_tests(root: Path, tests: int) -> None:
    """Add a suite of `tests` short tests that run functions of the project below `root`."""
    folder = root / "tests"
    folder.mkdir()
    modules = sorted((root / "src").rglob("*.py"))
    for number in range(0, tests, _TESTS_A_FILE):
        module = modules[number // _TESTS_A_FILE % len(modules)]
        text = f"import sys\n\nsys.path.insert(0, {str(module.parent)!r})\nimport {module.stem} as module\n"
        for test in range(number, min(number + _TESTS_A_FILE, tests)):
            text += _TEST.format(number=test, function=test % 10)
        (folder / f"test_{number}.py").write_text(text, encoding="utf-8")


def _write_data(
    path: Path, names: list[str], functions: int, contexts: int, density: Density, chance: random.Random
) -> Path:
    data = CoverageData(str(path))
    data.set_context("")
    starts = [number * _LINES + 1 for number in range(functions)]
    module = [(-1, starts[0]), *pairwise(starts), (starts[-1], -1)]
    data.add_arcs(dict.fromkeys(names, module))
    for number in range(contexts):
        data.set_context(f"tests/test_module_{number % 500}.py::test_case_{number}|run")
        called = {name: chance.sample(starts[: functions * 3 // 4], 10) for name in chance.sample(names, 2)}
        data.add_arcs({name: _calls(functions_called, density, chance) for name, functions_called in called.items()})
    data.write()
    data.close()
    return path


def _calls(starts: list[int], density: Density, chance: random.Random) -> list[tuple[int, int]]:
    calls = zip(starts, chance.choices(_CALLS, density.chances, k=len(starts)), strict=True)
    return [(_line(start, begin), _line(start, end)) for start, call in calls for begin, end in call]


def _line(start: int, offset: int) -> int:
    # Offsets are 1-based lines of the function; -1 is its entry or exit, which coverage.py writes as minus its line.
    return -start if offset < 0 else start + offset - 1
