"""What a written test looks like in the style of its project."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import pytest

from testlens.domain.cases import Case, Helper, Step
from testlens.domain.expressions import mark
from testlens.scaffold.render import UnwritableError, write
from testlens.scaffold.style import FixtureFacts, Style
from unit.scaffold.drafts import PLACE, PLAIN, RAISES, RECORD, body_of, case, draft, text_of, written

SAVED = Case(
    "when_a_record_is_saved_then_it_is_there",
    Step("a record", ("record = 1",)),
    Step("it is saved", ("saved = abs(record)",)),
    Step("it is there", ("assert saved == 1",)),
)


def test_a_new_file_imports_what_it_needs_and_holds_the_test() -> None:
    made = written(case(f"assert {RECORD}(1) == {mark('datetime', 'date')}(2024, 1, 2)"))
    assert made.files[PLACE.test_file] == dedent("""\
        from datetime import date

        from shop.models import Record


        def test_it_works():
            assert Record(1) == date(2024, 1, 2)
        """)
    assert made.node_ids == ("tests/test_shop.py::test_it_works",)


@pytest.mark.parametrize(
    ("docstrings", "body"),
    [
        (
            "given-when-then",
            '''
            """
            Given a record
            When it is saved
            Then it is there
            """
            record = 1
            saved = abs(record)
            assert saved == 1
            ''',
        ),
        (
            "comments",
            """
            # Given a record
            record = 1

            # When it is saved
            saved = abs(record)

            # Then it is there
            assert saved == 1
            """,
        ),
        (
            "sentence",
            '''
            """When it is saved, it is there."""
            record = 1
            saved = abs(record)
            assert saved == 1
            ''',
        ),
        (
            "none",
            """
            record = 1
            saved = abs(record)
            assert saved == 1
            """,
        ),
    ],
)
def test_a_test_says_what_it_does_where_the_projects_tests_say_it(docstrings: str, body: str) -> None:
    style = replace(PLAIN, docstrings=docstrings)
    expected = dedent(body).strip().replace("\n", "\n    ").replace("    \n", "\n")
    assert body_of(SAVED, style=style) == f"def test_{SAVED.name}():\n    {expected}\n"


def test_scenarios_are_methods_whose_parts_can_be_told_apart() -> None:
    made = written(SAVED, recipe="bdd", group="Save", style=Style())
    assert made.names == ("TestSaveScenarios::test_when_a_record_is_saved_then_it_is_there",)
    assert made.files[PLACE.test_file] == dedent('''\
        class TestSaveScenarios:
            def test_when_a_record_is_saved_then_it_is_there(self):
                """
                Given a record
                When it is saved
                Then it is there
                """
                # Given
                record = 1

                # When
                saved = abs(record)

                # Then
                assert saved == 1
        ''')


def test_tests_are_methods_where_those_of_the_project_are() -> None:
    text = body_of(case("assert 1"), case("assert 2", name="other"), style=replace(PLAIN, classes=True))
    assert text == dedent("""\
        class TestThing:
            def test_it_works(self):
                assert 1

            def test_other(self):
                assert 2
        """)


def test_an_assertion_that_only_records_today_is_marked_once() -> None:
    recorded = case("x = abs(1)", "assert x == 1", "assert x < 2", when=("assert True",), records_today=True)
    assert body_of(recorded) == dedent("""\
        def test_it_works():
            assert True
            x = abs(1)
            # Recorded from today's behaviour: confirm that it is meant.
            assert x == 1
            assert x < 2
        """)


def test_an_exception_that_only_records_today_is_marked_where_it_is_expected() -> None:
    recorded = case(when=(f"with {RAISES}(ValueError, match='x'):\n    int('x')",), records_today=True)
    assert body_of(recorded) == dedent("""\
        def test_it_works():
            # Recorded from today's behaviour: confirm that it is meant.
            with pytest.raises(ValueError, match="x"):
                int("x")
        """)


def test_what_is_left_to_do_fails_loudly_at_the_end() -> None:
    assert body_of(case("assert abs(1)", todo="build a `Record`")) == dedent("""\
        def test_it_works():
            assert abs(1)
            # TODO: build a `Record`
            pytest.fail("TODO: build a `Record`")
        """)


def test_a_long_task_is_told_in_lines_that_fit() -> None:
    text = body_of(case(todo="build a record of which nothing is known; " * 4))
    assert max(map(len, text.splitlines())) <= 88
    namespace: dict[str, object] = {}
    exec(text.replace("pytest.fail(", "told("), {"told": lambda message: namespace.update(said=message)}, namespace)
    namespace["test_it_works"]()  # type: ignore[operator]
    assert namespace["said"] == "TODO: " + ("build a record of which nothing is known; " * 4).strip()


def test_a_case_without_code_does_not_pass() -> None:
    assert 'pytest.fail("TODO: ' in body_of(case())


@pytest.mark.parametrize(
    ("mode", "head"),
    [
        ("auto", "async def test_it_works():"),
        ("strict", "@pytest.mark.asyncio\nasync def test_it_works():"),
        ("anyio", "@pytest.mark.anyio\nasync def test_it_works():"),
    ],
)
def test_an_async_test_is_marked_as_the_projects_mode_wants(mode: str, head: str) -> None:
    style = replace(PLAIN, asyncio=mode)
    assert body_of(case("assert await f()", is_async=True), style=style) == f"{head}\n    assert await f()\n"


def test_an_async_test_that_is_marked_already_is_not_marked_again() -> None:
    wanted = case("assert await f()", is_async=True, decorators=(f"{mark('pytest', 'mark')}.asyncio",))
    assert text_of(wanted, style=replace(PLAIN, asyncio="strict")).count("asyncio") == 1
    marked_file = "import pytest\n\npytestmark = pytest.mark.asyncio\n"
    unmarked = case("assert await f()", is_async=True)
    assert text_of(unmarked, into=marked_file, style=replace(PLAIN, asyncio="strict")).count("asyncio") == 1


def test_a_test_has_the_marks_that_the_others_have() -> None:
    style = replace(PLAIN, marks=("unit",))
    assert body_of(case("assert 1"), style=style) == "@pytest.mark.unit\ndef test_it_works():\n    assert 1\n"
    already = case("assert 1", decorators=(f"{mark('pytest', 'mark')}.unit",))
    assert text_of(already, style=style).count("unit") == 1
    assert (
        text_of(case("assert 1"), into="import pytest\n\npytestmark = pytest.mark.unit\n", style=style).count("unit")
        == 1
    )


def test_an_async_test_runs_without_any_plugin() -> None:
    text = text_of(case("assert await sleep() is None", is_async=True, fixtures=("sleep",)))
    assert text == dedent("""\
        import asyncio


        def test_it_works(sleep):
            async def scenario():
                assert await sleep() is None

            asyncio.run(scenario())
        """)


def test_fixtures_are_typed_where_the_projects_tests_are() -> None:
    conftest = dedent("""\
        from collections.abc import Iterator

        import boto3
        from shop.models import Record

        from elsewhere import *
        """)
    fixtures = {
        "record": FixtureFacts("record", "tests/conftest.py", returns="Iterator[Record]"),
        "session": FixtureFacts("session", "tests/conftest.py", returns="'boto3.Session'"),
        "odd": FixtureFacts("odd", "tests/conftest.py", returns="Unknown"),
        "untyped": FixtureFacts("untyped", "tests/conftest.py"),
    }
    style = replace(PLAIN, annotated=True, fixtures=fixtures, line_length=120)
    wanted = case("assert 1", fixtures=("tmp_path", "record", "session", "odd", "untyped", "unknown"))
    made = write(draft(wanted), PLACE, style, {"tests/conftest.py": conftest})
    assert made.files[PLACE.test_file] == dedent("""\
        from pathlib import Path

        import boto3

        from shop.models import Record


        def test_it_works(tmp_path: Path, record: Record, session: boto3.Session, odd, untyped, unknown) -> None:
            assert 1
        """)


def test_names_follow_what_pytest_collects_here() -> None:
    style = replace(PLAIN, classes=True, class_patterns=("*Spec",), function_patterns=("should_*",))
    assert written(case("assert 1"), style=style).names == ("ThingSpec::should_it_works",)


def test_sentences_cannot_break_out_of_their_docstring() -> None:
    wild = Case("x", Step('a "quote"""', ()), Step("a \\path\nand a new line"), Step('it ends with "', ("assert 1",)))
    body = body_of(wild, style=replace(PLAIN, docstrings="given-when-then"))
    assert body.splitlines()[2:5] == [
        "    Given a \"quote'''",
        "    When a \\\\path and a new line",
        "    Then it ends with '",
    ]
    compile(body, "x", "exec")


