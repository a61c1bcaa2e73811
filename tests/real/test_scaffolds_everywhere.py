"""Whatever the function: what is written for it parses, is clean under ruff's defaults and is collected by pytest."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from real.published import PYTEST_ARGS, environment, unpacked
from testlens.domain.coverage import Trace
from testlens.domain.gaps import Region
from testlens.domain.problems import Problem
from testlens.domain.risk import Risk
from testlens.domain.snapshot import Gap
from testlens.scaffold.place import choose_place
from testlens.scaffold.recipe import Knowledge
from testlens.scaffold.recipes import offers, recipe_named
from testlens.scaffold.render import Written, write
from testlens.scaffold.style import Style
from testlens.scaffold.target import NoTarget
from testlens.scaffold.values import static_description
from testlens.workspace.examine import examine_text
from testlens.workspace.examined import ParseRules
from testlens.workspace.gap_target import GapTarget, target_of
from testlens.workspace.scaffolding import without_trials
from testlens.workspace.test_files import TestFiles
from testlens.workspace.views import text_on_disk
from testlens.workspace.workspace import Workspace

EXAMPLE = Path(__file__).parents[2] / "examples" / "clarity"


@dataclass(frozen=True, slots=True)
class Project:
    """A copy of a project, with the interpreter and the arguments that its tests want."""

    root: Path
    python: Path
    pytest_args: tuple[str, ...]


@pytest.fixture(params=["itsdangerous", "clarity", "click", "jinja2"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """Each project in turn."""
    if request.param == "clarity":
        ignored = shutil.ignore_patterns(".venv", ".testlens", "__pycache__", ".coverage")
        root = Path(shutil.copytree(EXAMPLE, tmp_path / "clarity", ignore=ignored))
        return Project(root, EXAMPLE / ".venv" / "bin" / "python", ())
    python = environment()
    return Project(unpacked(request.param, tmp_path), python, PYTEST_ARGS)


def test_a_test_for_any_function_parses_is_clean_and_is_collected(project: Project) -> None:
    workspace = Workspace(project.root)
    tests = TestFiles(workspace)
    style = tests.read(str(project.python))
    texts, written, functions = dict(tests.texts), [], 0
    for gap in gaps_of_every_function(project.root):
        functions += 1
        for one in scaffolds(gap, style, texts):
            texts.update(one.files)
            written.append(one)
    workspace.close()
    assert functions > 50
    assert len(written) >= functions, "nothing was written for some functions"
    for path, text in texts.items():
        ast.parse(text, path)
    complaints_before = complaints(project.root)
    for path, text in texts.items():
        (project.root / path).parent.mkdir(parents=True, exist_ok=True)
        (project.root / path).write_text(text, encoding="utf-8", newline="")
    assert complaints(project.root) - complaints_before == Counter()
    wanted = {node for one in written for node in one.node_ids}
    assert wanted <= collected(project)


def gaps_of_every_function(root: Path) -> Iterator[GapTarget]:
    """For each function of each source file a gap of all that is its own, as if no test had ever called it."""
    for file in sorted((root / "src").rglob("*.py")):
        path, text = file.relative_to(root).as_posix(), text_on_disk(file)
        assert text is not None
        examined = examine_text(text, path, Trace(frozenset(), frozenset()), ParseRules("", ""))
        assert not isinstance(examined, Problem)
        by_scope: dict[int, Region] = {}
        for finding in examined.findings:
            by_scope.setdefault(finding.region.scope_line, finding.region)
        for region in by_scope.values():
            found = target_of(root, Gap(path, region, Risk(50.0, {}, ())), text)
            if not isinstance(found, NoTarget):
                yield found


def scaffolds(gap: GapTarget, style: Style, texts: Mapping[str, str]) -> Iterator[Written]:
    """What each of the recipes that fit writes, one after the other into the same files."""
    described = static_description(gap.target)
    texts = dict(texts)
    for offer in offers(gap.target, style)[:2]:
        recipe = recipe_named(offer.recipe)
        assert recipe is not None
        draft = without_trials(recipe.search(gap.target, Knowledge(style, described)))
        one = write(draft, choose_place(gap.gap.file, recipe.name, style, texts.keys()), style, texts)
        texts.update(one.files)
        yield one


def complaints(root: Path) -> Counter[tuple[str, str, str]]:
    """What ruff says by default of the test files: file, rule and message."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--output-format", "json", "."]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    return Counter(
        (entry["filename"], entry["code"], entry["message"]) for entry in found if "test" in entry["filename"]
    )


def collected(project: Project) -> set[str]:
    """The node ids that pytest finds, from the folder of the project."""
    command = [str(project.python), "-m", "pytest", "--collect-only", "-q", *project.pytest_args]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    return {line.partition("[")[0] for line in done.stdout.splitlines() if "::" in line}
