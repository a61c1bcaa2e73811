"""A test that is not written yet is tried as pytest would run it, and its trial says what it ran and saw."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from agent.exploring import exploring
from agent.interpreters import bare_environment, environment_with
from agent.projects import Project
from testlens.domain.calls import Raised
from testlens.domain.problems import Problem
from testlens.domain.trials import Seen
from testlens.runners.explorer import Explorer, ExplorerRequest

SHOP = {
    "shop.py": """
        class Basket:
            def __init__(self, store=None):
                self.items = []
                self.total = 0.0
                self._store = store

            def add(self, name, amount):
                self.items.append(name)
                self.total += price(amount)
                if self._store is not None:
                    self._store.put(name, amount=amount)

        def price(amount, member=False):
            if amount < 0:
                raise ValueError("no such amount")
            if member:
                return amount * 0.9
            return float(amount)

        def lines(basket):
            for item in basket.items:
                yield item.upper()

        async def later(value):
            return value
        """
}
PRICE = {"def": 13, "negative": 14, "raise": 15, "member": 16, "rebate": 17, "full": 18}


def lines(*names: str) -> set[int]:
    """The lines of `price` in the shop above."""
    return {PRICE[name] for name in names}


async def test_a_trial_tells_what_the_body_of_the_test_ran_and_saw(project: Project) -> None:
    project.write(SHOP)
    async with exploring(project) as exploration:
        trial = await exploration.trial("from shop import price\ndef test_it():\n    result = price(10, True)\n")

    assert trial.outcome == "passed"
    assert trial.lines == lines("negative", "member", "rebate")
    assert trial.arcs == {(-13, 14), (14, 16), (16, 17), (17, -13)}
    assert trial.local_values == {"result": Seen("float", "9.0")}
    assert 0 < trial.seconds < 2


async def test_a_trial_tells_what_left_the_body_and_from_where(project: Project) -> None:
    project.write(SHOP)
    text = "from shop import price\ndef test_it():\n    before = [1]\n    price(-1)\n"
    async with exploring(project) as exploration:
        trial = await exploration.trial(text)

    assert trial.outcome == "failed"
    assert trial.raised == Raised("ValueError", "no such amount", PRICE["raise"], {"args": "('no such amount',)"})
    assert trial.message == "ValueError: no such amount"
    assert trial.local_values["before"].code == "[1]"


async def test_what_fixtures_and_imports_run_is_not_counted(project: Project) -> None:
    text = """
import pytest
from shop import price

@pytest.fixture
def expensive():
    yield price(10)
    price(10, True)

def test_it(expensive):
    with pytest.raises(ValueError):
        price(-1)
"""
    project.write(SHOP)
    async with exploring(project) as exploration:
        first = await exploration.trial(text)
        inside = await exploration.trial("def test_it():\n    from shop import price\n    price(10)\n")

    assert (first.outcome, first.raised) == ("passed", None)
    assert first.lines == lines("negative", "raise")
    assert inside.lines == lines("negative", "member", "full")


async def test_values_are_told_as_a_test_can_write_them(project: Project) -> None:
    text = """
from unittest.mock import MagicMock
from shop import Basket, lines

def test_it(tmp_path):
    store = MagicMock()
    basket = Basket(store)
    basket.add("tea", 2)
    store.put.return_value.get("x", basket)
    upper = lines(basket)
    used = lines(basket)
    next(used)
    rest = map(str, [1, 2])
    numbers = (1, {"a": b"b"})
    place = tmp_path / "deep" / "file"
