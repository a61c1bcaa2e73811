"""For each gap it is known which function has to be called and under which conditions the gap is reached."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from testlens.domain.gaps import Region
from testlens.scaffold.target import NoTarget, Target, find_target

SOURCE = dedent(
    '''\
    import os

    LIMIT = 3
    if os.name == "nt":
        LIMIT = 4


    class Shop:
        size = 1

        def sell(self, order, member=False):
            """Sell."""
            if order is None:
                return 0
            for line in order:
                if line < 0:
                    raise ValueError(line)
                elif line > LIMIT:
                    break
            else:
                self.calm = True
            try:
                self.store(order)
            except (OSError, KeyError) as error:
                return str(error)
            finally:
                self.size += 1
            match order:
                case [first, *_] if first:
                    return first
            while member:
                member = False
            return len(order)


    def retrying(times):
        def decorate(function):
            def again(*args):
                return function(*args)
            return again
        return decorate
    '''
)
LINES = SOURCE.split("\n")


def line_of(part: str) -> int:
    (found,) = [number for number, line in enumerate(LINES, 1) if part in line]
    return found


def uncovered(part: str, function: str = "Shop.sell", scope: str = "def sell") -> Target | NoTarget:
    """The target of a gap of one line."""
    line = line_of(part)
    scope_line = line_of(scope) if scope else 0
    region = Region("uncovered", function, scope_line, line, line, (line,), (), "")
    return find_target("shop.py", "shop", ast.parse(SOURCE), region, ())


def guards_of(part: str) -> list[str]:
    target = uncovered(part)
    assert isinstance(target, Target)
    return [
        f"{guard.kind} {ast.unparse(guard.test) if guard.test else ''} {'yes' if guard.wanted else 'no'}"
        for guard in target.guards
    ]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("return 0", ["if order is None yes"]),
        ("raise ValueError", ["if order is None no", "for order yes", "if line < 0 yes"]),
        ("break", ["if order is None no", "for order yes", "if line < 0 no", "if line > LIMIT yes"]),
        ("self.calm", ["if order is None no"]),
        ("return str(error)", ["if order is None no", "except (OSError, KeyError) yes"]),
        ("return first", ["if order is None no", "case order yes", "if first yes"]),
        ("member = False\n", ["if order is None no", "while member yes"]),
        ("return len(order)", ["if order is None no"]),
    ],
    ids=lambda value: value.strip() if isinstance(value, str) else "",
)
def test_the_conditions_on_the_way_are_known(part: str, expected: list[str]) -> None:
    assert guards_of(part.strip() if "\n" not in part else "            member = False") == expected


def test_a_branch_that_was_never_taken_is_wanted_the_other_way() -> None:
    line = line_of("if line < 0")
    region = Region("partial", "Shop.sell", line_of("def sell"), line, line, (), ((line, line + 1),), "")
    target = find_target("shop.py", "shop", ast.parse(SOURCE), region, ())
    assert isinstance(target, Target)
    assert target.guards[-1].wanted
    away = Region("partial", "Shop.sell", line_of("def sell"), line, line, (), ((line, line + 2),), "")
    target = find_target("shop.py", "shop", ast.parse(SOURCE), away, ())
    assert isinstance(target, Target)
    assert not target.guards[-1].wanted


def test_a_method_has_its_class_and_its_dotted_name() -> None:
    target = uncovered("return 0")
    assert isinstance(target, Target)
    assert (target.name, target.owner and target.owner.name) == ("Shop.sell", "Shop")


def test_a_gap_in_an_inner_function_aims_at_the_outermost_one() -> None:
    target = uncovered("return function(*args)", "retrying.decorate.again", "def again")
    assert isinstance(target, Target)
    assert target.name == "retrying"
    assert [function.name for function in target.inner] == ["decorate", "again"]


@pytest.mark.parametrize(
    ("part", "function", "scope"), [("LIMIT = 4", "<module>", ""), ("size = 1", "Shop", "class S")]
)
def test_what_runs_at_import_cannot_be_called_and_says_so(part: str, function: str, scope: str) -> None:
    found = uncovered(part, function, scope)
    assert isinstance(found, NoTarget)
    assert "when the module is imported" in found.reason
