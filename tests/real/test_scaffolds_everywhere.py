"""Whatever the function: what is written for it parses, is clean under ruff's defaults and is collected by pytest."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from real.published import PYTEST_ARGS, environment, unpacked
from testlens.domain.coverage import Trace
from testlens.domain.gaps import Region
from testlens.domain.problems import Problem
from testlens.domain.risk import Risk
from testlens.domain.snapshot import Gap
from testlens.runners.explorer import Explorer, ExplorerRequest
from testlens.scaffold.place import choose_place
from testlens.scaffold.recipe import Knowledge
from testlens.scaffold.recipes import offers, recipe_named
from testlens.scaffold.render import Written, write
from testlens.scaffold.target import NoTarget
from testlens.scaffold.values import static_description
from testlens.workspace.examine import examine_text
from testlens.workspace.examined import ParseRules
from testlens.workspace.gap_target import GapTarget, parse_text, target_in
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


async def test_a_test_for_any_function_parses_is_clean_and_is_collected(project: Project) -> None:
    workspace = Workspace(project.root)
    tests = TestFiles(workspace)
    style = tests.read(str(project.python))
    texts, existing = dict(tests.texts), {*tests.existing}
    written: list[Written] = []
    workspace.close()
    gaps = list(gaps_of_every_function(project.root))
    broken = await modules_that_cannot_be_imported(project, gaps)
    for gap in gaps:
        if gap.gap.file in broken:
            continue
        written.append(scaffold(gap, Knowledge(style, static_description(gap.target)), texts, existing))
        texts.update(written[-1].files)
    assert len(written) > 50
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
        parsed = parse_text(text)
        by_scope: dict[int, Region] = {}
        for finding in examined.findings:
            by_scope.setdefault(finding.region.scope_line, finding.region)
        for region in by_scope.values():
            found = target_in(root, Gap(path, region, Risk(50.0, {}, ())), parsed)
            if not isinstance(found, NoTarget):
                yield found


async def modules_that_cannot_be_imported(project: Project, gaps: Iterable[GapTarget]) -> frozenset[str]:
    """The files of modules that only another platform can import: for their functions no test is offered."""
    explorer = await Explorer.start(ExplorerRequest(project.root, str(project.python), None, project.pytest_args))
    assert isinstance(explorer, Explorer), explorer
    broken = set()
    for file, target in {gap.gap.file: gap.target for gap in gaps if not gap.target.inner}.items():
        described = await explorer.describe(project.root / file, target.name, target.function.lineno)
        assert not isinstance(described, Problem)
        if described.unreachable is not None and described.unreachable.startswith("importing "):
            broken.add(file)
    await explorer.close()
    return frozenset(broken)


def scaffold(gap: GapTarget, knowledge: Knowledge, texts: Mapping[str, str], existing: Collection[str]) -> Written:
    """What the most fitting recipe writes without running anything."""
    recipe = recipe_named(offers(gap.target, knowledge.style)[0].recipe)
    assert recipe is not None
    draft = without_trials(recipe.search(gap.target, knowledge))
    place = choose_place(gap.gap.file, recipe.name, knowledge.style, {*existing, *texts})
    return write(draft, place, knowledge.style, texts)


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
