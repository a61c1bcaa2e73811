"""Seeded edits of one function each, on copies of a published project: what they break, and what Testlens selects."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from agent.mutating import mutation_python
from cli.projects import run_testlens
from real.published import PYTEST_ARGS, unpacked
from testlens.analysis.mutant_spans import Change, dotted_name, find_change
from testlens.runners.pytest_runner import AGENT
from testlens.workspace.continuous import known_of
from testlens.workspace.impact import Affected, affected
from testlens.workspace.workspace import Workspace

# Has mutmut make its mutants of the files named as arguments: each is an edit that some tool has made, not we.
_MAKE = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from testlens_agent.mutate import mutmut_parts
from testlens_agent.mutate.generating import generate, generated
tree = Path.cwd()
config = mutmut_parts.load_configuration(tree, tree)
kept = tree / ".testlens" / "edits"
generate(sys.argv[2:], tree, kept, 2, None)
print(json.dumps({name: generated(kept, name)["functions"] for name in sys.argv[2:]}))
"""
_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)
_LONGEST_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Edit:
    """One function of a file, by its dotted name, before and after."""

    path: str
    function: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Compared:
    """An edit, what was selected for it of `total` tests, and what failed when all ran, and when those selected did."""

    edit: Edit
    found: Affected
    total: int
    all_failed: frozenset[str]
    selected_failed: frozenset[str]
    seconds: float

    @property
    def share(self) -> float:
        """The part of the tests that was selected."""
        return 1.0 if self.found.everything else len(self.found.tests) / self.total


def compare_edits(name: str, folder: Path, python: Path, count: int, seed: int = 0) -> list[Compared]:
    """Make `count` edits of a project's sources, one after the other in two copies of it, and run its tests."""
    copies = [unpacked(name, folder / number) for number in "ab"]
    edits = seeded_edits(copies[0], folder / "made", count, seed)
    with ThreadPoolExecutor(2) as pool:
        grounds: SimpleQueue[_Ground] = SimpleQueue()
        for ground in pool.map(lambda copy: _Ground(copy, python), copies):
            grounds.put(ground)

        def on_any(edit: Edit) -> Compared:
            ground = grounds.get()
            try:
                return ground.compare(edit)
            finally:
                grounds.put(ground)

        return list(pool.map(on_any, edits))


def seeded_edits(root: Path, scratch: Path, count: int, seed: int) -> list[Edit]:
    """Mutants as edits, each of another function as long as there are some."""
    tree = Path(shutil.copytree(root, scratch))
    draw = random.Random(seed)
    names = _drawn_files(tree, draw, count)
    command = [str(mutation_python()), "-c", _MAKE, str(AGENT.parents[1]), *names]
    made = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    functions = [
        (path, key, function)
        for path, by_key in json.loads(made.stdout.splitlines()[-1]).items()
        for key, function in by_key.items()
    ]
    draw.shuffle(functions)
    return [_edit(root, draw, *functions[number % len(functions)]) for number in range(count)]


def _drawn_files(tree: Path, draw: random.Random, count: int) -> list[str]:
    """Source files for so many edits, one drawn as often as it has functions: mutants of all would take minutes."""
    names = sorted(path.relative_to(tree).as_posix() for path in (tree / "src").rglob("*.py"))
    functions = [len(re.findall(r"^\s*(?:async )?def ", (tree / name).read_text(), re.MULTILINE)) for name in names]
    return sorted(set(draw.choices(names, functions, k=count)))


def _edit(root: Path, draw: random.Random, path: str, key: str, function: dict[str, Any]) -> Edit:
    source, text = (root / path).read_text(), function["text"]
    _, before, after, middle = draw.choice(function["mutants"])
    change = find_change(source, key, text[:before] + middle + text[len(text) - after :])
    assert change is not None, key
    return Edit(path, dotted_name(key), source, _applied(source, change))


def _applied(source: str, change: Change) -> str:
    lines = source.splitlines(keepends=True)
    span = change.span
    before = "".join(lines[: span.first_line - 1]) + lines[span.first_line - 1][: span.first_column]
    after = lines[span.last_line - 1][span.last_column :] + "".join(lines[span.last_line :])
    return before + change.replacement + after


class _Ground:
    """A copy of a project whose tests Testlens has run once."""

    def __init__(self, root: Path, python: Path) -> None:
        self._root = root
        self._python = python
        ran = run_testlens("run", str(root), "--python", str(python), "--", *PYTEST_ARGS)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        with contextlib.closing(Workspace(root)) as workspace:
            self._outcomes = workspace.store.outcomes()

    def compare(self, edit: Edit) -> Compared:
        """Make the edit, ask, run all tests and the selected ones, and take it back."""
        place = self._root / edit.path
        assert place.read_text() == edit.before
        place.write_text(edit.after)
        try:
            began = time.perf_counter()
            found = self._affected()
            seconds = time.perf_counter() - began
            failed = self._failed(())
            selected = failed if found.everything else self._failed(found.tests) if found.tests else frozenset[str]()
        finally:
            place.write_text(edit.before)
        return Compared(edit, found, len(self._outcomes), failed, selected, seconds)

    def _affected(self) -> Affected:
        with contextlib.closing(Workspace(self._root)) as workspace:
            workspace.refresh()
            return affected(replace(known_of(workspace), outcomes=self._outcomes))

    def _failed(self, tests: Sequence[str]) -> frozenset[str]:
        """The tests that fail among these, none meaning all; a suite that hangs fails in the one word that says so."""
        options = ["-q", "-rfE", "--tb=no", "--no-header", "-p", "no:cacheprovider", *PYTEST_ARGS]
        chosen = self._root.parent / f"{self._root.name}.tests"
        chosen.write_text("\n".join(tests))
        command = [str(self._python), "-m", "pytest", *options, *([f"@{chosen}"] if tests else [])]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                command, cwd=self._root, env=environment, capture_output=True, text=True, check=False,
                timeout=_LONGEST_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return frozenset({"hangs"})
        failed = frozenset(_FAILED.findall(done.stdout))
        # Where pytest itself breaks, no test is named.
        return failed if failed or done.returncode == 0 else frozenset({f"pytest ends with {done.returncode}"})
