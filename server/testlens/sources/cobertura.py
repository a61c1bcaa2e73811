"""Reads Cobertura XML (`coverage xml`, slipcover, and other tools' `coverage.xml`) as a stream.

defusedxml refuses entity declarations and external references, so that a report can neither blow up nor fetch anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol, cast
from xml.parsers import expat
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import Locator

from defusedxml import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from testlens.domain.coverage import FileCoverage
from testlens.domain.problems import Problem
from testlens.sources.branch_ends import MAXIMUM_BRANCHES, End, file_coverage

Problems = tuple[Problem, ...]

_MAKE_IT_AGAIN = "Make the report again, for example with `coverage xml`."
_CONDITIONS = re.compile(r"\((\d{1,9})/(\d{1,9})\)")
_MAXIMUM_PROBLEMS = 20


def read(path: Path) -> tuple[Mapping[str, FileCoverage], Problems]:
    """The coverage of each file in the report, by its name joined to the `<source>` it is relative to.

    With several `<source>` folders the first that has the file is taken; where none has, the name stays relative.
    """
    handler = _Handler(path)
    try:
        with path.open("rb") as file:
            _parse(file, handler)
    except OSError as error:
        message = f"The report cannot be opened: {error.strerror}."
        return {}, (Problem(message, "Check its name and permissions.", str(path), severity="error"),)
    except DefusedXmlException:
        message = "The report declares XML entities, which no coverage tool does: it was not read."
        return {}, (
            Problem(message, f"Find out where the file comes from. {_MAKE_IT_AGAIN}", str(path), severity="error"),
        )
    except SAXParseException as error:
        message = f"It is not complete XML ({error.getMessage()})."
        return {}, (Problem(message, _MAKE_IT_AGAIN, str(path), error.getLineNumber(), severity="error"),)
    except (SAXException, ValueError, LookupError) as error:
        message = f"It cannot be read as XML ({error})."
        return {}, (Problem(message, _MAKE_IT_AGAIN, str(path), severity="error"),)
    if not handler.is_cobertura:
        message = "It is XML, but not a Cobertura report: it has no `coverage` element."
        return {}, (Problem(message, _MAKE_IT_AGAIN, str(path), severity="error"),)
    return handler.files(), tuple(handler.problems)


class _Parser(DefusedExpatParser):
    """Cobertura's own reports name a DTD on the web; naming it is no reason to refuse them, and it is not fetched."""

    def reset(self) -> None:
        super().reset()
        self._parser: expat.XMLParserType  # missing from the stubs
        self._parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)


def _parse(file: BinaryIO, handler: ContentHandler) -> None:
    parser = _Parser(forbid_dtd=False, forbid_entities=True, forbid_external=True)
    parser.setContentHandler(handler)
    parser.parse(file)


@dataclass(slots=True)
class _File:
    hits: dict[int, int] = field(default_factory=dict)
    exits: dict[int, int] = field(default_factory=dict)
    missing_ends: dict[int, list[End]] = field(default_factory=dict)


class _Attributes(Protocol):
    def get(self, name: str, default: str = ...) -> str: ...


class _Handler(ContentHandler):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.problems: list[Problem] = []
        self.is_cobertura = False
        self._path = path
        self._files: dict[str, _File] = {}
        self._file: _File | None = None
        self._sources: list[str] = []
        self._text: list[str] | None = None
        self._has_branches = False
        self._locator: Locator | None = None

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802
        self._locator = locator

    def startElement(self, name: str, attrs: object) -> None:  # noqa: N802
        attributes = cast(_Attributes, attrs)
        if name == "line":
            self._start_line(attributes)
        elif name == "class":
            self._file = self._files.setdefault(attributes.get("filename", ""), _File())
        elif name == "source":
            self._text = []
        elif name == "coverage":
            self.is_cobertura = True
            self._has_branches = attributes.get("branches-valid", "0") not in ("", "0")

    def endElement(self, name: str) -> None:  # noqa: N802
        if name == "class":
            self._file = None
        elif name == "source" and self._text is not None:
            self._sources.append("".join(self._text).strip())
            self._text = None

    def characters(self, content: str) -> None:
        if self._text is not None:
            self._text.append(content)

    def files(self) -> dict[str, FileCoverage]:
        """What has been read, once the document is complete."""
        measured = self._has_branches or any(file.exits for file in self._files.values())
        return {
            _located(name, self._sources): file_coverage(
                file.hits, file.exits, file.missing_ends, measured_branches=measured
            )
            for name, file in self._files.items()
            if name
        }

    def _start_line(self, attributes: _Attributes) -> None:
        if self._file is None:
            return
        number, hits = attributes.get("number", ""), attributes.get("hits", "")
        if not (number.isdecimal() and hits.isdecimal() and int(number) > 0):
            self._complain(f'The line with number="{number}" and hits="{hits}" was left out.')
            return
        # Tools that list a method's lines list them again for its class.
        line = int(number)
        self._file.hits[line] = max(int(hits), self._file.hits.get(line, 0))
        if attributes.get("branch", "").lower() == "true":
            self._read_branches(self._file, line, attributes)

    def _read_branches(self, file: _File, line: int, attributes: _Attributes) -> None:
        conditions = attributes.get("condition-coverage", "")
        match = _CONDITIONS.search(conditions)
        if match is None:
            return
        taken, total = int(match[1]), int(match[2])
        if taken > total or total > MAXIMUM_BRANCHES:
            self._complain(
                f'Line {line} has condition-coverage="{conditions}", which cannot be: its branches are left out.'
            )
            return
        named = _named_ends(line, attributes.get("missing-branches", ""))
        ends = (named + [None] * total)[: total - taken]
        if len(ends) <= len(file.missing_ends.get(line, ends)):
            file.exits[line] = total
            file.missing_ends[line] = ends

    def _complain(self, message: str) -> None:
        if len(self.problems) >= _MAXIMUM_PROBLEMS:
            return
        place = self._locator.getLineNumber() if self._locator else None
        self.problems.append(Problem(message, _MAKE_IT_AGAIN, str(self._path), place))


def _named_ends(line: int, names: str) -> list[End]:
    """coverage.py's `missing-branches`: line numbers, or "exit" of some code object."""
    words = (word.strip() for word in names.split(","))
    return [int(word) if word.isdecimal() else -line for word in words if word]


def _located(name: str, sources: list[str]) -> str:
    name = name.replace("\\", "/")
    if name.startswith("/") or re.match(r"[A-Za-z]:/", name):
        return name
    places = [str(PurePosixPath(source.replace("\\", "/")) / name) for source in sources if source]
    if len(places) == 1:
        return places[0]
    return next((place for place in places if _exists(place)), name)


def _exists(path: str) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False
