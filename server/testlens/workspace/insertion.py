"""Puts the files of a scaffold on disk: all of them or none, and never over what somebody else wrote meanwhile."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from testlens.domain.problems import Problem
from testlens.scaffold.edits import apply
from testlens.scaffold.render import Written


def insert(root: Path, written: Written) -> Problem | None:
    """Write the files below `root`; a Problem, and nothing written, where one of them is not as it was read."""
    for path in written.files:
        if not fits(written, path, text_of(root / path)):
            return changed_meanwhile(path)
    for path, text in written.files.items():
        problem = _write(root / path, path, text)
        if problem is not None:
            return problem
    return None


def fits(written: Written, path: str, present: str | None) -> bool:
    """Whether the edits of a file turn its `present` text (None: there is no such file) into the one that is meant."""
    edits = [edit for edit in written.edits if edit.path == path]
    return apply(present or "", edits) == written.files[path]


def changed_meanwhile(path: str) -> Problem:
    """Why nothing was written."""
    return Problem("The file changed while the test was written, so nothing was added.", "Ask again.", path)


def text_of(file: Path) -> str | None:
    """The text of a file with the line ends and the byte order mark that it has, None where there is none to read."""
    try:
        return file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _write(file: Path, path: str, text: str) -> Problem | None:
    content = text.encode("utf-8")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            _replace(file.resolve(), content)
        else:
            with file.open("xb") as new:
                new.write(content)
    except FileExistsError:
        return changed_meanwhile(path)
    except OSError as error:
        return Problem(f"It cannot be written: {error.strerror}.", "Check its permissions.", path, severity="error")
    return None


def _replace(file: Path, content: bytes) -> None:
    """Swap the content whole: a reader sees the old text or the new one, never a part."""
    with _beside(file) as new:
        new.write_bytes(content)
        shutil.copymode(file, new)
        new.replace(file)


@contextlib.contextmanager
def _beside(file: Path) -> Iterator[Path]:
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
