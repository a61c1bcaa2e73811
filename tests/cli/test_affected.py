"""`testlens affected`: an edit selects the tests that it can affect, everything where nobody can know, and says why."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.projects import Project, json_of, run_testlens

_FILES = {
    "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n',
    "shop/__init__.py": "",
    "shop/prices.py": '''\
LIMIT = 10


def total(prices):
    """Of all."""
    result = 0
    for price in prices:
        result += price
    return result


def label(price, limit=LIMIT):
    if price > limit:
        return "dear"
    return "cheap"


def rounded(price):
    return round(price)


def never_run(price):
    return price


def known():
    return {"apple": 3}


def at_import():
    return 5


START = at_import()


class Basket:
    size = 2

    def __init__(self):
        self.items = []

    def add(self, item):
        self.items.append(item)
        return len(self.items) <= self.size
''',
    "shop/files.py": """\
import json
import os


def read(path):
    with open(path) as file:
        return json.load(file)


def names(path):
    return sorted(os.listdir(path))
""",
    "shop/late.py": """\
def made():
    return 1


VALUE = made()


def asked_for():
    return 2
""",
    "shop/kept.py": """\
import functools


@functools.lru_cache
def table():
    return {"one": 1}
""",
    "shop/build/steps.py": """\
def step():
    return 1
""",
    "cases.json": "[1]\n",
    "tests/test_late.py": """\
import json
from pathlib import Path

import pytest

from shop.build.steps import step
from shop.kept import table

CASES = json.loads((Path(__file__).parent.parent / "cases.json").read_text())


def test_imports():
    from shop import late

    assert late.VALUE == 1
    assert late.asked_for() == 2


def test_uses():
    from shop import late

    assert late.VALUE == CASES[0]


def test_table():
    assert table()["one"] == 1


def test_step():
    assert step() == 1


class TestBase:
    def test_inherited(self):
        assert step() == 1


class TestMore(TestBase):
    pass
""",
    "shop/colours.py": "DEFAULT = 'red'\n",
    "data/prices.json": '{"apple": 3}\n',
    "shop/rules/limit.rule": "limit = 3\n",
    "tests/test_prices.py": """\
import pytest

from shop.prices import Basket, label, rounded, total


def test_total():
    assert total([1, 2]) == 3


@pytest.mark.parametrize("price", [1, 20])
def test_label(price):
    assert label(price) in ("cheap", "dear")


def test_basket():
    assert Basket().add("apple")


def test_fails():
    assert rounded(1.5) == 1
""",
    "tests/test_shared.py": """\
import pytest

from shop.prices import known, total


@pytest.fixture(scope="module")
def prices():
    return known()


def test_apple(prices):
    assert prices["apple"] == 3


def test_sum(prices):
    assert total(prices.values()) == 3
""",
    "tests/test_files.py": """\
from pathlib import Path

from shop.files import names, read

DATA = Path(__file__).parent.parent / "data"


def test_read():
    assert read(DATA / "prices.json") == {"apple": 3}


def test_names():
    assert names(DATA) == ["prices.json"]


def test_rule():
    rule = DATA.parent / "shop" / "rules" / "limit.rule"
    made = {}
    exec(compile(rule.read_text(), str(rule), "exec"), made)
    assert made["limit"] == 3
""",
    "tests/deep/conftest.py": """\
import pytest


@pytest.fixture
def one():
    return 1
""",
    "tests/deep/test_deep.py": "def test_deep(one):\n    assert one == 1\n",
    "tests/test_process.py": """\
import subprocess
import sys


def test_process():
    subprocess.run([sys.executable, "-c", ""], check=True)


def test_program_of_others():
    subprocess.run(["cat"], input=b"", check=True)
""",
}
_TEST_FILES = {path.removeprefix("tests/") for path in _FILES if Path(path).name.startswith("test_")}
_FAILED = "test_prices.py::test_fails"
_OPAQUE = "test_process.py::test_process"
_ALWAYS = {_FAILED, _OPAQUE}
_STEPS = {f"test_late.py::{name}" for name in ("test_step", "TestBase::test_inherited", "TestMore::test_inherited")}
_LABELS = {"test_prices.py::test_label[1]", "test_prices.py::test_label[20]"}
_SUM = {"test_prices.py::test_total", "test_shared.py::test_sum"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose tests Testlens has run once; one of them fails."""
    project = Project(tmp_path_factory.mktemp("affected") / "shop")
    for name, text in _FILES.items():
        project.write(name, text)
    assert run_testlens("run", str(project.root), "--python", sys.executable).returncode == 1
    return project


