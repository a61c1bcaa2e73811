"""Inputs that may tell a mutant apart come from what was seen, and from where the two conditions part."""

from __future__ import annotations

import ast
from random import Random

import pytest

from testlens.domain.expressions import Expression, mark
from testlens.domain.mutants import Mutant, Span
from testlens.domain.trials import FunctionDescription, ParameterFacts, Trial
from testlens.scaffold.kill.aim import Aim, find_aim
from testlens.scaffold.kill.boundaries import boundary_changes, texts_of, with_entries
from testlens.scaffold.kill.collaborators import with_named_stand_ins
from testlens.scaffold.kill.neighbours import failing_once
from testlens.scaffold.kill.performance import channels_of
from testlens.scaffold.kill.typed import random_values
from testlens.scaffold.kill.variants import variants
from testlens.scaffold.scene import Patch, Scene
from testlens.scaffold.target import NoTarget

SHOP = '''\
LIMIT = 10

def cost(total, member=False):
    """What it costs."""
    if total > 100 or member:
        return settings.get("rebate")
    return 5

def outer(value):
    def inner():
        return value + 1
    return inner
'''


def mutant(original: str, replacement: str, function: str = "cost", text: str = SHOP) -> Mutant:
    before, _, _ = text.partition(original)
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1)
    span = Span(line, column, line, column + len(original))
    return Mutant("shop.x", "shop.py", function, "", span, original, replacement, "survived")


def aim(original: str, replacement: str) -> Aim:
    found = find_aim(mutant(original, replacement), "shop", SHOP)
    assert isinstance(found, Aim), found
    return found


def test_an_aim_knows_the_changed_code_and_the_statement_it_stands_in() -> None:
    found = aim("total > 100", "total >= 100")
    assert found.mutated_text == SHOP.replace("total > 100", "total >= 100")
    assert (found.target.name, found.line, found.statement.lineno) == ("cost", 3, 5)
    assert ast.unparse(found.before or ast.Pass()) == "total > 100"
    assert ast.unparse(found.after or ast.Pass()) == "total >= 100"


@pytest.mark.parametrize(("ran", "is_reached"), [({5}, True), ({6}, False), (set(), False)])
def test_the_change_is_reached_where_its_line_ran_and_not_where_its_body_did(ran: set[int], is_reached: bool) -> None:
    assert aim("total > 100", "total >= 100").is_reached(Trial("passed", frozenset(ran))) is is_reached


def test_a_change_of_the_head_is_reached_with_the_first_statement() -> None:
    assert aim("member=False", "member=True").statement.lineno == 5


def test_what_a_mutant_plays_is_the_outermost_function() -> None:
    found = find_aim(mutant("value + 1", "value - 1", "outer"), "shop", SHOP)
    assert isinstance(found, Aim)
    assert (found.target.name, found.line) == ("outer", 9)


def test_a_text_that_was_edited_since_has_no_aim() -> None:
    found = find_aim(mutant("total > 100", "total >= 100"), "shop", SHOP.replace("100", "200"))
    assert found == NoTarget("the file was edited since the mutant was made")


def test_a_boundary_is_where_only_one_of_the_two_conditions_holds() -> None:
    parameters = tuple(ParameterFacts(name, "positional", False, "", ()) for name in ("total", "member"))
    scene = Scene(FunctionDescription("cost", "shop", "function", mark("shop", "cost"), parameters=parameters))
    scenes = [change(scene) for change in boundary_changes(aim("total > 100", "total >= 100"), "shop")]
    assert "100" in [one.arguments["total"].code for one in scenes[:1] if "total" in one.arguments]
    assert {"99", "101"} <= {one.arguments["total"].code for one in scenes if "total" in one.arguments}


def test_a_text_in_the_changed_expression_may_be_a_key() -> None:
    assert texts_of(aim('"rebate"', '"XXrebateXX"')) == ("rebate", "XXrebateXX")
    assert "{'a': 1, 'rebate': 'name'}" in list(with_entries("{'a': 1}", ("rebate",)))
    assert list(with_entries("'text'", ("rebate",))) == []


