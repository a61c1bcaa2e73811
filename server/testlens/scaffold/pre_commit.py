"""Adds Testlens' hook to the text of a `.pre-commit-config.yaml`, and keeps every line that is there."""

from __future__ import annotations

import re

from testlens.domain.problems import Problem

FILE = ".pre-commit-config.yaml"
HOOK = "testlens-check"

_REPOS = re.compile(r"^repos:\s*(?:#.*)?$", re.MULTILINE)
_EMPTY = re.compile(r"^repos:\s*\[\s*\]\s*(?:#.*)?$", re.MULTILINE)
_ITEM = re.compile(r"^(\s*)- ", re.MULTILINE)
_KEY = re.compile(r"^[^\s#-]", re.MULTILINE)
_LINES = (
    "- repo: local",
    "  hooks:",
    "    # Judges the coverage data that is there, before a push; it runs no test.",
    f"    - id: {HOOK}",
    "      name: testlens check",
    "      entry: testlens check --no-drop",
    "      language: system",
    "      pass_filenames: false",
    "      always_run: true",
    "      stages: [pre-push]",
)


def with_hook(text: str) -> str | Problem:
    """The text with the hook at the end of `repos`, or as it is where it has the hook already.

    A Problem where `repos` is not written as a list with one entry below the other.
    """
    if f"id: {HOOK}" in text:
        return text
    if not text.strip():
        return "repos:\n" + _block("  ")
    if (empty := _EMPTY.search(text)) is not None:
        return f"{text[: empty.start()]}repos:\n{_block('  ')}{text[empty.end() :].lstrip(chr(10))}"
    repos = _REPOS.search(text)
    if repos is None:
        message = "Its `repos` is not written as a list with one entry below the other."
        return Problem(
            message, "Write it so, or add the hook by hand: `testlens check --no-drop`.", FILE, severity="error"
        )
    following = _KEY.search(text, repos.end())
    end = following.start() if following else len(text)
    item = _ITEM.search(text, repos.end(), end)
    inside = text[:end].rstrip()
    rest = text[len(inside) : end].lstrip("\n") + text[end:]
    return f"{inside}\n{_block(item[1].lstrip(chr(10)) if item else '  ')}{rest}"


def _block(indentation: str) -> str:
    return "".join(f"{indentation}{line}\n" for line in _LINES)
