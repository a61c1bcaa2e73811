"""What a CI workflow of a project has to do, apart from how any CI service writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Installer = Literal["pip", "uv", "poetry"]
Minor = tuple[int, int]

OLDEST_FOR_TESTLENS: Minor = (3, 11)
"""The oldest Python that Testlens itself runs on; the project's may be older."""


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """What a project's files say about testing it elsewhere.

    `versions` are the versions of Python that it supports, oldest first, at least one. `install` are the arguments of
    `pip install`, `uv sync` or `poetry install` that bring what its tests need. `locks` are the files that say what is
    installed: where they change, a cached environment is out of date. `branch` is the one that others are merged into.
    `folder` is where in its repository the project lies (POSIX), empty at the top.
    """

    name: str
    versions: tuple[Minor, ...]
    installer: Installer
    install: tuple[str, ...]
    locks: tuple[str, ...]
    branch: str
    folder: str = ""

    @property
    def prefix(self) -> str:
        """What begins the path of each of its files in the repository."""
        return f"{self.folder}/" if self.folder else ""


@dataclass(frozen=True, slots=True)
class Gates:
    """Percentages below which a check fails, None for no such gate; what is held already never drops."""

    coverage: float | None = None
    diff: float | None = 80.0
    mutation: float | None = None


DEFAULT_GATES = Gates()


@dataclass(frozen=True, slots=True)
class CiPlan:
    """The workflow to write. `shards` is how many jobs share the mutants out, `budget` how long each checks them."""

    project: ProjectFacts
    gates: Gates = DEFAULT_GATES
    shards: int = 4
    budget: str = "5m"

    @property
    def versions(self) -> tuple[str, ...]:
        """The matrix of the tests, such as 3.11 and 3.12."""
        return tuple(f"{major}.{minor}" for major, minor in self.project.versions)

    @property
    def newest(self) -> str:
        """The version whose mutants are checked: one is enough to say what the tests notice."""
        return self.versions[-1]

    @property
    def for_testlens(self) -> str:
        """The version that Testlens itself runs on where it runs nothing of the project: it has to read its syntax."""
        return self.newest if self.can_share_interpreter else "3.13"

    @property
    def can_share_interpreter(self) -> bool:
        """Whether Testlens can be installed beside the project, in the newest of its versions."""
        return self.project.versions[-1] >= OLDEST_FOR_TESTLENS

    @property
    def changed_lines_options(self) -> str:
        """The gates of changed lines, after `--diff REV`."""
        return "" if self.gates.diff is None else f" --fail-under-diff {self.gates.diff:g}"

    @property
    def gate_options(self) -> str:
        """The gates of the whole project that every run has."""
        return " --no-drop" + ("" if self.gates.coverage is None else f" --fail-under {self.gates.coverage:g}")

    @property
    def mutation_options(self) -> str:
        """The gate of the mutants of changed lines, which only a pull request checks."""
        return "" if self.gates.mutation is None else f" --fail-under-mutation {self.gates.mutation:g}"
