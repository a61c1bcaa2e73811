"""The script and the style sheet of the report, each as one text that goes into its page."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "client"
_MODULES = ("data", "highlight", "squarify", "source", "map", "search", "main")
"""In this order each finds what it imports before it."""
_IMPORT = re.compile(r"^import [^;]+;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)


@cache
def script() -> str:
    """The modules as one script: a page that is a single file cannot import, so their names are those of one scope."""
    texts = ((_FOLDER / f"{name}.mjs").read_text(encoding="utf-8") for name in _MODULES)
    body = "".join(_EXPORT.sub("", _IMPORT.sub("", text)) for text in texts)
    return f'(() => {{\n"use strict";\n{body}}})();'


@cache
def style() -> str:
    """The style sheet."""
    return (_FOLDER / "report.css").read_text(encoding="utf-8")
