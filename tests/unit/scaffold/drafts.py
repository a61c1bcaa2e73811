"""Drafts to write down, in one line each."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

from testlens.domain.cases import Case, Draft, Helper, Step
from testlens.domain.expressions import mark
from testlens.scaffold.place import Place
from testlens.scaffold.render import Written, write
from testlens.scaffold.style import Style

RECORD = mark("shop.models", "Record")
RAISES = mark("pytest", "raises")
PLACE = Place("tests/test_shop.py", "tests/conftest.py")
PLAIN = Style(docstrings="none", first_party=frozenset({"shop"}))


def case(
    *then: str, name: str = "it_works", given: tuple[str, ...] = (), when: tuple[str, ...] = (), **rest: Any
) -> Case:
    """A case with these statements and sentences that say little."""
    return Case(name, Step("a thing", given), Step("it is used", when), Step("it works", then), **rest)


def draft(*cases: Case, recipe: str = "error-path", group: str = "Thing", helpers: tuple[Helper, ...] = ()) -> Draft:
    """A draft of these cases."""
    return Draft(recipe, group, cases, helpers)


def written(*cases: Case, into: str | None = None, style: Style = PLAIN, **rest: Any) -> Written:
    """What comes of writing the cases into a test file with this text, None for a new one."""
    texts = {} if into is None else {PLACE.test_file: dedent(into)}
    return write(draft(*cases, **rest), PLACE, style, texts)


def text_of(*cases: Case, into: str | None = None, style: Style = PLAIN, **rest: Any) -> str:
    """The new text of that test file."""
    return written(*cases, into=into, style=style, **rest).files[PLACE.test_file]


def body_of(*cases: Case, style: Style = PLAIN, **rest: Any) -> str:
    """The new text of a new test file, without its imports."""
    text = text_of(*cases, style=style, **rest)
    imports, parted, body = text.partition("\n\n\n")
    return body if parted and imports.startswith(("import", "from")) else text
