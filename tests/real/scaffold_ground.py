"""A small project, a function of it that no test runs, and what a recipe writes for it, run as pytest runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from testlens.domain.coverage import Trace
from testlens.domain.problems import Problem
from testlens.domain.risk import Risk
from testlens.domain.snapshot import Gap
from testlens.scaffold.recipe import Offer
from testlens.workspace.examine import examine_text
from testlens.workspace.examined import ParseRules
from testlens.workspace.gap_target import GapTarget, target_of
from testlens.workspace.scaffolding import Scaffold, Scaffolder, Verdict
from testlens.workspace.workspace import Workspace

BUDGET_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Written:
    """What was written for one gap. `tests` and `conftest` are what was added to these files."""

    offers: tuple[Offer, ...]
    scaffold: Scaffold
    verdict: Verdict

    @property
    def tests(self) -> str:
        """The new tests."""
        return self.scaffold.written.added[self.scaffold.written.test_file]

    @property
    def conftest(self) -> str:
        """The new fixtures, empty where there are none."""
        return self.scaffold.written.added.get("tests/conftest.py", "")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the new tests."""
        return self.scaffold.written.names


def make_project(root: Path, files: Mapping[str, str]) -> Path:
    """A project of these files, with a configuration that finds their modules."""
    for name, text in {"pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n', **files}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")
    (root / "tests").mkdir(exist_ok=True)
    return root


def write_tests(root: Path, python: str, path: str, function: str, recipe: str) -> Written:
    """What the recipe writes for all that is the function's own, tried three times."""
    return asyncio.run(_written(root, python, path, function, recipe))


async def _written(root: Path, python: str, path: str, function: str, recipe: str) -> Written:
    found = gap_of(root, path, function)
    workspace = Workspace(root)
    scaffolder = Scaffolder(workspace, python, BUDGET_SECONDS)
    try:
        scaffold = await scaffolder.scaffold(found, recipe, _no_progress)
        assert not isinstance(scaffold, Problem), scaffold
        verdict = await scaffolder.try_out(scaffold, _no_progress)
        return Written(scaffolder.offers(found), scaffold, verdict)
    finally:
        await scaffolder.close()
        workspace.close()


def gap_of(root: Path, path: str, function: str) -> GapTarget:
    """A gap of everything that is the function's own, as if no test had ever called it."""
    text = (root / path).read_text(encoding="utf-8")
    examined = examine_text(text, path, Trace(frozenset(), frozenset()), ParseRules("", ""))
    assert not isinstance(examined, Problem)
    region = next(one.region for one in examined.findings if one.region.function == function)
    found = target_of(root, Gap(path, region, Risk(50.0, {}, ())), text)
    assert isinstance(found, GapTarget), found
    return found


def _no_progress(_what: str, _tried: int) -> None:
    """Nobody watches."""
