"""What to tell of a failure: a short message, the place in the project, a bounded text."""

from __future__ import annotations

import linecache
import re
from pathlib import Path
from typing import Any

_LONGEST_MESSAGE = 500
_LONGEST_TEXT = 20_000
_PLACE = re.compile(
    r"^(?:E\s+File \"(?P<quoted>.+?)\", line (?P<at>\d+)|(?P<path>[^\s:][^:]*):(?P<line>\d+): )", re.MULTILINE
)


def failure_message(report: Any) -> str | None:
    """One or a few lines that say why a test failed, was skipped or was expected to fail."""
    if getattr(report, "wasxfail", None):
        return _bounded(str(report.wasxfail), _LONGEST_MESSAGE)
    longrepr = report.longrepr
    if isinstance(longrepr, tuple):  # a skip: (path, line, reason)
        return _bounded(str(longrepr[2]), _LONGEST_MESSAGE)
    crash = getattr(longrepr, "reprcrash", None)
    text = str(crash.message) if crash is not None else _last_error(long_text(report))
    return _bounded(text, _LONGEST_MESSAGE)


def failure_place(excinfo: Any, root: Path) -> tuple[str, int, str] | None:
    """Absolute path, 1-based line and its text, of the innermost call in the project's own code; None without one."""
    place = None
    for entry in excinfo.traceback:
        path = Path(str(entry.path))
        if _is_own(path, root):
            place = (str(path), entry.lineno + 1)
    return None if place is None else (*place, linecache.getline(*place).strip())


def long_text(report: Any) -> str:
    """The report as pytest prints it, without its middle where it is very long."""
    try:
        text = str(report.longreprtext)
    except Exception as error:  # noqa: BLE001  (a value's own __repr__ may raise anything)
        text = f"the failure could not be shown: {type(error).__name__}"
    return _bounded(text, _LONGEST_TEXT)


def collection_problem(report: Any, root: Path) -> dict[str, Any]:
    """The fields of a `problem` event for a file or folder that pytest could not collect."""
    text = long_text(report)
    path, line = _named_place(text, root) or (None, None)
    return {
        "message": f"These tests could not be collected: {_last_error(text)}",
        "advice": "Correct the error, then run again: pytest runs no test until all of them can be collected.",
        "path": path or (str(root / report.nodeid) if report.nodeid else None),
        "line": line,
        "severity": "error",
    }


def _named_place(text: str, root: Path) -> tuple[str, int] | None:
    place = None
    for match in _PLACE.finditer(text):
        path = root / (match["quoted"] or match["path"])
        if _is_own(path, root) and path.is_file():
            place = (str(path), int(match["at"] or match["line"]))
    return place


def _last_error(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    marked = [line[1:].strip() for line in lines if line.startswith("E ")]
    return (marked or lines or ["no reason was given"])[-1].strip()


def _is_own(path: Path, root: Path) -> bool:
    try:
        parts = path.relative_to(root).parts
    except ValueError:
        return False
    return "site-packages" not in parts


def _bounded(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]}\n[...]\n{text[-half:]}"
