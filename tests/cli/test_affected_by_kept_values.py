"""`testlens affected`, where code keeps what it has computed: tests that only find it there are selected as well."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from pathlib import Path

import pytest

from cli.projects import Project, json_of, run_testlens
from testlens.runners.warm_runner import WarmRunner
from testlens.workspace.continuous import run_affected
from testlens.workspace.workspace import Workspace

_FILES = {
    "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\naddopts = ["-p", "no:randomly"]\n',
    "shop/__init__.py": "",
    "shop/model.py": """\
_model = None


def weights(path):
    return [2, 3]


def load(path):
    return weights(path)


def get_model():
    global _model
    if _model is None:
        _model = load("model.pt")
    return _model


def predict(value):
    return get_model()[0] * value
""",
    "shop/clients.py": """\
from shop import regions

_clients = {}


class Client:
    def __init__(self, name):
        self.address = regions.address(name)

    def send(self, text):
        return f"{self.address}: {text}"


def client(name):
    try:
        return _clients[name]
    except KeyError:
        _clients[name] = made = Client(name)
        return made
""",
    "shop/regions.py": """\
def address(name):
    return f"https://{name}"
""",
    "shop/memo.py": """\
import functools


def memoize(function):
    found = {}

    @functools.wraps(function)
    def wrapper(key):
        if key not in found:
            found[key] = function(key)
        return found[key]

    return wrapper


def shouted(function):
    def wrapper(text):
        return function(text).upper()

    return wrapper


def rate_of(country):
    return len(country)


@memoize
def rate(country):
    return rate_of(country)


def reset(function):
    calls = []

    def note(value):
        calls.append(counted(value))

    note(function)
    return calls


def counted(value):
    return 1
""",
    "shop/tables.py": """\
from functools import cached_property, lru_cache


def rows():
    return [1, 2]


@lru_cache(maxsize=None)
def table():
    return tuple(rows())


def first():
    return table()[0]


def names():
    return ["a"]


class Catalogue:
    @cached_property
    def names(self):
        return names()


catalogue = Catalogue()


class Prices:
    _known = {}

    def of(self, name):
        if name not in self._known:
            self._known[name] = asked(name)
        return self._known[name]


def asked(name):
    return 5


values = {}


def keep(key, value):
    values[key] = value


def fetched():
    return 7


def fill():
    keep("price", fetched())
""",
    "shop/service.py": """\
class Service:
    def __init__(self, limits=None):
        self._limits = limits

    @property
    def limits(self):
        if self._limits is None:
            self._limits = read_limits()
        return self._limits


def read_limits():
    return {"most": 10}


service = Service()
""",
    "shop/mode.py": """\
_mode = {"name": "quiet"}


def chosen(name):
    return name


def loudly(work):
    before = _mode["name"]
    try:
        _mode["name"] = chosen("loud")
        return work()
    finally:
        _mode["name"] = before


def is_quiet():
    return _mode["name"] == "quiet"
""",
    "shop/state.py": "token = None\n",
    "shop/tokens.py": """\
from shop import state
from shop.memo import shouted


def made():
    return "token"


def token():
    if state.token is None:
        state.token = signed(made())
    return state.token


@shouted
def signed(text):
    return text


def users():
    return ["ann"]
""",
    "tests/helpers.py": """\
from functools import lru_cache

from shop.tokens import users


@lru_cache
def first_user():
    return users()[0]
""",
    "tests/conftest.py": """\
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
""",
    "tests/test_tokens.py": """\
from helpers import first_user

from shop.tokens import token


def test_token():
    assert token().lower() == "token"


def test_token_is_long():
    assert len(token()) > 3


def test_user():
    assert first_user()


def test_name_of_user():
    assert name_of_user() == "ann"


def name_of_user():
    return first_user()
""",
    "tests/test_model.py": """\
from shop.model import get_model, predict


def test_predicts():
    assert predict(2) == 4


def test_predicts_nothing():
    assert predict(0) == 0


def test_second_weight():
    assert get_model()[1] == 3
""",
    "tests/test_clients.py": """\
from shop.clients import Client, client


def test_sends():
    assert client("eu").send("hello").endswith("hello")


def test_sends_to_the_address():
    assert client("eu").send("hello") == "https://eu: hello"


def test_without_a_client():
    assert Client.__name__ == "Client"
""",
    "tests/test_memo.py": """\
from shop.memo import rate, reset


def test_rate():
    assert rate("fr") == 2


def test_rate_again():
    assert rate("fr") + 1 == 3


def test_resets():
    assert reset(1) == [1]


def test_resets_anything():
    assert reset("") == [1]
""",
    "tests/test_tables.py": """\
from shop import tables
from shop.tables import Prices, catalogue, first, table


def test_first():
    assert first() == 1


def test_first_again():
    assert first() + 1 == 2


def test_table():
    assert table() == (1, 2)


def test_names():
    assert catalogue.names == ["a"]


def test_number_of_names():
    assert len(catalogue.names) == 1


def test_price():
    assert Prices().of("apple") == 5


def test_same_price():
    assert Prices().of("apple") + 1 == 6


def test_fills():
    tables.fill()