@contextlib.contextmanager
def _edited(project: Project, name: str, text: str | None) -> Iterator[None]:
    place = project.root / name
    before = place.read_bytes() if place.exists() else None
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        if text is None:
            place.unlink()
        else:
            place.write_text(text)
        yield
    finally:
        if before is None:
            place.unlink()
        else:
            place.write_bytes(before)


def _affected(project: Project) -> dict[str, Any]:
    found = json_of(run_testlens("affected", str(project.root), "--json"))
    assert set(found) == {"tests", "everything", "why"}
    return found


def _short(found: dict[str, Any]) -> set[str]:
    return {test.removeprefix("tests/") for test in found["tests"]}


def _edit(project: Project, name: str, before: str, after: str) -> contextlib.AbstractContextManager[None]:
    text = _FILES[name]
    assert before in text
    return _edited(project, name, text.replace(before, after))


@pytest.mark.parametrize(
    ("name", "before", "after", "tests"),
    [
        ("shop/prices.py", "result += price", "result -= price", _SUM),
        ("shop/prices.py", 'return "cheap"', 'return "poor"', _LABELS),
        ("shop/prices.py", "self.items.append(item)", "self.items = [item]", {"test_prices.py::test_basket"}),
        ("shop/prices.py", "    return price\n", "    return 0\n", set()),
        ("data/prices.json", "3", "4", {"test_files.py::test_read"}),
        ("shop/rules/limit.rule", "3", "4", {"test_files.py::test_rule"}),  # measured, but no Python file
        ("tests/test_prices.py", "== 3", "== 4", {"test_prices.py::test_total"}),
        ("tests/test_prices.py", "label(price) in", "label(price + 1) in", _LABELS),
        ("shop/build/steps.py", "return 1", "return 2", _STEPS),
        ("shop/late.py", "return 2", "return 3", {"test_late.py::test_imports"}),
        ("tests/test_late.py", "assert step() == 1\n\n\nclass TestMore", "assert step() > 0\n\n\nclass TestMore",
         _STEPS - {"test_late.py::test_step"}),
        ("tests/deep/conftest.py", "return 1", "return 2", {"deep/test_deep.py::test_deep"}),
    ],
)  # fmt: skip
def test_an_edit_selects_the_tests_that_ran_it(
    project: Project, name: str, before: str, after: str, tests: set[str]
) -> None:
    """And those that failed before, and those that start processes, of which nothing is known."""
    with _edit(project, name, before, after):
        found = _affected(project)
    assert not found["everything"], found["why"]
    assert _short(found) == tests | _ALWAYS
    assert found["tests"][0] == f"tests/{_FAILED}"


@pytest.mark.parametrize(
    ("name", "before", "after", "why"),
    [
        ("shop/prices.py", "LIMIT = 10", "LIMIT = 11", "runs at import (the module level)"),
        ("shop/prices.py", "size = 2", "size = 3", "runs at import (Basket)"),
        ("shop/prices.py", "limit=LIMIT", "limit=3", "runs at import"),
        ("shop/prices.py", '"""Of all."""', '"""Of them."""', "runs at import"),
        ("shop/prices.py", "return 5", "return 6", "at_import, which ran while the tests were imported"),
        ("shop/prices.py", '"apple": 3', '"apple": 4', "known, which ran in a fixture that several tests share"),
        ("shop/prices.py", "def never_run(price):", "def never_run(price:", "cannot be parsed"),
        ("shop/late.py", "return 1", "return 2", "made, which ran while a test imported modules"),
        ("shop/kept.py", '"one": 1', '"one": 2', "table, whose results are kept"),
        ("cases.json", "1", "2", "cases.json has changed, which was read for several tests"),
        ("shop/colours.py", "'red'", "'blue'", "runs at import"),
        ("pyproject.toml", '["."]', '[".", "x"]', "pyproject.toml has changed"),
    ],
)  # fmt: skip
def test_what_cannot_be_known_selects_everything(
    project: Project, name: str, before: str, after: str, why: str
) -> None:
    """Their files are named, since there may be new tests in them, and it is said why."""
    with _edit(project, name, before, after):
        found = _affected(project)
    assert found["everything"]
    assert why in found["why"]
    assert _short(found) == _TEST_FILES


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("shop/prices.py", "    result = 0\n", "    # begins\n    result = (\n        0\n    )\n\n"),
        ("tests/test_prices.py", "import pytest", "# tests of prices\n\n\nimport pytest"),
        ("tests/deep/conftest.py", "return 1", "return (1)"),
    ],
)
def test_comments_and_formatting_select_nothing(project: Project, name: str, before: str, after: str) -> None:
    """Not even a test that failed before."""
    with _edit(project, name, before, after):
        found = _affected(project)
    assert (found["tests"], found["everything"]) == ([], False)
    assert found["why"] == "Nothing has changed that a test could notice."