"""
    project.write(SHOP)
    async with exploring(project) as exploration:
        trial = await exploration.trial(text)

    seen = trial.local_values
    call, anything = "\x01unittest.mock:call\x02", "\x01unittest.mock:ANY\x02"
    assert seen["store"].type == "\x01unittest.mock:MagicMock\x02"
    assert seen["store"].calls == (f"{call}.put('tea', amount=2)", f"{call}.put().get('x', {anything})")
    assert seen["basket"] == Seen("\x01shop:Basket\x02", None, attributes={"items": "['tea']", "total": "2.0"})
    assert seen["upper"].iterable == ("'TEA'",)
    assert seen["used"].iterable is None
    assert seen["rest"].iterable == ("'1'", "'2'")
    assert seen["numbers"] == Seen("tuple", "(1, {'a': b'b'})")
    assert seen["tmp_path"].code == "tmp_path"
    assert seen["place"].code == 'tmp_path / "deep/file"'


async def test_looking_at_values_neither_fails_nor_hangs(project: Project) -> None:
    text = """
import itertools
class Odd:
    def __getattribute__(self, name): raise RuntimeError
    def __repr__(self): raise RuntimeError
    __eq__ = __hash__ = __bool__ = __repr__
def forever():
    while True: pass
    yield
def failing():
    raise ValueError
    yield
def test_it():
    odd, endless, stuck, failed = Odd(), itertools.count(), forever(), failing()
    cycle = []
    cycle.append(cycle)
"""
    project.write(SHOP)
    async with exploring(project) as exploration:
        trial = await exploration.trial(text)

    assert trial.outcome == "passed"
    assert {name: seen.iterable for name, seen in trial.local_values.items()} == dict.fromkeys(
        ("odd", "endless", "stuck", "failed", "cycle")
    )


KINDS = {
    "TestIt::test_it": "class TestIt:\n    def test_it(self):\n        price(1)\n",
    "TestChild::test_inherited": """
class Parent:
    def test_inherited(self):
        price(1)
class TestChild(Parent):
    pass
""",
    "Case::test_it": """
import unittest
class Case(unittest.TestCase):
    def setUp(self):
        price(-0.0, True)
    def test_it(self):
        self.assertEqual(price(1), 1)
