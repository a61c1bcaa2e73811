"""Reads the bytes of source files, those inside zip archives included, as coverage.py does."""

from __future__ import annotations

from pathlib import Path

from coverage.python import get_zip_bytes

LARGEST = 20 * 1024 * 1024
"""Bytes; a larger "source" is generated data, and parsing it would block for minutes."""


def read_content(file: Path) -> bytes | None:
    """The content of a source file, or None where there is none to read."""
    try:
        if file.is_file():
            return file.read_bytes() if file.stat().st_size <= LARGEST else None
        return get_zip_bytes(str(file))
    except (OSError, ValueError):
        return None
