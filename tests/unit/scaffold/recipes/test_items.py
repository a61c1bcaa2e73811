"""Collections hold items of the right kind, that can be told apart where there are many."""

from __future__ import annotations

from collections.abc import Mapping

from testlens.domain.calls import SeenCall
from testlens.domain.expressions import Expression, mark
from testlens.scaffold.recipe import Knowledge
from testlens.scaffold.recipes.items import filled, item_of, items_for, several
from testlens.scaffold.search import first_scenes
from testlens.scaffold.style import FixtureFacts, Style
from testlens.scaffold.values import static_description
from unit.scaffold.recipes.targets import target_at

RECORD = mark("shop", "Record")
WRITE = """
    class Record:
        pass


    def write(chunk: "Iterable[Record]") -> int:
        return len([record.key for record in chunk])


    def add(names):
        return sorted(names)
"""


def collection(line: str, name: str, style: Style, seen: Mapping[tuple[str, str], tuple[SeenCall, ...]]) -> str:
    """What the first scene hands on for a parameter, once it is filled."""
    target = target_at(WRITE, line)
    knowledge = Knowledge(style, static_description(target), seen)
    return filled(first_scenes(target, knowledge)[0], items_for(target, knowledge)).arguments[name].code


def test_a_fixture_of_the_right_class_is_the_item() -> None:
    style = Style(fixtures={"record": FixtureFacts("record", "conftest.py", returns="Record")})
    assert collection("return len", "chunk", style, {}) == "[record]"


def test_what_the_project_s_tests_handed_over_stays() -> None:
    records = f"[{RECORD}(1), {RECORD}(2)]"
    call = SeenCall("test_it", {"chunk": Expression(records, origin="seen")})
    assert collection("return len", "chunk", Style(), {("weather.py", "write"): (call,)}) == records


def test_a_name_tells_of_the_items_where_nothing_else_does() -> None:
    assert collection("return sorted", "names", Style(), {}) == "['name']"


def test_the_first_item_of_what_is_written_out_is_found() -> None:
    assert item_of(Expression(f"[{RECORD}('a', 1), {RECORD}('b', 2)]")) == Expression(f"{RECORD}('a', 1)")
    assert item_of(Expression("[]")) is None
    assert item_of(Expression("records")) is None


def test_many_items_differ_in_what_tells_them_apart() -> None:
    item = f"{RECORD}(note='at night', user_id='ada', at='2026-01-02')"
    varied, equal = several(item, 26)
    changing = item.replace("'ada'", 'f"ada-{number}"')
    assert varied == f"[{changing} for number in range(26)]"
    assert equal == f"[{item}] * 26"
    assert list(several(item, 0)) == ["[]"]
    assert next(several("7", 3)) == "[7 + number for number in range(3)]"
