"""From `FILE:LINE` to a line of a source file in a project."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from testlens.cli.failure import Failure
from testlens.cli.folder import project_folder
from testlens.domain.problems import Problem

# Editors and linters add a column.
_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d+)(?::\d*)?$")


@dataclass(frozen=True, slots=True)
class Line:
    """A line (1-based) of a source file: `path` is POSIX and relative to the project's folder `root`."""

    root: Path
    path: str
    line: int


def locate(place: str, project: str) -> Line:
    """The line that `FILE:LINE` names, the file seen from here or from the project; a `Failure` if there is none."""
    root = project_folder(project)
    found = _PLACE.match(place)
    if found is None or int(found["line"]) == 0:
        advice = "Write FILE:LINE, for example src/shop/orders.py:42; `testlens plan` lists such places."
        raise Failure(Problem("This names no line of a file.", advice, place, severity="error"))
    name = Path(found["file"]).expanduser()
    file = next((file for file in (name, root / name) if file.is_file()), None)
    if file is None:
        raise Failure(Problem("There is no such file.", "Name a source file of your project.", str(name)))
    inside = next((path for path in (file.resolve(), file.absolute()) if path.is_relative_to(root)), None)
    if inside is None:
        advice = "Name the folder of the project that it belongs to with --project."
        raise Failure(Problem(f"This file is not in {root}.", advice, str(name), severity="error"))
    return Line(root, inside.relative_to(root).as_posix(), int(found["line"]))
