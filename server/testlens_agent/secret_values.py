"""Which values must not be written down: those that look like secrets, and those that only this machine knows."""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path

from testlens_agent.import_paths import is_one_of

_SECRET_NAME = re.compile(
    r"password|passwd|token|secret|api_?key|credential|authorization|private_?key|session_?id", re.IGNORECASE
)
_SECRET_TEXT = re.compile(
    r"AKIA[0-9A-Z]{12}"
    r"|eyJ[\w-]{8,}\."
    r"|-----BEGIN "
    r"|gh[opsur]_\w{16}"
    r"|github_pat_\w{16}"
    r"|\bsk-[\w-]{16}"
    r"|\bxox[abprs]-\w"
    r"|://[^/\s:@]+:[^/\s@]+@"
)
_SHORTEST_SECRET = 7
_NUMBERS = (type(None), bool, int, float)
_CONTENT = (str, bytes, tuple, list, dict, set)
_WORD = re.compile(r"[\w+/=-]{32,}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-fA-F]+")
_PARTS_OF_PLACES = ("/", "\\", "0x")
# Folders that a run makes for itself, and addresses in memory.
_OF_THIS_RUN = re.compile(r"[/\\](?:pytest-of-|pytest-\d|tmp[a-z0-9_]{8}(?![a-z0-9_]))| at 0x[0-9a-fA-F]{6,}")


def is_secret(name: str, value: object) -> bool:
    """Whether a value that is called so is probably a secret: one that has any content, and is not just a number."""
    if _SECRET_NAME.search(name) is None or is_one_of(value, _NUMBERS):
        return False
    return not is_one_of(value, _CONTENT) or bool(value)


def is_secret_text(text: str) -> bool:
    """Whether the text has the shape of a key, a token or a password in an address."""
    if len(text) < _SHORTEST_SECRET:
        return False
    return _SECRET_TEXT.search(text) is not None or any(_is_random(word) for word in _WORD.findall(text))


class Places:
    """The folders of this machine, which mean nothing in a test that runs elsewhere."""

    def __init__(self) -> None:
        own = (str(folder) for folder in (Path.cwd(), Path.home()) if len(folder.parts) > 1)
        self._own = re.compile("|".join(rf"{re.escape(folder)}(?:[/\\]|$)" for folder in own) or "(?!)")

    def are_in(self, text: str) -> bool:
        """Whether the text names one of them, a temporary folder of this run, or an address in memory."""
        if not any(part in text for part in _PARTS_OF_PLACES):
            return False
        return _OF_THIS_RUN.search(text) is not None or self._own.search(text) is not None


def _is_random(word: str) -> bool:
    if _UUID.fullmatch(word):
        return False
    kinds = sum(any(test(letter) for letter in word) for test in (str.isdigit, str.islower, str.isupper))
    if _HEX.fullmatch(word):
        return kinds > 1 and _bits(word) > 3  # of at most 4
    # Long names in words of a language have as many bits a letter, but hardly any digits.
    many_digits = sum(map(str.isdigit, word)) * 6 > len(word)
    return (kinds == 3 or many_digits) and _bits(word) > 4


def _bits(word: str) -> float:
    """The entropy of one letter."""
    shares = [count / len(word) for count in Counter(word).values()]
    return -sum(share * math.log2(share) for share in shares)