""",
    "test_coroutine": "@pytest.mark.asyncio\nasync def test_coroutine():\n    price(await later(1))\n",
    "test_patched": "@mock.patch('os.getcwd')\ndef test_patched(getcwd):\n    price(1)\n",
    "test_with_mocker": "def test_with_mocker(mocker):\n    mocker.patch('shop.later')\n    price(1)\n",
    "test_of_rows": "@pytest.mark.parametrize('n', [1, 2])\ndef test_of_rows(n):\n    price(n)\n",
}


async def test_every_kind_of_test_can_be_tried(project: Project) -> None:
    plugins = ("pytest", "coverage", "pytest-asyncio", "pytest-mock")
    equipped = Project(project.root, environment_with("plugins", Path(sys.executable), plugins))
    equipped.write(SHOP)
    text = "from unittest import mock\nimport pytest\nfrom shop import later, price\n" + "".join(KINDS.values())
    async with exploring(equipped) as exploration:
        together = await exploration.trials(text, list(KINDS))
        alone = [await exploration.trial(text, test) for test in KINDS]

    assert [(trial.outcome, trial.message) for trial in alone] == [("passed", "")] * len(KINDS)
    ran = [trial.lines & set(PRICE.values()) for trial in alone]
    assert ran == [lines("negative", "member", "full")] * len(KINDS)
    assert [trial.arcs for trial in together] == [trial.arcs for trial in alone]


async def test_the_rows_of_a_test_are_one_trial_with_the_worst_outcome(project: Project) -> None:
    text = (
        "import pytest\nfrom shop import price\n"
        "@pytest.mark.parametrize('n', [-1, 2])\ndef test_it(n):\n    result = price(n)\n"
    )
    project.write(SHOP)
    async with exploring(project) as exploration:
        trial = await exploration.trial(text)

    raised = Raised("ValueError", "no such amount", PRICE["raise"], {"args": "('no such amount',)"})
    assert (trial.outcome, trial.raised) == ("failed", raised)
    assert trial.lines == lines("negative", "raise", "member", "full")


OUTCOMES = {
    "def test_it(): assert 1 == 2": ("failed", "AssertionError"),
    "def test_it(nothing): pass": ("error", "fixture 'nothing' not found"),
    "import pytest\n@pytest.fixture\ndef bad(): 1 / 0\ndef test_it(bad): pass": ("error", "ZeroDivisionError"),
    "import pytest\n@pytest.fixture\ndef bad():\n    yield\n    1 / 0\ndef test_it(bad): pass": (
        "error",
        "ZeroDivision",
    ),
    "import pytest\n@pytest.mark.skip(reason='later')\ndef test_it(): pass": ("skipped", "later"),
    "import pytest\n@pytest.mark.xfail(reason='known')\ndef test_it(): assert 0": ("skipped", ""),
    "import nothing_like_this\ndef test_it(): pass": ("error", "No module named 'nothing_like_this'"),
    "def test_it(: pass": ("error", "SyntaxError"),
    "def test_other(): pass": ("error", "did not collect a test named test_it"),
    "raise ValueError('at once')\ndef test_it(): pass": ("error", "at once"),
    "import pytest\ndef test_it(): pytest.fail('todo')": ("failed", "todo"),
}


async def test_outcomes_are_those_of_pytest(project: Project) -> None:
    project.write(SHOP)
    async with exploring(project) as exploration:
        trials = {text: await exploration.trial(text) for text in OUTCOMES}

    wrong = {
        text: trial
        for text, trial in trials.items()
        if trial.outcome != OUTCOMES[text][0] or OUTCOMES[text][1] not in trial.message
    }
    assert not wrong
    assert all(trial.raised is None for trial in trials.values() if trial.outcome in ("error", "skipped"))


FIXTURES = {
    "tests/conftest.py": "import pytest\n@pytest.fixture\ndef outer(): return ['outer']\n",
    "tests/deep/__init__.py": "",
    "tests/deep/conftest.py": "import pytest\n@pytest.fixture\ndef inner(outer): return [*outer, 'inner']\n",
    "tests/deep/helper.py": "HELP = 1\n",
    "other/conftest.py": "import pytest\n@pytest.fixture\ndef elsewhere(): return 1\n",
}


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
async def test_the_fixtures_of_the_folder_apply(project: Project, mode: str) -> None:
    project.write(SHOP | FIXTURES)
    async with exploring(project, pytest_args=(f"--import-mode={mode}",)) as exploration:
        deep = await exploration.trial(
            "from .helper import HELP\ndef test_it(inner):\n    help, seen = HELP, list(inner)\n",
            path="tests/deep/test_n.py",
        )
        new = await exploration.trial("def test_it(outer):\n    seen = list(outer)\n", path="tests/new/bdd/test_n.py")
        missing = await exploration.trial("def test_it(elsewhere): pass\n")

    assert (deep.outcome, deep.local_values["help"].code) == ("passed", "1"), deep.message
    assert deep.local_values["seen"].code == "['outer', 'inner']"
    assert (new.outcome, new.local_values["seen"].code) == ("passed", "['outer']"), new.message
    assert missing.message == "FixtureLookupError: fixture 'elsewhere' not found"


async def test_nothing_of_one_candidate_is_found_by_the_next(project: Project) -> None:
    own = """
import pytest
@pytest.fixture(autouse=True)
def around(outer):
    outer.append("around")
@pytest.fixture
def outer(outer):
    return [*outer, "own"]
def test_it(outer):
    seen = list(outer)
"""
    project.write(SHOP | FIXTURES)
    async with exploring(project) as exploration:
        first, second = [await exploration.trial(own) for _ in range(2)]
        plain = await exploration.trial("def test_it(outer):\n    seen = list(outer)\n")

    assert first.local_values["seen"].code == second.local_values["seen"].code == "['outer', 'own', 'around']"
    assert plain.local_values["seen"].code == "['outer']"


SESSION_FIXTURES = """
import pathlib, pytest, threading

count = []

@pytest.fixture(scope="session")
def slow():
    count.append(1)
    return {"times": len(count)}

