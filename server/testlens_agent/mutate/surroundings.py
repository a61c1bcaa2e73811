"""What a process has imported from outside the copy, and how the run is configured: whether it is still the same."""

from __future__ import annotations

import sys
from pathlib import Path

_CONFIGURATION = ("pyproject.toml", "setup.cfg", "pytest.ini", ".pytest.ini", "tox.ini", "pytest.toml")


class Surroundings:
    """The state, as it is now, of the folders outside `tree` that Python imports from, and of the configuration."""

    def __init__(self, root: Path, tree: Path) -> None:
        self._files = [root / name for name in _CONFIGURATION]
        # Installing, upgrading and removing a package each write into the folder that holds it.
        self._files += [Path(entry) for entry in sys.path if entry and tree not in (Path(entry), *Path(entry).parents)]
        self._files.append(Path(sys.prefix) / "pyvenv.cfg")
        self._seen = self._times()

    @property
    def are_same(self) -> bool:
        """Whether none of it has changed since."""
        return self._times() == self._seen

    def _times(self) -> list[int]:
        return [_modified(file) for file in self._files]


def _modified(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
