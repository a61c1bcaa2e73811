"""Drafts of every kind and files of every kind, to write the ones into the others."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

from testlens.domain.cases import Case, Draft, Helper, Step
from testlens.domain.expressions import mark
from testlens.scaffold.style import Style

LIBRARY = Path(sysconfig.get_paths()["stdlib"])
CALL = mark("unittest.mock", "call")
DECIMAL = mark("decimal", "Decimal")
MOCK = mark("unittest.mock", "Mock")
ORDERED = mark("collections", "OrderedDict")
PARAMETRIZE = f"{mark('pytest', 'mark')}.parametrize"
RAISES = mark("pytest", "raises")


def _case(name: str, given: str = "", when: str = "", then: str = "", **rest: Any) -> Case:
    """A case whose statements are the lines of the texts that are not indented."""
    steps = [
        Step(f"{word} of {name}", _statements(code)) for word, code in zip("abc", (given, when, then), strict=True)
    ]
    return Case(name, *steps, **rest)


def _statements(code: str) -> tuple[str, ...]:
    found: list[str] = []
    for line in dedent(code).strip().splitlines():
        if line[:1] == " " and found:
            found[-1] += f"\n{line}"
        elif line:
            found.append(line)
    return tuple(found)


CASES = (
    _case("plain", "value = 1", "result = abs(value)", "assert result == 1", records_today=True),
    _case(
        "values_are_long",
        f"order = {ORDERED}([('first', {DECIMAL}('1.50')), ('second', {DECIMAL}('7')), ('third', {DECIMAL}('-3'))])",
        "result = sorted(order.items(), key=lambda item: item[1], reverse=True)",
        f"assert result == [('second', {DECIMAL}('7')), ('first', {DECIMAL}('1.50')), ('third', {DECIMAL}('-3'))]",
    ),
    _case(
        "it_fails",
        when=f"with {RAISES}(ValueError, match='invalid literal') as raised:\n    int('x')",
        records_today=True,
    ),
    _case(
        "the_error_is_looked_at",
        when=f"with {RAISES}({mark('json', 'JSONDecodeError')}) as raised:\n    {mark('json', 'loads')}('{{')",
        then="assert raised.value.pos == 1\nassert type(raised.value) == ValueError or not raised.value.pos in [2]",
    ),
    _case(
        "calls_are_seen",
        f"client = {MOCK}(side_effect=[None, 'late', ValueError('a message that is quite long, and then some more')])",
        "client.put(Item={'id': 1, 'name': \"it's\"})",
        f"assert client.mock_calls == [{CALL}.put(Item={{'id': 1, 'name': \"it's\"}})]",
    ),
    _case(
        "singletons", "nothing = None", "found = [nothing, True]", "assert found[0] == None\nassert found[1] == True"
    ),
    _case("unused", "a = 1\nb, c = (2, 3)\nf = lambda x: x", "d = abs(-4)", "assert c == 3"),
    _case("ambiguous", "l = [1]", "O = l + [2]", "assert sorted(O, key=lambda I: -I) == [2, 1]"),
    _case(
        "names_clash",
        "record = 1\njson = 2\nsys = 3",
        f"other = {mark('json', 'dumps')}(record)",
        f"assert other == '1'\nassert {mark('sys', 'version_info')} > (3,)\nassert json + sys == 5",
    ),
    _case(
        "imports_look_like_tests",
        when=f"loader = {mark('unittest', 'TestLoader')}()\nsuite = {mark('unittest', 'TestSuite')}()",
        then=f"""
            assert loader
            assert not list(suite)
            assert {mark("doctest", "testmod")}
            assert {mark("doctest", "testfile")}
            """,
    ),
    _case(
        "builtins_clash",
        when=f"opened = {mark('codecs', 'open')}",
        then=f"assert opened\nassert {mark('math', 'pow')}(2, 2) == 4",
    ),
    _case(
        "modules",
        when=f"kind = {mark('unittest.mock', '')}\nmodule = {mark('os.path', '')}",
        then="assert kind.Mock\nassert module",
    ),
    _case("deep", when=f"made = {mark('logging.handlers', 'MemoryHandler')}(3)", then="assert made.capacity == 3"),
    _case("of_a_class", when=f"kind = {mark('enum', 'Enum.__members__')}", then="assert kind is not None"),
    _case(
        "asks_for_fixtures",
        when="monkeypatch.setenv('A', 'b')",
        then="assert tmp_path.exists()",
        fixtures=("monkeypatch", "tmp_path"),
    ),
    _case(
        "a_table",
        when="result = abs(value)",
        then="assert result == expected",
        fixtures=("value", "expected"),
        decorators=(f"{PARAMETRIZE}(('value', 'expected'), [(1, 1), (-1, 1), (0, 0), (-123456789, 123456789)])",),
    ),
    _case("waits", when="result = await echo(1)", then="assert result == 1", is_async=True, fixtures=("echo",)),
    _case(
        "todo", todo='build "thing": its path is C:\\new, and nothing else is known of it, which is why you are asked'
    ),
    _case("empty"),
    _case(
        "blocks",
        """
        class Fake:
            def __init__(self):
                self.calls = []

            def __call__(self, *args, **kwargs):
                self.calls.append((args, kwargs))
        """,
        """
        fake = Fake()
        for number in range(3):
            fake(number, key=number)  # as often as it takes
        with open(__file__) as file:
            with file:
                pass
        """,
        "# what came of it\nassert fake.calls == [((0,), {'key': 0}), ((1,), {'key': 1}), ((2,), {'key': 2})]",
    ),
    _case("properties", f"path = {mark('pathlib', 'Path')}('a/b')", "path.name", "assert path.name == 'b'"),
    _case(
        "old_ways",
        "made = dict(a=1)\nempty = list()\nthing = type('T', (), {})()\nsetattr(thing, 'x', made)",
        then="assert getattr(thing, 'x') == {'a': 1}\nassert empty == []",
    ),
    _case(
        "private",
        when=f"hidden = {mark('_thread', '_local')}",
        then=f"assert hidden\nassert {mark('__future__', 'annotations')}",
    ),
    _case("texts", when="text = f'{1 + 1} and \"more\"'", then="assert text\nassert 'naïve ☃ \\U0001f600' != text"),
)
HELPERS = (
    Helper(
        "echo",
        f"@{mark('pytest', 'fixture')}"
        + dedent('''
            def echo():
                """Gives back what it is given."""

                async def give(value):
                    return value

                return give
            ''').rstrip(),
    ),
    Helper(
        "fails",
        f"@{mark('pytest', 'fixture')}"
        + dedent(f"""
            def fails(monkeypatch):
                # Nothing waits.
                monkeypatch.setattr({mark("time", "")}, 'sleep', {MOCK}())
                return lambda times, error: [error] * times
            """).rstrip(),
        "module",
    ),
)
STYLES = (
    Style(),
    Style(classes=True, annotated=True, docstrings="sentence", asyncio="strict", line_length=79),
    Style(
        docstrings="comments", quotes="'", line_length=100, asyncio="auto", whole=frozenset({"collections", "decimal"})
    ),
    Style(classes=True, docstrings="none", line_length=120, asyncio="anyio", single_imports=True),
)
HOSTS: dict[str, str | None] = {
    "missing": None,
    "empty": "",
    "blank": "\n\n",
    "comment only": "# nothing yet",
    "docstring only": '"""Tests."""\n',
    "no newline": "def test_a(): pass",
    "cookie": "#!/usr/bin/env python\n# -*- coding: latin-1 -*-\n\nX = 1\n",
    "byte order mark": "\ufeffimport os\n\n\ndef test_a():\n    assert os\n",
    "byte order mark, no imports": "\ufeffX = 1\n",
    "windows": "import os\r\n\r\n\r\ndef test_a():\r\n    assert os  # yes\r\n\r\n",
    "old mac": "import os\rdef test_a():\r    assert os\r",
    "form feed": "import os\n\n\x0c\ndef test_a():\n    assert os\n\x0c\ndef test_b():\n    assert 'a\x0cb'\n",
    "does not parse": "def test_a(:\n",
    **{
        name: dedent(text)
        for name, text in {
            "tabs": """\
                import os


                class TestThing:
                \tdef test_a(self):
                \t\tassert os

                \tdef test_plain(self):
                \t\tpass
                """,
            "script": """\
                import os


                def test_a():
                    assert os


                # Run me.
                if __name__ == '__main__':
                    test_a()
                """,
            "future": '"""Doc."""\nfrom __future__ import annotations\n\nX: int = 1\n',
            "future last": "from __future__ import annotations\nimport os\nprint(os)\n",
            "continued": """\
                from collections import \\
                    OrderedDict
                from decimal import (
                    Decimal,
                )

                print(OrderedDict, Decimal)
                """,
            "comments in imports": """\
                from collections import (  # two
                    OrderedDict,
                    deque,
                )
                print(OrderedDict, deque)
                """,
            "noqa": """\
                import os  # noqa: F401
                from decimal import Decimal  # noqa: F401
                import csv ; import cmd
                """,
            "type checking": """\
                from typing import TYPE_CHECKING

                if TYPE_CHECKING:
                    from decimal import Decimal
                    import json

                x: 'Decimal'
                y: 'json'
                """,
            "conditional": """\
                try:
                    import json
                except ImportError:
                    json = None
                from decimal import Decimal as D
                print(json, D)
                """,
            "shadowed": """\
                from decimal import Decimal
                import pytest

                Decimal = Decimal
                json = sys = pytest


                def Mock():
                    pass
                """,
            "star": "from os.path import *\n\n\ndef test_a():\n    assert join('a', 'b')\n",
            "path hack": """\
                import sys
                sys.path.insert(0, '.')
                import pytest


                def test_a():
                    assert pytest
                """,
            "unsorted": """\
                import sys
                import os
                import pytest
                from decimal import Decimal
                import json
                print(sys, os, pytest, Decimal, json)
                """,
            "single lines": """\
                from decimal import Context
                from decimal import Decimal

                import pytest

                print(Context, Decimal, pytest)
                """,
            "class closed by comment": """\
                class TestThing:
                    def test_a(self):
                        pass
                    # The end of it.
                # Not of it.


                def test_b():
                    pass
                """,
            "class in one line": "class TestThing: x = 1\n",
            "class of unittest": """\
                import unittest


                class TestThing(unittest.TestCase):
                    def test_a(self):
                        pass
                """,
            "class with two spaces": "class TestThing:\n  def test_plain(self):\n    pass\n",
            "skipped class": """\
                import pytest


                @pytest.mark.skip
                class TestThing:
                    def test_a(self):
                        pass
                """,
            "class with constructor": "class TestThing:\n    def __init__(self):\n        pass\n",
            "other name": "import collections as json\nprint(json)\n",
            "dotted": "import os.path\nimport unittest.mock\n\nprint(os.path, unittest.mock)\n",
            "alias": "import unittest.mock as mock\nfrom unittest import mock as m2\n\nprint(mock, m2)\n",
            "marked": "import pytest\n\npytestmark = pytest.mark.asyncio\n",
            "text at the end": "def test_a():\n    assert '''\n# not a comment\n'''\n",
            "semicolons": "import os; x = 1\nif x: import sys\n",
            "no blank lines": """\
                import pytest
                def test_a():
                    pass
                class TestB:
                    def test_c(self): pass
                """,
            "deleted": "import json\ndel json\nfrom decimal import Decimal\nfor Decimal in ():\n    pass\n",
            "global": "def set_up():\n    global json, Decimal\n    json = Decimal = 1\n",
        }.items()
    },
}


def draft_number(number: int) -> Draft:
    """A draft of a few cases, another for each number."""
    chosen = [CASES[(number * 7 + step * 5) % len(CASES)] for step in range(1 + number % 4)]
    return Draft(("bdd", "error-path")[number % 2], "Thing", tuple(dict.fromkeys(chosen)), HELPERS[: number % 3])


def everything(recipe: str) -> Draft:
    """One draft of all cases."""
    return Draft(recipe, "Thing", CASES, HELPERS)


def library_files(every: int) -> Iterator[tuple[str, str]]:
    """Each so many of the files of the standard library, and of its own tests where they are installed."""
    files = sorted([*LIBRARY.glob("*.py"), *LIBRARY.glob("json/*.py"), *LIBRARY.glob("test/test_*.py")])
    for file in files[::every]:
        try:
            yield file.name, file.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue
