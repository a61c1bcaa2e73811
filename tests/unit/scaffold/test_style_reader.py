"""How a project writes its tests is read from those tests."""

from __future__ import annotations

from textwrap import dedent

import pytest

from testlens.scaffold.style import FixtureFacts, Style, StyleConfig
from testlens.scaffold.style_reader import read_style

NOTHING = StyleConfig()
ASYNCIO = StyleConfig(libraries=frozenset({"pytest_asyncio"}))


def read(*texts: str, config: StyleConfig = NOTHING, **files: str) -> Style:
    """The style of test files with these texts, and of files at these paths."""
    named = {f"tests/test_{number}.py": dedent(text) for number, text in enumerate(texts)}
    return read_style(named | {path: dedent(text) for path, text in files.items()}, config)


def of_paths(*paths: str, config: StyleConfig = NOTHING) -> Style:
    """The style of empty test files at these paths."""
    return read_style(dict.fromkeys(paths, "def test_a():\n    pass\n"), config)


def test_a_project_without_tests_has_the_default_style() -> None:
    assert read_style({}, NOTHING) == Style()


@pytest.mark.parametrize(
    ("paths", "folder"),
    [
        (["tests/test_a.py", "tests/unit/test_b.py"], "tests"),
        (["testing/unit/test_a.py", "testing/unit/deep/test_b.py"], "testing"),
        (["test_a.py", "test_b.py"], ""),
        (["pkg/a/tests/test_a.py", "pkg/b/tests/test_b.py", "pkg/b/tests/test_c.py"], "pkg/b/tests"),
    ],
)
def test_the_folder_of_the_tests_is_found(paths: list[str], folder: str) -> None:
    assert of_paths(*paths).folder == folder


def test_pytests_settings_say_where_tests_are() -> None:
    config = StyleConfig(test_paths=("missing", "spec"))
    assert of_paths("tests/test_a.py", "tests/test_b.py", "spec/test_c.py", config=config).folder == "spec"


def test_files_are_named_as_most_are() -> None:
    assert of_paths("a_test.py", "b_test.py", "test_c.py").file_name == "{}_test.py"
    assert of_paths("a_test.py", "test_c.py").file_name == "test_{}.py"


def test_tests_are_in_classes_where_most_are() -> None:
    function, method = "def test_a():\n    pass\n", "class TestA:\n    def test_b(self):\n        pass\n"
    assert not read(function).classes
    assert read(method).classes
    assert not read(f"{function}\n{method}").classes
    assert read(f"{method}    def test_c(self):\n        pass\n{function}").classes


@pytest.mark.parametrize(
    ("body", "docstrings"),
    [
        ('"""\n    Given a thing\n    When it runs\n    Then it ran\n    """', "given-when-then"),
        ('"""GIVEN a thing, set up\n    WHEN it runs"""', "given-when-then"),
        ("# Given a thing\n    x = 1\n    # then it ran\n    assert x", "comments"),
        ('"""It runs."""', "sentence"),
        ('"""Given the right input, it runs."""', "sentence"),
        ("assert True  # Given", "none"),
    ],
)
def test_it_is_known_where_a_test_says_what_it_does(body: str, docstrings: str) -> None:
    assert read(f"def test_a():\n    {body}\n").docstrings == docstrings


def test_quotes_and_line_length_are_those_of_most_lines() -> None:
    style = read("def test_a():\n    x = 'a', 'b', \"c's\"\n    '''d'''\n    y = \"e\"\n" + f"# {'x' * 95}\n")
    assert style.quotes == "'"
    assert style.line_length == 100
    assert read("x = 1\n" * 600 + f"# {'x' * 200}\n").line_length == 79


def test_the_formatters_settings_count_more_than_the_lines() -> None:
    style = read("x = 'a'\n", config=StyleConfig(quotes='"', line_length=120))
    assert (style.quotes, style.line_length) == ('"', 120)


def test_annotated_tests_are_noticed() -> None:
    assert read("def test_a() -> None:\n    pass\n").annotated
    assert not read("def test_a():\n    pass\n").annotated


@pytest.mark.parametrize(
    ("text", "config", "mode"),
    [
        ("", NOTHING, "none"),
        ("", StyleConfig(libraries=frozenset({"anyio"})), "none"),
        ("", ASYNCIO, "strict"),
        ("", StyleConfig(libraries=frozenset({"pytest_asyncio"}), asyncio_mode="auto"), "auto"),
        ("@pytest.mark.asyncio\nasync def test_a():\n    pass\n", NOTHING, "strict"),
        ("@pytest.mark.anyio\nasync def test_a():\n    pass\n", NOTHING, "anyio"),
        ("@pytest.mark.anyio\nasync def test_a():\n    pass\n", ASYNCIO, "anyio"),
        ("pytestmark = pytest.mark.anyio\n\n\nasync def test_a():\n    pass\n", NOTHING, "anyio"),
        ("class TestA:\n    pytestmark = [pytest.mark.asyncio]\n", NOTHING, "strict"),
    ],
)  # fmt: skip
def test_async_tests_run_as_the_projects_do(text: str, config: StyleConfig, mode: str) -> None:
    assert read(text, config=config).asyncio == mode


def test_marks_that_nearly_all_tests_have_are_known() -> None:
    marked = "@pytest.mark.unit\ndef test_a():\n    pass\n"
    module = "pytestmark = [pytest.mark.unit, pytest.mark.usefixtures('x')]\n\n\ndef test_a():\n    pass\n"
    in_class = "@pytest.mark.unit\nclass TestA:\n    @pytest.mark.skip\n    def test_a(self):\n        pass\n"
    assert read(marked, module, in_class).marks == ("unit",)
    assert read(marked, "def test_b():\n    pass\n").marks == ()


