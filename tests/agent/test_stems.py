"""What the first test of several mutants does before it calls their function is done once, and decides no verdict."""

from __future__ import annotations

import textwrap
from collections import Counter
from pathlib import Path

import pytest

from agent.mutating import SOURCE, Checked, check, mutation_python, write

_AREA = """
    def area(width, height, border=0):
        kind = "box"  # which nothing looks at: some mutants live to see the end of the test
        inner = width * height
        outer = (width + border) * (height + border)
        if border > 0 and width > border:
            return outer - inner
        return inner * 2
"""
# The same with mutants that never end.
_LOOPING = _AREA.replace("        outer", "        while width < 3:\n            width += 1\n        outer")
_LOOK = "assert (area(3, 4, 1), area(3, 4), area(2, 4)) == (8, 24, 16)"
_LONG_SETUP = 0.4

# What a test may do before it calls the function, and after that. Most of it copies of one process cannot share.
_AROUND = {
    "nothing": ("pass", "pass"),
    "a file": ("(tmp_path / 'one').mkdir()", "(tmp_path / 'one' / 'more').mkdir()"),
    "an open file": ("held = open(__file__)", "assert held.read(); held.close()"),
    "a database": (
        "held = sqlite3.connect(str(tmp_path / 'shop.db')); held.execute('create table item (id unique)')",
        "held.execute('insert into item values (1)'); held.commit(); held.close()",
    ),
    "a database in memory": (
        "held = sqlite3.connect(':memory:'); held.execute('create table item (id unique)')",
        "held.execute('insert into item values (1)'); held.commit(); held.close()",
    ),
    "a thread": ("held = ThreadPoolExecutor(1); held.submit(int).result()", "held.submit(int).result()"),
    "a process": (
        "held = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)",
        "assert held.communicate(b'x')[0] == b'x'",
    ),
    "a loop": ("held = asyncio.new_event_loop()", "held.run_until_complete(asyncio.sleep(0)); held.close()"),
    "a system without parts": (
        "[monkeypatch.setattr(os, name, None) for name in ('fork', '_exit', 'read', 'waitpid')]",
        "assert os.fork is None",
    ),
    "an empty environment": ("monkeypatch.setattr(os, 'environ', {})", "assert 'PATH' not in os.environ"),
    "chosen chance": ("random.seed(42); held = random.Random(42)", "assert random.random() == held.random()"),
    "a timer": (
        "held = signal.setitimer(signal.ITIMER_REAL, 3600)",
        "assert signal.setitimer(signal.ITIMER_REAL, 0)[0] > 0",
    ),
    "memory that is shared": (
        "held = mmap.mmap(-1, 8)",
        "assert held.read(1) == b'\\0'; held.seek(0); held.write(b'x')",
    ),
    "an environment for later": (
        "held = dict(os.environ)",
        "subprocess.run([sys.executable, '-c', LOOK], env=held, check=True)",
    ),
    "another parent": ("monkeypatch.setattr(os, 'getppid', int)", "assert os.getppid() == 0"),
    "another folder": ("monkeypatch.chdir(tmp_path)", "assert os.getcwd() == str(tmp_path)"),
}
_TEST = f"""
import asyncio
import mmap
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import pytest

from shop.prices import area

LOOK = "import sys; sys.path.insert(0, 'src'); from shop.prices import area; {_LOOK}"
"""


@pytest.fixture(scope="module")
def python() -> Path:
    """An interpreter with mutmut."""
    return mutation_python()


def _checked(root: Path, python: Path, tests: str, source: str = _AREA) -> Checked:
    files = {"src/shop/prices.py": source, "tests/test_prices.py": _TEST + textwrap.dedent(tests)}
    return _checked_all(root, python, files)


def _checked_all(root: Path, python: Path, files: dict[str, str]) -> Checked:
    write(root, {"src/shop/__init__.py": "", "pyproject.toml": SOURCE["pyproject.toml"], **files})
    checked = check(root, python)
    assert checked.end.trusted, checked.messages
    return checked


