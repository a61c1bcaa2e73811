"""What a written test looks like, and what happens to the file that it is written into."""

from __future__ import annotations

from textwrap import dedent

from testlens.domain.cases import Helper
from testlens.domain.expressions import mark
from testlens.scaffold.place import Place
from testlens.scaffold.render import write
from testlens.scaffold.style import Style
from unit.scaffold.drafts import RECORD, asserting, case, draft

PLACE = Place("tests/test_shop.py", "tests/conftest.py")
PLAIN = Style(docstrings="none", first_party=frozenset({"shop"}))


def test_a_new_file_imports_what_it_needs_and_holds_the_test() -> None:
    written = write(asserting(f"{RECORD}(1) == {mark('datetime', 'date')}(2024, 1, 2)"), PLACE, PLAIN, {})
    assert written.files["tests/test_shop.py"] == dedent("""\
        from datetime import date

        from shop.models import Record


        def test_it_works():
            assert Record(1) == date(2024, 1, 2)
        """)
    assert written.node_ids == ("tests/test_shop.py::test_it_works",)


def test_a_test_goes_to_the_end_of_the_file_and_its_imports_to_the_others() -> None:
    old = dedent("""\
        # The shop's tests.
        import pytest

        from shop.errors import Closed


        def test_closed():
            with pytest.raises(Closed):  # as it must
                open_shop( )
        """)
    written = write(asserting(f"{RECORD}(1)"), PLACE, PLAIN, {PLACE.test_file: old})
    assert written.files[PLACE.test_file] == old.replace(
        "Closed\n\n", "Closed\nfrom shop.models import Record\n\n", 1
    ) + dedent("""\


        def test_it_works():
            assert Record(1)
        """)
    assert [(edit.line, edit.end) for edit in written.edits] == [(5, 5), (10, 10)]


def test_a_helper_is_written_to_conftest_once() -> None:
    helper = Helper("fails", f"@{mark('pytest', 'fixture')}\ndef fails():\n    return 1")
    wanted = draft(case("assert fails == 1", fixtures=("fails",)), helpers=(helper,))
    first = write(wanted, PLACE, PLAIN, {})
    assert first.files["tests/conftest.py"] == "import pytest\n\n\n@pytest.fixture\ndef fails():\n    return 1\n"
    second = write(wanted, PLACE, PLAIN, first.files)
    assert list(second.files) == [PLACE.test_file]
    assert second.names == ("test_it_works_2",)