def test_modules_are_imported_whole_where_most_tests_do() -> None:
    config = StyleConfig(sources=("src/shop/__init__.py", "src/shop/models.py", "src/shop/errors.py"))
    style = read(
        "import click\nimport json\nfrom shop import models\nfrom shop.errors import Closed\n",
        "import click as c\nfrom click import echo\nfrom json import loads\nfrom shop import Shop\n",
        "import click\nfrom json import dumps\n",
        config=config,
    )
    assert style.whole == {"click", "shop.models"}
    assert style.first_party == {"shop", "tests"}


def test_fixtures_of_conftest_files_are_known() -> None:
    conftest = """\
        import pytest
        from pytest import fixture


        @pytest.fixture
        def client(app, tmp_path) -> "Client":
            return app.client(tmp_path)


        @fixture(autouse=True, name="clock")
        def make_clock():
            yield


        @pytest_asyncio.fixture(scope="session")
        async def session() -> Iterator[int]:
            yield 1


        def helper():
            pass
        """
    style = read(**{"tests/conftest.py": conftest, "tests/unit/conftest.py": "@pytest.fixture\ndef client(): pass\n"})
    assert dict(style.fixtures) == {
        "client": FixtureFacts("client", "tests/conftest.py", ("app", "tmp_path"), "'Client'"),
        "clock": FixtureFacts("clock", "tests/conftest.py", autouse=True),
        "session": FixtureFacts("session", "tests/conftest.py", returns="Iterator[int]"),
    }


@pytest.mark.parametrize(
    ("paths", "folder"),
    [
        (["tests/test_a.py"], "tests/bdd"),
        (["tests/test_a.py", "tests/scenarios/test_b.py"], "tests/scenarios"),
        (["test_a.py"], "bdd"),
    ],
)
def test_scenarios_have_their_place(paths: list[str], folder: str) -> None:
    assert of_paths(*paths).bdd_folder == folder


def test_feature_files_show_where_scenarios_are() -> None:
    assert (
        of_paths("tests/test_a.py", config=StyleConfig(features=("tests/features/a.feature",))).bdd_folder
        == "tests/features"
    )


def test_each_name_on_a_line_of_its_own_is_noticed() -> None:
    assert read("from a import b\nfrom a import c\n").single_imports
    assert not read("from a import b, c\nfrom a import d as e\n").single_imports


def test_what_pytest_collects_is_its_setting() -> None:
    config = StyleConfig(python_files=("check_*.py",), python_classes=("Check",), python_functions=("check_*",))
    style = read("class CheckA:\n    def check_b(self):\n        pass\n", config=config)
    assert style.classes
    assert style.file_patterns == ("check_*.py",)


MODULES = ("__init__", "models", "_prices", "errors", "sandbox", "web/models", "web/views")
SOURCES = StyleConfig(sources=tuple(f"src/shop/{module}.py" for module in MODULES))


def mapped(**texts: str) -> dict[str, str]:
    """The test file of each source file, both without what all of them have in common."""
    files = {f"tests/{name.replace('__', '/')}.py": text for name, text in texts.items()}
    found = read_style(files, SOURCES).test_files
    return {source.removeprefix("src/shop/"): test.removeprefix("tests/") for source, test in found.items()}


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ({"test_prices": ""}, {"_prices.py": "test_prices.py"}),
        ({"prices_test": ""}, {"_prices.py": "prices_test.py"}),
        ({"test_price": ""}, {"_prices.py": "test_price.py"}),
        ({"test_shop": ""}, {"__init__.py": "test_shop.py"}),
        ({"test_web_views": ""}, {"web/views.py": "test_web_views.py"}),
        ({"unit__web__test_models": ""}, {"web/models.py": "unit/web/test_models.py"}),
        ({"test_models": "from shop.models import Record\n"}, {"models.py": "test_models.py"}),
        ({"test_models": "from shop.web import models\n"}, {"web/models.py": "test_models.py"}),
        ({"test_models": ""}, {}),
        ({"bdd__test_prices_scenarios": "", "bdd__test_prices": ""}, {}),
        ({"test_security": "from shop.sandbox import Box\n\nBox()\nBox()\n"}, {"sandbox.py": "test_security.py"}),
        ({"test_security": "from shop import sandbox\n\nsandbox.Box()\n"}, {"sandbox.py": "test_security.py"}),
        ({"test_a": "from shop.sandbox import B\nB()\n", "test_b": "from shop.sandbox import B\nB()\n"}, {}),
        ({"test_a": "from shop.errors import ClosedError\n\nClosedError\n"}, {}),
        ({"test_a": "from shop.sandbox import B\nfrom shop.web.views import V\nB, V\n"}, {}),
    ],
)
def test_the_test_file_of_a_source_file_is_found(texts: dict[str, str], found: dict[str, str]) -> None:
    assert mapped(**texts) == found


@pytest.mark.parametrize(
    "text", ["def test_a(:\n", "\0", "x = " + "(" * 5000, "\ufeffdef test_a():\n    pass\n", "print 'x'\n"]
)
def test_no_text_is_too_bad_to_read(text: str) -> None:
    style = read(text, "class TestA:\n    def test_a(self):\n        pass\n" * 2, **{"tests/conftest.py": text})
    assert style.classes
