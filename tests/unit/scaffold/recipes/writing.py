"""Has a recipe write tests for a line of a small project, and runs them with that project's own pytest."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Self

from testlens.domain.problems import Problem
from testlens.runners.pytest_runner import run_tests
from testlens.runners.run_log import RunRequest
from testlens.scaffold.recipe import Offer
from testlens.workspace.gap_target import GapTarget, gap_at
from testlens.workspace.scaffolding import Scaffold, Scaffolder
from testlens.workspace.workspace import Workspace

MODULE = "weather.py"
# The plugins that Testlens' own tests need would cost each of the project's processes a second.
_PROJECT = {
    ".coveragerc": "[run]\nbranch = true\n[report]\nomit = test_*\n",
    "pytest.ini": "[pytest]\nasyncio_mode = auto\naddopts = -p no:pytest-lsp -p no:hypothesispytest -p no:timeout\n",
    "test_weather.py": "import weather\n\n\ndef test_there_is_weather():\n    assert weather\n",
}


@dataclass(frozen=True, slots=True)
class Written:
    """Tests that a recipe wrote: `cases` are their names, `text` is all of the test file."""

    scaffold: Scaffold

    @property
    def cases(self) -> tuple[str, ...]:
        return tuple(case.name for case in self.scaffold.draft.cases)

    @property
    def text(self) -> str:
        return self.scaffold.written.files[self.scaffold.written.test_file]

    def test(self, name: str) -> str:
        """The statements of one test, from its `def` to the next one."""
        _, found, rest = self.text.partition(f"def test_{name}(")
        assert found, f"there is no {name} among {self.cases}"
        return rest.split("\ndef ")[0].split("\n@")[0]


class Bench:
    """A measured project of one module, in which tests are written for chosen lines. Searches may take long."""

    def __init__(self, root: Path, module: str, files: Mapping[str, str] | None = None, budget: float = 60.0) -> None:
        self.root = root
        self._runner = asyncio.Runner()
        for path, text in {MODULE: module, **_PROJECT, **(files or {})}.items():
            (root / path).write_text(dedent(text))
        self._workspace = Workspace(root)
        run = self._runner.run(
            run_tests(RunRequest(root, sys.executable, self._workspace.own_data), lambda _event: None)
        )
        self._workspace.finish_run({}, self._workspace.run_sources(run.sources))
        self._scaffolder = Scaffolder(self._workspace, sys.executable, budget)
        self._known: dict[tuple[str, str], Written] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._runner.run(self._scaffolder.close())
        self._workspace.close()
        self._runner.close()

    def offers(self, line: str) -> tuple[Offer, ...]:
        """What is offered for the gap on the line that holds this text."""
        return self._scaffolder.offers(self._target(line))

    def write(self, line: str, recipe: str) -> Written:
        """The tests that a recipe writes for the gap on the line that holds this text."""
        if (line, recipe) not in self._known:
            found = self._runner.run(self._scaffolder.scaffold(self._target(line), recipe, lambda _what, _count: None))
            assert not isinstance(found, Problem), found
            self._known[line, recipe] = Written(found)
        return self._known[line, recipe]

    def verdicts(self, path: str = MODULE) -> dict[str, tuple[str, str]]:
        """By function, the outcome and message of the first offer for its first gap, run three times in the sandbox."""
        found: dict[str, tuple[str, str]] = {}
        text = (self.root / path).read_text()
        gaps = (planned.gap for planned in self._workspace.plan().gaps if planned.gap.file == path)
        for gap in sorted(gaps, key=lambda gap: gap.region.first):
            target = gap_at(self._workspace, gap.file, gap.region.first, text)
            assert isinstance(target, GapTarget), target
            found.setdefault(gap.region.function, self._runner.run(self._verdict(target)))
        return found

    async def _verdict(self, target: GapTarget) -> tuple[str, str]:
        scaffold = await self._scaffolder.scaffold(target, None, lambda _what, _count: None)
        if isinstance(scaffold, Problem):
            return "refused", scaffold.sentences
        verdict = await self._scaffolder.try_out(scaffold, lambda _what, _count: None)
        return verdict.outcome, verdict.message

    def red(self, written: Written, changes: Mapping[str, str] | None = None) -> set[str]:
        """The tests (without `test_`) that pytest fails once they are in their place, in changed code."""
        names = {MODULE, *written.scaffold.written.files}
        before = {name: (self.root / name).read_text() if (self.root / name).exists() else None for name in names}
        source = before[MODULE] or ""
        for old, new in (changes or {}).items():
            assert old in source, f"{old!r} is not in the module"
            source = source.replace(old, new)
        try:
            for name, text in {**written.scaffold.written.files, MODULE: source}.items():
                (self.root / name).parent.mkdir(exist_ok=True)
                (self.root / name).write_text(text)
            outcomes = self._outcomes(written.scaffold.written.node_ids)
        finally:
            for name, text_before in before.items():
                path = self.root / name
                path.unlink() if text_before is None else path.write_text(text_before)
        assert len(outcomes) == len(written.scaffold.written.node_ids), outcomes
        return {name for name, outcome in outcomes.items() if outcome != "PASSED"}

    def _outcomes(self, tests: tuple[str, ...]) -> dict[str, str]:
        command = [sys.executable, "-m", "pytest", "-rA", "-q", "-p", "no:cacheprovider", *tests]
        with tempfile.TemporaryDirectory() as compiled:
            # What was compiled a moment ago counts as that of a text of the same second and size.
            variables = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
            done = subprocess.run(
                command, cwd=self.root, env=variables, capture_output=True, text=True, check=False, timeout=60
            )
        output = done.stdout
        found = re.findall(r"^(PASSED|FAILED|ERROR) [^:\s]+::(?:\w+::)?test_(\w+)", output, re.MULTILINE)
        return {name: outcome for outcome, name in found}

    def _target(self, line: str) -> GapTarget:
        text = (self.root / MODULE).read_text()
        number = next(number for number, one in enumerate(text.splitlines(), 1) if line in one)
        found = gap_at(self._workspace, MODULE, number, text)
        assert isinstance(found, GapTarget), found
        return found
