"""Literals as a formatter leaves them: the project's quotes, lower-case prefixes, no needless escapes."""

from __future__ import annotations

import re

_STRING = re.compile(r"(?P<prefix>[A-Za-z]*)(?P<quotes>'''|\"\"\"|'|\")(?P<body>.*)(?P=quotes)\Z", re.DOTALL)
_TOKEN = re.compile(
    r"[A-Za-z]*(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")", re.DOTALL
)
_NO_FRACTION = re.compile(r"\.(?![0-9])")
_ESCAPE = re.compile(r"\\(.)|(['\"])", re.DOTALL)


def normalized_string(token: str, preferred: str) -> str:
    """One string token (no implicit concatenation), in `preferred` quotes unless those need more escapes."""
    found = _STRING.match(token)
    if found is None:
        return token
    prefix, quotes, body = found["prefix"], found["quotes"], found["body"]
    prefix = prefix.replace("u", "").replace("U", "").replace("F", "f").replace("B", "b")
    if len(quotes) == 3:
        return f'{prefix}"""{body}"""' if '"""' not in body and body[-1:] not in ('"', "\\") else token
    if "r" in prefix.lower() or "f" in prefix:
        chosen = quotes if "'" in body or '"' in body else preferred
        return f"{prefix}{chosen}{body}{chosen}"
    chosen = _better_quotes(body, preferred)
    return f"{prefix}{chosen}{_escaped(body, chosen)}{chosen}"


def string_tokens(written: str) -> list[str]:
    """The tokens of a string literal that may be made of several; none where they cannot be told apart (quotes within
    the braces of an f-string, comments between the tokens)."""
    return [] if _TOKEN.sub("", written).strip() else _TOKEN.findall(written)


def normalized_number(token: str) -> str:
    """A number token in Black's spelling: `0xAB`, `1e5`, `2j`."""
    lower = token.lower()
    if lower.startswith("0x"):
        return "0x" + lower[2:].upper()
    return _NO_FRACTION.sub(".0", f"0{lower}" if lower.startswith(".") else lower)


def _better_quotes(body: str, preferred: str) -> str:
    other = "'" if preferred == '"' else '"'
    return other if _count(body, preferred) > _count(body, other) else preferred


def _count(body: str, quote: str) -> int:
    return sum((found[1] or found[2]) == quote for found in _ESCAPE.finditer(body))


def _escaped(body: str, quote: str) -> str:
    def replace(found: re.Match[str]) -> str:
        character = found[1] or found[2]
        if character not in ("'", '"'):
            return found[0]
        return f"\\{character}" if character == quote else character

    return _ESCAPE.sub(replace, body)
