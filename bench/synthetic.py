"""Makes a large project with coverage data: the ground on which the benchmarks run."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

from coverage import CoverageData

_FUNCTION = '''\
def function_{number}(limit, extra=None, *rest):
    """Sum what lies above the limit, as module {module} does."""
    total = 0
    for item in rest:
        if item > limit:
            total += item
        elif extra is not None:
            total -= 1
        else:
            continue
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
# Arcs of one call, as offsets from the `def` line; the handler never runs.
_CALL = [(-1, 3), (3, 4), (4, 5), (5, 6), (6, 4), (5, 7), (7, 8), (8, 4), (4, 11), (11, 12), (12, 15), (15, -1)]


def make_project(root: Path, files: int, lines: int, contexts: int, seed: int = 1) -> Path:
    """Write `files` modules of about `lines` lines below `root` and a `.coverage` with `contexts` test contexts.

    Each test calls 40 functions in two files. Returns the path of the data file.
    """
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
    return _write_data(root / ".coverage", names, functions, contexts, random.Random(seed))


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


def _write_data(path: Path, names: list[str], functions: int, contexts: int, chance: random.Random) -> Path:
    data = CoverageData(str(path))
    data.set_context("")
    starts = [number * _LINES + 1 for number in range(functions)]
    module = [(-1, starts[0]), *pairwise(starts), (starts[-1], -1)]
    data.add_arcs(dict.fromkeys(names, module))
    for number in range(contexts):
        data.set_context(f"tests/test_module_{number % 500}.py::test_case_{number}|run")
        data.add_arcs(
            {name: _calls(chance.sample(starts[: functions * 3 // 4], 10)) for name in chance.sample(names, 2)}
        )
    data.write()
    data.close()
    return path


def _calls(starts: list[int]) -> list[tuple[int, int]]:
    return [(_line(start, begin), _line(start, end)) for start in starts for begin, end in _CALL]


def _line(start: int, offset: int) -> int:
    # Offsets are 1-based lines of the function; -1 is its entry or exit, which coverage.py writes as minus its line.
    return -start if offset < 0 else start + offset - 1
