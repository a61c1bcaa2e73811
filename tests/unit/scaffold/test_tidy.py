"""Code of a draft is written so that linters have nothing to say, and does the same as before."""

from __future__ import annotations

import pytest

from testlens.domain.expressions import mark
from unit.scaffold.drafts import RAISES, body_of, case

DECIMAL = mark("decimal", "Decimal")


def tidied(*code: str) -> str:
    """The statements as they are written in a test."""
    lines = body_of(case(*code)).splitlines()[1:]
    return "\n".join(line.removeprefix("    ") for line in lines)


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("assert x == None", "assert x is None"),
        ("assert x != None", "assert x is not None"),
        ("assert None == x", "assert x is None"),
        ("assert f() == True", "assert f() is True"),
        ("assert f() != False", "assert f() is not False"),
        ("assert not x in y", "assert x not in y"),
        ("assert not x is y", "assert x is not y"),
        ("assert not x == y", "assert x != y"),
        ("assert type(x) == int", "assert type(x) is int"),
        ("assert int == type(x)", "assert int is type(x)"),
        ("assert x == 1", "assert x == 1"),
        ("assert x == y == None", "assert x == y == None"),
        ("assert x == dict(a=1)", 'assert x == {"a": 1}'),
        ("assert x == list()", "assert x == []"),
        ("assert x == tuple()", "assert x == ()"),
        ("assert x == set([1])", "assert x == {1}"),
        ("assert x == set()", "assert x == set()"),
        ("assert x == str('a')", 'assert x == "a"'),
        ("assert f(**{'a': 1, 'b': 2})", "assert f(a=1, b=2)"),
        ("assert f(a=1, **{'a': 2})", 'assert f(a=1, **{"a": 2})'),
        ("assert f(**{'class': 2})", 'assert f(**{"class": 2})'),
        ("assert getattr(x, 'y')", "assert x.y"),
        ("assert getattr(x, '__y')", 'assert getattr(x, "__y")'),
        ("setattr(x, 'y', 1)", "x.y = 1"),
        (f"assert {DECIMAL}('-7') == {DECIMAL}('7.0')", 'assert Decimal(-7) == Decimal("7.0")'),
        ("f = lambda x, *y: x\nassert f(1)", "def f(x, *y):\n    return x\n\nassert f(1)"),
        ("with a:\n    with b as c:\n        c()", "with a, b as c:\n    c()"),
        ("with a:\n    with b:\n        f()\n    g()", "with a:\n    with b:\n        f()\n    g()"),
        ("l = 1\nassert l + f(l=l)", "l_ = 1\nassert l_ + f(l=l_)"),
        ("x.y", "_ = x.y"),
        ("x == y", "_ = x == y"),
        ("x()", "x()"),
        ("await x", "await x"),
    ],
)
def test_the_same_is_said_as_linters_prefer_it(code: str, written: str) -> None:
    assert tidied(code) == written


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("x = f()\ny = 1\ng()", "f()\ng()"),
        ("x = f()\ny = x\ng()", "f()\ng()"),
        ("x = f()\nassert x", "x = f()\nassert x"),
        ("x = f()\n\ndef g():\n    return x\n\ng()", "x = f()\n\ndef g():\n    return x\n\ng()"),
        ("x = [f()]", "_ = [f()]"),
        ("x, y = f()\nassert x", "x, _y = f()\nassert x"),
        ("x = f()\nx += 1", "x = f()\nx += 1"),
        ("x = 1\nassert locals()", "x = 1\nassert locals()"),
        (f"with {RAISES}(E) as raised:\n    f()", "with pytest.raises(E):\n    f()"),
        ("try:\n    f()\nexcept E as e:\n    x = 1", "try:\n    f()\nexcept E:\n    pass"),
        ("for x in y:\n    z = x", "for x in y:\n    pass"),
        ("def f():\n    x = 1\n\nf()", "def f():\n    x = 1\n\nf()"),
    ],
)
def test_variables_that_nothing_reads_are_left_out(code: str, written: str) -> None:
    assert tidied(code) == written


def test_a_variable_is_kept_for_a_later_step() -> None:
    text = body_of(case("assert x", given=("x = 1",), when=("y = 2", "f()")))
    assert text == "def test_it_works():\n    x = 1\n    f()\n    assert x\n"