def test_comments_of_a_draft_are_kept() -> None:
    text = body_of(
        case(
            "# what is left",
            "for item in range(2):  # twice\n    # each\n    print(item)\n    # at the end",
            "# last",
            given=("# nothing is set up",),
        )
    )
    assert text == dedent("""\
        def test_it_works():
            # nothing is set up
            # what is left
            for item in range(2):  # twice
                # each
                print(item)
                # at the end
            # last
        """)


def test_comments_within_an_expression_are_kept_above_it() -> None:
    text = body_of(case("l = 1", "assert f(\n    # why\n    l,  # this\n    2,\n) == 3  # done"))
    assert text == dedent("""\
        def test_it_works():
            l_ = 1
            # why
            # this
            assert f(l_, 2) == 3  # done
        """)


def test_what_is_nested_without_end_is_refused() -> None:
    with pytest.raises(UnwritableError):
        written(case(f"assert {' + '.join(['x'] * 30_000)}"))


FAILS = Helper("fails", f"@{mark('pytest', 'fixture')}\ndef fails():\n    '''Fails.'''\n    return {RECORD}")


def test_a_helper_is_written_to_conftest_once() -> None:
    wanted = draft(case("assert fails == 1", fixtures=("fails",)), helpers=(FAILS,))
    first = write(wanted, PLACE, PLAIN, {})
    assert first.files["tests/conftest.py"] == dedent('''\
        import pytest

        from shop.models import Record


        @pytest.fixture
        def fails():
            """Fails."""
            return Record
        ''')
    second = write(wanted, PLACE, PLAIN, first.files)
    assert list(second.files) == [PLACE.test_file]
    assert second.names == ("test_it_works_2",)


