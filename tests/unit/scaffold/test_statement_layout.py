"""Written code is left alone by `ruff format`: Ruff itself is the judge."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from testlens.scaffold.expression_layout import Spelling
from testlens.scaffold.layout import Margins
from testlens.scaffold.marked import Placeholders
from testlens.scaffold.statement_layout import Statements

A, B, C, D = (letter * 24 for letter in "abcd")
STATEMENTS = [
    "x=1",
    "x  =  {'a':1,'b':[2,3,],}",
    "x = 'it\\'s', \"it's\", 'say \"yes\"', '\\'both\\' \"kinds\"', r'\\d', b'x', u'y', 'a' 'b'",
    "x = 0XFF + 1E5 + 2J + 1. + .5 + 0b1 + 1_000",
    f"{A}({B}, {C}, {D}, 1)",
    f"{A}({B}, {C}, {D}, key={A})",
    f"{A}.{B}([{C}, {D}, {A}, {B}])",
    f"{A}.{B}(key=[{C}, {D}, {A}, {B}])",
    f"{A} = {B}({C}, {D})[{A}]",
    f"{A} = '{B} {C} {D}'",
    f"{A} = '{B} {C} {D} {A}'",
    f"assert {A}({B}) == {C}({D}, {A})",
    f"assert {A}({B}) == {{'{C}': 1, '{D}': 2}}",
    f"assert {A}.{B} == {C}.{D}",
    f"assert {A} == {B} == {C} == {D}",
    f"assert [{A} for {A} in {B}({C}, {D})] == [1]",
    f"assert {A} and {B} or {C} and not {D}",
    f"assert ({A} or {B}) and ({C} or {D}({A}))",
    f"assert {A}, '{B} {C} {D}'",
    f"assert {A} + {B} - {C} * {D} ** 2 ** {A}",
    f"assert isinstance({A}, {B}) is not isinstance({C}, {D})",
    f"assert {A}.a({B}).b({C}).c({D}).d()",
    f"with {A}({B}, {C}, match='{D}') as raised:\n    pass",
    f"with {A}({B}), {C}({D}) as x, {A}(1):\n    pass",
    f"with {A}({B}) as x: pass",
    f"for {A}, b in {B}({C}, {D}).items():\n    pass\nelse:\n    pass",
    f"while not {A}({B}, {C}, {D}):\n    break",
    f"if {A} and {B} and {C} and {D}:\n    x = 1\nelif x:\n    pass\nelse:\n    y = 2",
    "try:\n    f()\nexcept (A, B) as error:\n    raise C(1) from error\nexcept D: pass\nelse: g()\nfinally: h()",
    f"def {A}({B}, {C}, *, {D}=1, **rest): return 1",
    f"def {A}({B}: int = 1, /, *args: str) -> dict[{C}, {D}]:\n    '''Doc.'''\n    yield",
    f"async def {A}{B}{C}(self):\n    await f()\n    async with a: pass\n    async for b in c: pass",
    f"@{A}.{B}(('a', 'b'), [({C}, 1), ({D}, 2)])\n@x\ndef f(a, b):\n\n    def g(): ...\n    return g",
    "class A(B, metaclass=C):\n    x: int = 1\n    y: str\n    def f(self):\n        pass\n    z = 1",
    f"x = lambda a, *b, c=1, **d: {A}",
    f"x = [{A} for a in {B} if {C} if {D}]",
    f"x = {{{A}: {B} for a in {C} for b in {D}}}",
    f"x = ({A} if {B} else {C}) + {D}",
    f"x = {A} if {B} else {C} if {D} else 1",
    "x[1:2], x[a:], x[:b], x[::2], x[a + 1 :], x[f(a) : b], x[1, ...], x[-1]",
    "x = not a, -b, ~c, a**2, a.b**-c, f(a) ** 2, (-1) ** 2, (yield), (1).real",
    "x = (a,)\nx += (1, 2)\ndel x, y\nglobal z\n",
    "print(*a, **b)\nprint(x for x in y)\nprint((x for x in y), 1)",
    "if (n := f()) > 1:\n    pass",
    "x = f'{a!r:>{b}} and {c}'",
    f"{A}(\n    # why\n    {B},\n)",
    "x = 1  # one\n# two\ny = 2\n\n\n\nz = 3",
    "if x:  # yes\n    # now\n    y = 1\n    # done\nelse:  # no\n    z = 1",
]


def in_a_function(code: str) -> str:
    """The statements, written into a function."""
    fragment = Placeholders((3, 11)).parse([code])
    spelling = Spelling({}, fragment.literals, fragment.enclosed)
    writer = Statements(fragment.source, fragment.comments, spelling, Margins(88))
    return "\n".join(["def f():", *writer.lines(fragment.body, "    "), *writer.comments_after("    "), ""])


@pytest.fixture(scope="module")
def ruff_format(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[str]], list[str]]:
    def run(texts: list[str], *options: str) -> list[str]:
        folder = tmp_path_factory.mktemp("texts")
        files = [folder / f"{number}.py" for number in range(len(texts))]
        for file, text in zip(files, texts, strict=True):
            file.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "ruff", "format", "--isolated", "--no-cache", "-q", *options, str(folder)]
        subprocess.run(command, check=True)
        return [file.read_text(encoding="utf-8") for file in files]

    return run


def test_ruff_leaves_written_statements_alone(ruff_format: Callable[[list[str]], list[str]]) -> None:
    written = [in_a_function(code) for code in STATEMENTS]
    assert [(w, r) for w, r in zip(written, ruff_format(written), strict=True) if w != r] == []