def test_filled():
    assert shown() == 7


def shown():
    return tables.values["price"]
""",
    "tests/test_service.py": """\
from shop.service import Service, service


def test_limits():
    assert service.limits["most"] == 10


def test_limits_are_few():
    assert len(service.limits) == 1


def test_limits_of_its_own():
    assert Service({"most": 2}).limits["most"] == 2
""",
    "tests/test_mode.py": """\
from shop.mode import is_quiet, loudly


def test_loudly():
    assert loudly(lambda: 1) == 1


def test_quiet():
    assert is_quiet()
""",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose tests Testlens has run once: each value was computed in the first test that wanted it."""
    project = Project(tmp_path_factory.mktemp("kept") / "shop")
    for name, text in _FILES.items():
        project.write(name, text)
    ran = run_testlens("run", str(project.root), "--python", sys.executable)
    assert ran.returncode == 0, ran.stdout
    return project


def _selected(project: Project, name: str, before: str, after: str) -> set[str]:
    text = _FILES[name]
    assert text.count(before) == 1
    project.write(name, text.replace(before, after))
    try:
        found = json_of(run_testlens("affected", str(project.root), "--json"))
    finally:
        project.write(name, text)
    assert not found["everything"], found["why"]
    return {test.partition("::")[2] for test in found["tests"]}


@pytest.mark.parametrize(
    ("name", "before", "after", "tests"),
    [
        # A variable of the module, filled by what only the first test ran.
        ("shop/model.py", "[2, 3]", "[2, 4]", {"test_predicts", "test_predicts_nothing", "test_second_weight"}),
        ("shop/model.py", 'load("model.pt")', 'load("m.pt")',
         {"test_predicts", "test_predicts_nothing", "test_second_weight"}),
        # A container of the module, and what is called in another one on the way.
        ("shop/regions.py", 'f"https', 'f"http', {"test_sends", "test_sends_to_the_address"}),
        # A decorator of the project's own, and those of the standard library: tests themselves name the property.
        ("shop/memo.py", "len(country)", "1", {"test_rate", "test_rate_again"}),
        ("shop/tables.py", "[1, 2]", "[3]", {"test_first", "test_first_again", "test_table"}),
        ("shop/tables.py", '["a"]', '["b"]', {"test_names", "test_number_of_names"}),
        # A container of the class.
        ("shop/tables.py", "return 5", "return 6", {"test_price", "test_same_price"}),
        # What somebody else has computed, and hands over to be kept.
        ("shop/tables.py", "return 7", "return 8", {"test_fills", "test_filled"}),
        # A variable of another module, by way of a function that is decorated.
        ("shop/tokens.py", '"token"', '"key"', {"test_token", "test_token_is_long"}),
        ("shop/memo.py", ".upper()", ".title()", {"test_token", "test_token_is_long"}),
        # What helpers of the tests keep, of which it is not known when they ran.
        ("shop/tokens.py", '"ann"', '"bob"', {"test_user", "test_name_of_user"}),
        # An instance that tests share, but not one of a test's own.
        ("shop/service.py", "10", "11", {"test_limits", "test_limits_are_few"}),
    ],
)  # fmt: skip
def test_what_a_test_finds_computed_is_its_business(
    project: Project, name: str, before: str, after: str, tests: set[str]
) -> None:
    """Only the first of them ran the code that was edited."""
    assert _selected(project, name, before, after) == tests


@pytest.mark.parametrize(
    ("name", "before", "after", "tests"),
    [
        ("shop/mode.py", "return name", "return name.upper()", {"test_loudly"}),  # put back when the work is done
        ("shop/memo.py", "return 1", "return 2", {"test_resets", "test_resets_anything"}),  # ends with the call
        ("shop/clients.py", 'f"{self.address}: {text}"', 'f"{text}"', {"test_sends", "test_sends_to_the_address"}),
    ],
)
def test_what_is_not_kept_selects_only_those_that_ran_it(
    project: Project, name: str, before: str, after: str, tests: set[str]
) -> None:
    """Nobody waits for tests that cannot notice."""
    assert _selected(project, name, before, after) == tests


async def test_it_does_not_matter_which_test_has_filled_a_cache(project: Project, tmp_path: Path) -> None:
    """After a run of some tests, in which another one was the first, all of them are selected still."""
    root = Path(shutil.copytree(project.root, tmp_path / "shop"))
    edited = root / "tests/test_clients.py"
    edited.write_text(edited.read_text().replace('"https://eu: hello"', '"".join(["https://eu: hello"])'))
    with contextlib.closing(Workspace(root)) as workspace:
        workspace.refresh()
        done = await run_affected(workspace, sys.executable, WarmRunner(), lambda _event: None, asyncio.to_thread)
    assert done.is_known
    assert done.affected.tests == ("tests/test_clients.py::test_sends_to_the_address",)
    regions = root / "shop/regions.py"
    regions.write_text(regions.read_text().replace('f"https', 'f"http'))
    found = json_of(run_testlens("affected", str(root), "--json"))
    assert {test.partition("::")[2] for test in found["tests"]} == {"test_sends", "test_sends_to_the_address"}
