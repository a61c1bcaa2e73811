"""Feature files: where they belong, and scenarios added at their end."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from testlens.scaffold.edits import Edit
from testlens.scaffold.host import split_lines
from testlens.scaffold.step_words import one_line

# After these a scenario at the end of the file would mean something else than by itself.
_NOT_TO_JOIN = re.compile(r"^\s*(?:Rule|Background|Regel)\s*:|^\s*#\s*language\s*:(?!\s*en\s*$)", re.MULTILINE)
_SCENARIO = re.compile(r"^(?P<indent>[ \t]*)(?:Scenario|Example)(?: Outline)?:[ \t]*(?P<name>.*?)[ \t]*$", re.MULTILINE)
_FEATURE = re.compile(r"^\s*Feature:", re.MULTILINE)
_WORDS = {"given": "Given", "when": "When", "then": "Then"}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario in words: `lines` are the kinds of its steps and their sentences."""

    name: str
    lines: tuple[tuple[str, str], ...]


def joinable(path: str, texts: dict[str, str]) -> str:
    """The feature file at that path, or one beside it where scenarios cannot be added to that."""
    stem, number, found = PurePosixPath(path).stem, 1, path
    while found in texts and not _takes_more(texts[found]):
        number += 1
        found = str(PurePosixPath(path).with_name(f"{stem}_{number}.feature"))
    return found


def names_in(text: str) -> frozenset[str]:
    """The scenarios that a feature file has."""
    return frozenset(found["name"] for found in _SCENARIO.finditer(text))


def unused_name(name: str, used: Collection[str]) -> str:
    """The name of a scenario, numbered where there is one of that name."""
    wanted, number = one_line(name), 1
    found = wanted
    while found in used:
        number += 1
        found = f"{wanted} ({number})"
    return found


def add_scenarios(path: str, text: str, subject: str, scenarios: Sequence[Scenario]) -> Edit:
    """The edit that adds scenarios at the end of a feature file, or that makes it."""
    newline = "\r\n" if "\r\n" in text else "\n"
    existing = _SCENARIO.search(text)
    indent = existing["indent"] if existing else "  "
    lines = [] if _FEATURE.search(text) else [f"Feature: {one_line(subject)}"]
    for scenario in scenarios:
        lines += ["", f"{indent}Scenario: {scenario.name}", *_steps(scenario, indent + "  ")]
    count = len(split_lines(text)) + 1
    opened = newline if text and not text.endswith(("\n", "\r")) else ""
    return Edit(path, count, count, opened + "".join(line + newline for line in lines))


def _takes_more(text: str) -> bool:
    return _NOT_TO_JOIN.search(text) is None and (_FEATURE.search(text) is not None or not text.strip())


def _steps(scenario: Scenario, indent: str) -> list[str]:
    before, lines = "", []
    for kind, sentence in scenario.lines:
        lines.append(f"{indent}{'And' if kind == before else _WORDS[kind]} {sentence}")
        before = kind
    return lines
