"""A written report as its own script reads it: the elements of the page, and the data that it carries."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file of the page: its lines, the letter of each one's state, and gaps as report/page_data.py packs them."""

    lines: list[str]
    states: str
    gaps: list[list[Any]]
    runs: list[int]
    sets: list[list[int]]
    note: str

    def state(self, part: str) -> str:
        """The letter of the one line that contains `part`."""
        (number,) = [number for number, line in enumerate(self.lines) if part in line]
        return self.states[number]

    def said_at(self, part: str) -> list[str]:
        """The titles and reasons of the gaps that begin on that line."""
        (number,) = [number for number, line in enumerate(self.lines, 1) if part in line]
        return [f"{gap[5]}: {gap[6]}".removesuffix(": ") for gap in self.gaps if gap[0] == number]


@dataclass(slots=True)
class Page:
    """Everything that a written report consists of."""

    tags: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str]] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    text: str = ""
    rows: list[list[Any]] = field(default_factory=list)
    tests: list[str] = field(default_factory=list)
    files: dict[str, PageFile] = field(default_factory=dict)

    def tests_of(self, path: str, part: str) -> list[str]:
        """The tests that the page names for the one line of a file that contains `part`."""
        file = self.files[path]
        (number,) = [number for number, line in enumerate(file.lines) if part in line]
        return [self.tests[place] for place in file.sets[file.runs[number] - 1][1:]] if file.runs[number] else []


def read_page(html: str) -> Page:
    """Take a page apart."""
    page = Page()
    _Parser(page).feed(html)
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    parts = json.loads(found[1])
    page.rows, page.tests = _unpack(parts["index"]), _unpack(parts["tests"])
    for row, packed in zip(page.rows, parts["sources"], strict=True):
        source = _unpack(packed)
        lines = source["text"].split("\n")
        page.files[row[0]] = PageFile(
            lines, source["states"], source["gaps"], source["runs"], source["sets"], source["note"]
        )
    return page


def _unpack(packed: str) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(packed)))


class _Parser(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._page.tags.append(tag)
        self._page.attributes += [(name, value or "") for name, value in attrs]
        self._page.ids.update(value for name, value in attrs if name == "id" and value)

    def handle_data(self, data: str) -> None:
        self._page.text += data
