"""A small project with what `mutmut run` left in it, as mutmut 3.4.0, 3.6.0 and 3.8.1 really did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

_LEFT: Mapping[str, Mapping[str, str]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))

VERSIONS = tuple(_LEFT)
SOURCE = "src/shop/prices.py"
META = f"mutants/{SOURCE}.meta"


def unpack(root: Path, version: str = VERSIONS[-1]) -> Path:
    """Write the project that this version of mutmut was run on into `root`."""
    for name, text in _LEFT[version].items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return root