@pytest.fixture(scope="module")
def expected(python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The verdicts where the test is too short for anything to be shared."""
    test = f"\n\ndef test_area():\n    {_LOOK}\n"
    statuses = _checked(tmp_path_factory.mktemp("plain"), python, test).statuses
    assert {"killed", "survived"} == set(statuses.values())
    return statuses


@pytest.fixture(scope="module")
def around(python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The verdicts of one run in which each of the tests reaches a function of its own."""
    files = {}
    for number, (before, after) in enumerate(_AROUND.values()):
        fixtures = ", ".join(name for name in ("tmp_path", "monkeypatch") if name in before)
        test = f"\n\ndef test_area({fixtures}):\n    time.sleep(0.03)\n    {before}\n    {_LOOK}\n    {after}\n"
        files[f"src/shop/prices{number}.py"] = _AREA
        files[f"tests/test_prices{number}.py"] = _TEST.replace("shop.prices", f"shop.prices{number}") + test
    return _checked_all(tmp_path_factory.mktemp("around"), python, files).statuses


def test_a_long_preparation_is_not_made_for_each_mutant(tmp_path: Path, python: Path, expected: dict[str, str]) -> None:
    test = f"""

    @pytest.fixture
    def prepared():
        time.sleep({_LONG_SETUP})


    def test_area(prepared):{textwrap.indent(textwrap.dedent(_LOOK), "        ")}


    def test_nothing_wide():
        assert area(0, 4) == 0
    """
    checked = _checked(tmp_path, python, test)
    assert checked.statuses == expected
    short = [mutant for mutant in checked.mutants.values() if mutant.seconds < _LONG_SETUP]
    assert len(short) >= len(checked.mutants) - 2  # one for each of two workers; to share them out would cost more


@pytest.mark.parametrize("what", _AROUND)
def test_whatever_a_test_holds_no_verdict_changes(expected: dict[str, str], around: dict[str, str], what: str) -> None:
    module = f"shop.prices{list(_AROUND).index(what)}."
    found = {name.replace(module, "shop.prices."): each for name, each in around.items() if name.startswith(module)}
    assert found == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("held = time.perf_counter()", "assert time.perf_counter() - held < 0.8"),
        ("[monkeypatch.setattr(time, name, lambda *_: 0.0) for name in ('monotonic', 'time', 'sleep')]", "pass"),
    ],
    ids=["little time", "a clock that stands"],
)
def test_mutants_that_never_end_end_and_make_no_other_late(
    tmp_path: Path, python: Path, before: str, after: str
) -> None:
    (tmp_path / "plain").mkdir()
    plain = f"\n\ndef test_area():\n    {_LOOK}\n"
    expected = _checked(tmp_path / "plain", python, plain, _LOOPING).statuses
    assert "timeout" in expected.values()
    test = f"\n\ndef test_area(monkeypatch):\n    time.sleep(0.03)\n    {before}\n    {_LOOK}\n    {after}\n"
    assert _checked(tmp_path, python, test, _LOOPING).statuses == expected


def test_the_mutant_still_plays_when_a_test_has_restored_the_environment(
    tmp_path: Path, python: Path, expected: dict[str, str]
) -> None:
    """moto and many others put back the whole environment, which tells other processes what mutant plays."""
    test = """

    def test_prepared():
        with patch.dict(os.environ, {"SHOP": "here"}):
            time.sleep(0.03)
            area(1, 1)


    def test_area():
        area(1, 1)
        subprocess.run([sys.executable, "-c", LOOK], check=True)
    """
    assert _checked(tmp_path, python, test).statuses == expected


def test_each_mutant_goes_on_with_fixtures_that_several_tests_share(tmp_path: Path, python: Path) -> None:
    """What the first test made for the second is still there, and what the first did to it, too."""
    test = """

    @pytest.fixture(scope="module")
    def made():
        time.sleep(0.03)
        return []


    def test_first(made):
        made.append(area(3, 4, 1))


    def test_second(made):
        time.sleep(0.06)
        assert made + [area(3, 4)] == [8, 24]
    """
    statuses = _checked(tmp_path, python, test).statuses
    assert Counter(statuses.values())["killed"] > Counter(statuses.values())["survived"]


def test_a_mutant_that_ends_what_it_was_copied_from_is_the_only_one_to_suffer(tmp_path: Path, python: Path) -> None:
    source = """
    import os
    import signal


    def area(width, height):
        if width > 3:
            os.kill(os.getppid(), signal.SIGKILL)
        return width * height
    """
    test = "\n\ndef test_area():\n    time.sleep(0.03)\n    assert area(3, 4) == 12\n"
    statuses = _checked(tmp_path, python, test, source).statuses
    assert Counter(statuses.values()) == {"suspicious": 1, "killed": 1, "survived": 5}
