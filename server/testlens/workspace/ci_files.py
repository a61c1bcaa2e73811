"""Which files a CI workflow of a project is made of, as they are and as Testlens would write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from testlens.domain.ci_plan import DEFAULT_GATES, CiPlan, Gates
from testlens.domain.problems import Problem
from testlens.scaffold import pre_commit
from testlens.scaffold.ci_workflow import FILES, Service, render_workflow
from testlens.sources.ci_facts import read_facts


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file of the project (POSIX, relative); `present` is its text, None where there is no such file."""

    path: str
    present: str | None
    wanted: str

    @property
    def is_up_to_date(self) -> bool:
        """Whether there is nothing to write."""
        return self.present == self.wanted

    @property
    def replaces(self) -> bool:
        """Whether writing it changes what somebody has written."""
        return self.present is not None and not self.is_up_to_date


@dataclass(frozen=True, slots=True)
class CiWish:
    """What is asked for; `also` names further files, of which `pre-commit` is the only one."""

    service: Service
    gates: Gates = DEFAULT_GATES
    shards: int = 4
    budget: str = "5m"
    also: Sequence[str] = ()


def plan_files(root: Path, wish: CiWish) -> list[PlannedFile] | Problem:
    """The files for the project in `root`; a Problem where its files do not say enough, or cannot be added to."""
    facts = read_facts(root)
    if isinstance(facts, Problem):
        return facts
    plan = CiPlan(facts, wish.gates, wish.shards, wish.budget)
    path = FILES[wish.service]
    present = _read(root, path)
    if isinstance(present, Problem):
        return present
    files = [PlannedFile(path, present, render_workflow(plan, wish.service))]
    if "pre-commit" in wish.also:
        hooks = _read(root, pre_commit.FILE)
        wanted = hooks if isinstance(hooks, Problem) else pre_commit.with_hook(hooks or "")
        if isinstance(wanted, Problem):
            return wanted
        assert not isinstance(hooks, Problem)
        files.append(PlannedFile(pre_commit.FILE, hooks, wanted))
    return files


def is_below_top(root: Path) -> bool:
    """Whether the project is a folder inside a repository of git, where no CI service looks for a workflow."""
    return not (root / ".git").exists() and any((place / ".git").exists() for place in root.parents)


def _read(root: Path, path: str) -> str | Problem | None:
    try:
        return (root / path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Problem(
            f"It cannot be read: {reason}.", "Move it out of the way, then ask again.", path, severity="error"
        )