@pytest.mark.parametrize(
    "texts",
    [
        {"conftest.py": "def fails():\n    pass\n"},
        {"tests/conftest.py": "from helpers import fails\n"},
        {"tests/test_shop.py": "def fails():\n    pass\n"},
    ],
)
def test_a_helper_that_is_in_reach_is_not_written(texts: dict[str, str]) -> None:
    made = write(draft(case("assert 1"), helpers=(FAILS,)), PLACE, PLAIN, texts)
    assert list(made.files) == [PLACE.test_file]
    assert "return Record" not in made.files[PLACE.test_file]


def test_a_helper_out_of_reach_does_not_count() -> None:
    texts = {"tests/unit/conftest.py": "def fails():\n    pass\n"}
    assert "tests/conftest.py" in write(draft(case("assert 1"), helpers=(FAILS,)), PLACE, PLAIN, texts).files


def test_a_helper_stays_with_the_tests_where_conftest_cannot_be_read() -> None:
    made = write(draft(case("assert 1"), helpers=(FAILS,)), PLACE, PLAIN, {"tests/conftest.py": "def (:"})
    assert list(made.files) == [PLACE.test_file]
    assert "def fails():" in made.files[PLACE.test_file]


@pytest.mark.parametrize(
    "code", ["assert (", "x = \ud800", f"{mark('m', 'f.<locals>.g')}()", f"{mark('a.class', 'x')}()"]
)
def test_a_draft_that_is_no_python_is_refused(code: str) -> None:
    with pytest.raises(UnwritableError):
        written(case(code))


def test_nothing_is_believed_of_a_test_that_is_no_python() -> None:
    """A file that cannot be parsed stays as it is; the tests go to one beside it."""
    made = written(case("assert 1"), into="def broken(:\n")
    assert made.files == {"tests/test_shop_2.py": "def test_it_works():\n    assert 1\n"}
    assert made.node_ids == ("tests/test_shop_2.py::test_it_works",)
