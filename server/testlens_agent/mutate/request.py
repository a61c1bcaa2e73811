"""What a mutation run is asked to do."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any


class Request:
    """One mutation run. `root` is the project's folder and `folder` the one for the copy; both are absolute.

    `files` are the paths (relative to `root`) whose functions are to be mutated, None for all that mutmut would mutate.
    At most `workers` mutants play at a time, and each may take `memory_mb` megabytes more than the session. `sample` is
    how many survivors and how many kills are checked again in a cold process at most, drawn by `seed`. After `seconds`
    no further mutant begins, None meaning no such limit. With `by_mutmut` mutmut's own runner plays them. When all is
    done the process waits for another request, for `idle_seconds` at most.
    """

    def __init__(self, fields: dict[str, Any]) -> None:
        self.root = Path(fields["root"])
        self.folder = Path(fields["folder"])
        files = fields.get("files")
        self.files = None if files is None else frozenset(files)
        self.workers = max(1, int(fields.get("workers", 2)))
        self.memory_mb = int(fields.get("memory_mb", 2048))
        self.seed = int(fields.get("seed", 0))
        self.sample = int(fields.get("sample", 3))
        seconds = fields.get("seconds")
        self.seconds = None if seconds is None else float(seconds)
        self.began = time.monotonic()
        self.by_mutmut = bool(fields.get("by_mutmut", False))
        self.idle_seconds = float(fields.get("idle_seconds", 0))

    @property
    def tree(self) -> Path:
        """The copy of the project in which the mutants live; it has the name that mutmut's own has."""
        return self.folder / "mutants"