@pytest.fixture(scope="session")
def file(tmp_path_factory):
    place = tmp_path_factory.mktemp("kept") / "file.txt"
    place.write_text("")
    return place

@pytest.fixture(scope="session")
def thread():
    stop = threading.Event()
    answers = threading.Event()
    def work():
        stop.wait(5)
        answers.set()
    threading.Thread(target=work, daemon=True).start()
    yield lambda: stop.set() or answers.wait(1)
"""


async def test_what_a_test_does_to_a_fixture_of_the_session_is_not_seen_by_the_next_trial(project: Project) -> None:
    project.write(SHOP | {"tests/conftest.py": SESSION_FIXTURES})
    texts = [
        "def test_it(slow):\n    slow['more'] = 1\n    seen = sorted(slow.items())\n",
        "def test_it(file):\n    file.write_text(file.read_text() + 'x')\n    seen = file.read_text()\n",
        "def test_it(thread):\n    seen = thread()\n",
    ]
    async with exploring(project) as exploration:
        trials = [[await exploration.trial(text) for _ in range(3)] for text in texts]

    seen = [[trial.local_values["seen"].code for trial in row] for row in trials]
    assert seen == [["[('more', 1), ('times', 1)]"] * 3, ["'x'"] * 3, ["True"] * 3]


async def test_a_module_that_was_edited_is_loaded_anew(project: Project) -> None:
    project.write(SHOP)
    text = "import shop\ndef test_it():\n    result = shop.price(1)\n"
    async with exploring(project) as exploration:
        before = await exploration.trial(text)
        project.write({"shop.py": "def price(amount):\n    return 'new'\n"})
        after = await exploration.trial(text)

    assert (before.local_values["result"].code, after.local_values["result"].code) == ("1.0", "'new'")


async def test_a_project_reached_through_a_link_is_tried_where_it_is(project: Project) -> None:
    project.write(SHOP | FIXTURES)
    link = project.root.with_name("link")
    link.symlink_to(project.root)
    async with exploring(Project(link, project.python)) as exploration:
        trial = await exploration.trial("from shop import price\ndef test_it(outer):\n    price(1)\n")
        description = await exploration.description("price", PRICE["def"])

    assert (trial.outcome, trial.lines) == ("passed", lines("negative", "member", "full"))
    assert (description.module, description.unreachable) == ("shop", None)


async def test_many_trials_may_be_asked_for_at_once(project: Project) -> None:
    project.write(SHOP)
    text = "import shop\n" + "".join(f"def test_{n}():\n    result = shop.price({n})\n" for n in range(12))
    async with exploring(project) as exploration:
        rows = await asyncio.gather(*(exploration.trials(text, [f"test_{n}"]) for n in range(12)))

    assert [trial.local_values["result"].code for (trial,) in rows] == [f"{n}.0" for n in range(12)]


SETTINGS = {
    "distributed": "-n 2",
    "in random order": "-p randomly",
    "measured": "--cov=shop --cov-report=xml --cov-fail-under=100",
    "with a report": "--junitxml=report.xml",
    "with a log": "-o log_file=test.log",
    "warnings are errors": "-W error",
    "no capturing": "-s",
    "strict": "--strict-markers --strict-config -ra -v",
}


@pytest.mark.parametrize("addopts", SETTINGS.values(), ids=SETTINGS.keys())
async def test_the_projects_options_hold_and_nothing_is_written(project: Project, addopts: str) -> None:
    project.write(
        SHOP | {"pytest.ini": f"[pytest]\naddopts = {addopts}\n", "tests/test_old.py": "def test_old(): pass\n"}
    )
    before = project.snapshot()
    async with exploring(project) as exploration:
        trial = await exploration.trial("from shop import price\ndef test_it():\n    price(1)\n")

    assert (trial.outcome, trial.lines) == ("passed", lines("negative", "member", "full"))
    assert project.snapshot() == before
    assert not list(project.root.rglob("*.pyc"))


async def test_without_forking_the_results_are_the_same(project: Project) -> None:
    text = "import os, shop\ndef test_a(): result = shop.price(1)\ndef test_b(): os._exit(2)\ndef test_c(outer): pass\n"
    project.write(SHOP | FIXTURES)
    answers = []
    for forks in (True, False):
        async with exploring(project, forks=forks) as exploration:
            trials = await exploration.trials(text, ["test_a", "test_b", "test_c"])
            description = await exploration.description("Basket.add", 7)
        answers.append(([(trial.outcome, trial.arcs, trial.local_values) for trial in trials], description))

    assert [outcome for outcome, *_ in answers[0][0]] == ["passed", "crashed", "passed"]
    assert answers[0] == answers[1]


HINDRANCES = {
    "tests/conftest.py": ("import nothing_like_this\n", "No module named 'nothing_like_this'"),
    "pytest.ini": ("[pytest]\naddopts = --no-such-option\n", "--no-such-option"),
}


@pytest.mark.parametrize("file", HINDRANCES)
@pytest.mark.parametrize("forks", [True, False], ids=["forked", "afresh"])
async def test_what_hinders_a_session_is_told(project: Project, file: str, forks: bool) -> None:
    content, said = HINDRANCES[file]
    project.write(SHOP | {"tests/test_it.py": "", file: content})
    problem = await Explorer.start(
        ExplorerRequest(project.root, str(project.python), project.root / "tests", forks=forks)
    )

    assert isinstance(problem, Problem)
    assert said in problem.message
    assert problem.severity == "error"


async def test_an_interpreter_without_pytest_is_told_what_to_install(project: Project, tmp_path: Path) -> None:
    python = bare_environment(tmp_path / "bare")
    problem = await Explorer.start(ExplorerRequest(project.root, str(python)))

    assert isinstance(problem, Problem)
    assert "pip install pytest" in problem.advice


async def test_an_interpreter_that_is_not_there_is_a_problem(project: Project) -> None:
    problem = await Explorer.start(ExplorerRequest(project.root, str(project.root / "no/python")))

    assert isinstance(problem, Problem)
    assert "could not be started" in problem.message


async def test_cancelling_the_start_ends_the_session(project: Project) -> None:
    project.write({"tests/conftest.py": "import time, pathlib\npathlib.Path('began').touch()\ntime.sleep(60)\n"})
    start = asyncio.create_task(
        Explorer.start(ExplorerRequest(project.root, str(project.python), project.root / "tests"))
    )
    while not (project.root / "began").exists():
        await asyncio.sleep(0.05)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(start, 5)


async def test_after_the_session_has_ended_every_question_is_answered(project: Project) -> None:
    project.write(SHOP)
    async with exploring(project) as exploration:
        await exploration.close()
        trial = await exploration.trial("def test_it(): pass\n")

    assert trial.outcome == "error"
    assert "ended" in trial.message


OLDER = {"pytest 7": ("pytest==7.4.4", "coverage"), "pytest 8.0": ("pytest==8.0.2", "coverage")}


@pytest.mark.parametrize("name", OLDER)
async def test_older_versions_of_pytest_do_as_well(project: Project, name: str) -> None:
    python = environment_with(name.replace(" ", "-"), Path(sys.executable), OLDER[name])
    older = Project(project.root, python)
    older.write(SHOP | FIXTURES)
    async with exploring(older) as exploration:
        results = [
            await exploration.trial("from shop import price\ndef test_it():\n    price(1)\n"),
            await exploration.trial(
                "from .helper import HELP\ndef test_it(inner): pass\n", path="tests/deep/test_n.py"
            ),
            await exploration.trial("class TestIt:\n    def test_it(self, outer): pass\n", "TestIt::test_it"),
        ]

    assert [(trial.outcome, trial.message) for trial in results] == [("passed", "")] * 3
    assert results[0].lines == lines("negative", "member", "full")