@pytest.mark.parametrize(
    ("code", "near"),
    [
        ("5", {"6", "4", "0", "-5"}),
        ("True", {"False"}),
        ("'ab'", {"''", "'AB'", "'a'"}),
        ("b'ab'", {"b''", "b'AB'"}),
        ("[1, 2]", {"[]", "[2, 1]", "[1, 2, 1]", "[2, 2]"}),
        ("{'a': 1}", {"{}", "{'a': 2}", "{'A': 1}"}),
        (f"{mark('shop', 'Item')}(size=1)", {f"{mark('shop', 'Item')}(size=2)", f"{mark('shop', 'Item')}()"}),
    ],
)
def test_near_a_value_are_those_with_one_thing_in_it_changed(code: str, near: set[str]) -> None:
    assert near <= set(variants(code))


def test_near_a_large_value_each_entry_is_missing_once_and_texts_end_earlier() -> None:
    upload = "{'user': 'ada', 'at': '2026-03-01T22:30:00+00:00', 'counts': [1, 2, 3], 'version': 1}"
    near = list(variants(upload))[:36]
    assert "{'user': 'ada', 'at': '2026-03-01T22:30:00+00:00', 'counts': [1, 2, 3]}" in near
    assert upload.replace("+00:00", "") in near


def test_a_stand_in_that_fails_is_tried_failing_the_first_time_alone() -> None:
    failing = Expression(
        f"{mark('unittest.mock', 'AsyncMock')}(side_effect={mark('shop', 'Error')}('boom'))", origin="mock"
    )
    scene = Scene(
        FunctionDescription("sell", "shop", "function", mark("shop", "sell")),
        patches=(Patch(mark("shop", ""), "ask", failing),),
        settings={"store.put": failing, "store.get": Expression("1")},
    )
    found = list(failing_once(scene))
    once = f"(side_effect=[{mark('shop', 'Error')}('boom'), {mark('unittest.mock', 'DEFAULT')}])"
    assert [one.patches[0].value.code.endswith(once) for one in found] == [True, False]
    assert [one.settings["store.put"].code.endswith(once) for one in found] == [False, True]
    assert not [other for one in found for other in failing_once(one) if other == one]


def test_what_cannot_be_parsed_has_nothing_near_it() -> None:
    assert list(variants("tmp_path / ")) == []


def test_random_values_are_of_the_kind_that_was_seen_and_the_same_each_time() -> None:
    parameter = ParameterFacts("sizes", "positional", False, "", ())
    made = []
    for _ in range(2):
        stream = random_values(parameter, Expression("[1, 2]"), Random(3))
        made.append([ast.literal_eval(next(stream).code) for _ in range(20)])
    assert made[0] == made[1]
    assert all(isinstance(value, list) and all(isinstance(item, int) for item in value) for value in made[0])
    assert {len(value) for value in made[0]} > {1}


def test_of_what_no_random_value_can_be_made_there_is_none() -> None:
    parameter = ParameterFacts("client", "positional", False, "Client", ())
    assert next(random_values(parameter, None, Random(3)), None) is None


def test_a_stand_in_inside_of_an_object_gets_a_name_of_its_own() -> None:
    mock, basket = f"{mark('unittest.mock', 'MagicMock')}()", mark("shop", "Basket")
    found, names = with_named_stand_ins([f"basket = {basket}({mock}, limit={mock})"], {"basket"}, ["store"])
    assert names == {"store", "limit"}
    assert set(found[:2]) == {f"store = {mock}", f"limit = {mock}"}
    assert found[2] == f"basket = {basket}(store, limit=limit)"


@pytest.mark.parametrize(
    ("code", "channels"),
    [
        ("logger.info('x')", {"log"}),
        ("print('x')", {"output"}),
        ("click.echo('x')", {"output"}),
        ("warnings.warn('x')", {"log", "warnings"}),
        ("total = 1", set()),
    ],
)
def test_what_a_statement_prints_logs_and_warns_of_is_looked_at(code: str, channels: set[str]) -> None:
    assert channels_of(ast.parse(code).body[0]) == channels
