"""`testlens affected`: the tests that the working tree's edits since the last run select."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from testlens.cli.terminal import print_json
from testlens.workspace.continuous import known_of
from testlens.workspace.impact import Affected
from testlens.workspace.impact import affected as find_affected
from testlens.workspace.workspace import Workspace


def affected(root: Path, as_json: bool) -> int:
    """Print the tests, one a line, and on standard error why; or one JSON object.

    The exit status is 1 where no run is known, so that a script can run all tests itself.
    """
    found = _find(root)
    if as_json:
        print_json({"tests": list(found.tests), "everything": found.everything, "why": found.why})
    else:
        print(found.why, file=sys.stderr)
        for test in found.tests:
            print(test)
    return 1 if found.everything and not found.tests else 0


def _find(root: Path) -> Affected:
    with contextlib.closing(Workspace(root)) as workspace:
        workspace.refresh()
        return find_affected(known_of(workspace))