@pytest.mark.parametrize(
    ("name", "text", "tests"),
    [
        ("tests/test_new.py", "def test_new():\n    assert True\n", {"test_new.py"}),
        ("tests/test_prices.py", _FILES["tests/test_prices.py"] + "\n\ndef test_more():\n    assert True\n",
         {"test_prices.py", "test_prices.py::test_total", "test_prices.py::test_basket"} | _LABELS),
        ("data/more.json", "{}", {"test_files.py::test_names"}),
        ("tests/deep/test_deep.py", None, set()),
    ],
)  # fmt: skip
def test_what_comes_and_goes_is_seen(project: Project, name: str, text: str | None, tests: set[str]) -> None:
    """A new test is named by its file, which pytest takes as well; a new file is seen by who lists its folder."""
    with _edited(project, name, text):
        found = _affected(project)
    assert not found["everything"], found["why"]
    assert _short(found) == tests | _ALWAYS


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("tests/conftest.py", "", "tests/conftest.py has changed"),
        ("shop/new.py", "VALUE = 1\n", "is new, and may be imported by anything"),
        ("shop/colours.py", None, "is gone"),
        ("requirements.txt", "boto3\n", "requirements.txt has changed"),
    ],
)
def test_new_files_that_anything_may_use(project: Project, name: str, text: str | None, why: str) -> None:
    """They select what they may be used by."""
    with _edited(project, name, text):
        found = _affected(project)
    assert why in found["why"]
    selected = {test.partition("::")[0] for test in _short(found)}
    assert selected == _TEST_FILES


def test_a_list_for_scripts(project: Project) -> None:
    """One test a line and nothing else on standard output, so that it can be handed to pytest."""
    with _edit(project, "shop/prices.py", "result += price", "result -= price"):
        done = run_testlens("affected", str(project.root))
    assert done.returncode == 0
    assert set(done.stdout.splitlines()) == {f"tests/{test}" for test in _SUM | _ALWAYS}
    assert "total has changed" in done.stderr


def test_before_the_first_run_it_says_what_to_do(tmp_path: Path) -> None:
    """Scripts see by the exit status that they have to run everything themselves."""
    project = Project(tmp_path / "fresh")
    project.write("test_one.py", "def test_one():\n    assert True\n")
    assert run_testlens("affected", str(project.root)).returncode == 1
    found = _affected(project)
    assert found == {
        "tests": [],
        "everything": True,
        "why": "No run of all tests is known: run `testlens run` once.",
    }


def test_an_edit_while_the_tests_run_is_not_lost(tmp_path: Path) -> None:
    """The tests may have seen either text."""
    project = Project(tmp_path / "busy")
    project.write("code.py", "def one():\n    return 1\n")
    slow = "import pathlib\n\nfrom code_under_test import one\n\n\ndef test_one():\n    assert one() == 1\n"
    edits = (
        "\n\ndef test_edits():\n    pathlib.Path(__file__).write_text(pathlib.Path(__file__).read_text() + '# more')\n"
    )
    (project.root / "code.py").rename(project.root / "code_under_test.py")
    project.write("test_one.py", slow + edits)
    assert run_testlens("run", str(project.root), "--python", sys.executable).returncode == 0
    assert "test_one.py" in _affected(project)["tests"]


def test_a_run_that_ended_early_tells_nothing_of_the_rest(tmp_path: Path) -> None:
    """Whoever says that it is to end with the first failure."""
    project = Project(tmp_path / "early")
    project.write("pyproject.toml", '[tool.pytest.ini_options]\naddopts = "-x"\n')
    project.write("test_one.py", "def test_one():\n    assert False\n\n\ndef test_two():\n    assert True\n")
    run_testlens("run", str(project.root), "--python", sys.executable)
    assert _affected(project)["everything"]


def test_a_folder_below_the_tests_own_root_is_answered_with_everything(tmp_path: Path) -> None:
    """Node ids are relative to the folder with pytest's configuration."""
    project = Project(tmp_path / "mono" / "service")
    project.write("../pyproject.toml", "[tool.pytest.ini_options]\n")
    project.write("test_one.py", "def test_one():\n    assert True\n")
    run_testlens("run", str(project.root), "--python", sys.executable)
    assert _affected(project)["everything"]


def test_a_run_of_some_tests_tells_nothing_of_the_others(tmp_path: Path) -> None:
    """What arguments for pytest have left out may be affected by anything."""
    project = Project(tmp_path / "some")
    project.write("test_one.py", "def test_one():\n    assert True\n\n\ndef test_two():\n    assert True\n")
    run_testlens("run", str(project.root), "--python", sys.executable)
    assert not _affected(project)["everything"]
    run_testlens("run", str(project.root), "--python", sys.executable, "--", "-k", "one")
    assert _affected(project)["everything"]
