"""How many of the riskiest gaps the first offered quick fix closes, with no edit by hand.

Each project loses a fixed, seeded half of its tests. Of the 30 riskiest gaps that are left, the first offer is taken; a
gap counts as closed when the test is green, covers a line or branch of the gap that nothing covered before, and stays
green in three runs in random order among other tests. Gaps at module level count as not closed.

    python bench/closing.py [--project NAME|PATH --python PATH] [--gaps N] [--seed N]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from figures import Figure, conclude_attempts
from thinned import thin_out

from real.published import PYTEST_ARGS, environment, unpacked
from testlens.domain.coverage import combine
from testlens.domain.problems import Problem
from testlens.domain.snapshot import Gap
from testlens.runners.pytest_runner import run_tests
from testlens.runners.run_log import RunRequest, RunResult
from testlens.scaffold.target import NoTarget
from testlens.sources import coverage_data
from testlens.sources.coverage_parse import parse
from testlens.workspace.gap_target import GapTarget, gap_at
from testlens.workspace.scaffolding import Scaffold, Scaffolder
from testlens.workspace.settings import Overrides
from testlens.workspace.views import text_on_disk
from testlens.workspace.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = ("click", "itsdangerous", "jinja2")
EXAMPLE = ROOT / "examples" / "clarity"
SEED = 20261124
RUNS = 3
_OTHERS = 20
_LEFT_OPEN = 0.4


@dataclass(frozen=True, slots=True)
class Attempted:
    """What came of one gap; `seconds` is how long writing took, `why` says what was wrong, empty where it closed."""

    place: str
    function: str
    recipe: str
    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Project:
    """A project to try: a folder of its own, and the interpreter that its tests run in."""

    name: str
    root: Path
    python: Path
    pytest_args: tuple[str, ...]


def projects(chosen: list[str], python: Path | None, folder: Path) -> Iterator[Project]:
    """Copies of the chosen projects."""
    for name in chosen or [*PUBLISHED, "clarity"]:
        if name in PUBLISHED:
            interpreter = environment()
            yield Project(name, unpacked(name, folder), interpreter, PYTEST_ARGS)
            continue
        source = EXAMPLE if name == "clarity" else Path(name)
        ignored = shutil.ignore_patterns(".venv", ".git", ".testlens", "__pycache__")
        root = Path(shutil.copytree(source, folder / source.name, ignore=ignored))
        yield Project(source.name, root, python or EXAMPLE / ".venv" / "bin" / "python", ())


async def close_gaps(project: Project, most: int, seed: int) -> list[Attempted]:
    """Try the riskiest gaps of a project whose suite was thinned out."""
    before, after = thin_out(project.root, seed)
    print(f"{project.name}: {after} of {before} tests left", file=sys.stderr)
    workspace = Workspace(project.root, Overrides(pytest_args=project.pytest_args))
    workspace.own_data.parent.mkdir(exist_ok=True)
    full = await _run(project, workspace.own_data)
    others = [test.nodeid for test in full.results if test.outcome == "passed"]
    await asyncio.to_thread(workspace.finish_run, {}, full.sources)
    scaffolder = Scaffolder(workspace, str(project.python))
    found = []
    try:
        for planned in workspace.plan().gaps[:most]:
            found.append(await _close(project, workspace, scaffolder, planned.gap, others))
            print(f"  {found[-1].why or 'closed'}: {found[-1].place} {found[-1].function}", file=sys.stderr)
    finally:
        await scaffolder.close()
        workspace.close()
    return found


async def _close(
    project: Project, workspace: Workspace, scaffolder: Scaffolder, gap: Gap, others: list[str]
) -> Attempted:
    place = f"{gap.file}:{gap.region.first}"
    text = text_on_disk(project.root / gap.file) or ""
    target = gap_at(workspace, gap.file, gap.region.first, text)
    if isinstance(target, NoTarget):
        return Attempted(place, gap.region.function, "", 0.0, f"not offered: {target.reason}")
    target = GapTarget(gap, target.target, text) if target.gap == gap else target
    began = time.perf_counter()
    scaffold = await scaffolder.scaffold(target, None, lambda _what, _count: None)
    seconds = time.perf_counter() - began
    if isinstance(scaffold, Problem):
        return Attempted(place, gap.region.function, "", seconds, scaffold.sentences)
    why = await _judge(project, scaffold, others)
    return Attempted(place, gap.region.function, scaffold.recipe, seconds, why)


async def _judge(project: Project, scaffold: Scaffold, others: list[str]) -> str:
    """Why a scaffold does not close its gap; empty where it does. The project is as before afterwards."""
    before = {path: _content(project.root / path) for path in scaffold.written.files}
    try:
        for path, text in scaffold.written.files.items():
            (project.root / path).parent.mkdir(parents=True, exist_ok=True)
            (project.root / path).write_text(text, encoding="utf-8", newline="")
        return await _judge_inserted(project, scaffold, others)
    finally:
        for path, content in before.items():
            (project.root / path).unlink() if content is None else (project.root / path).write_bytes(content)


async def _judge_inserted(project: Project, scaffold: Scaffold, others: list[str]) -> str:
    data = project.root / ".testlens" / "closing.coverage"
    tests = scaffold.written.node_ids
    alone = await _run(project, data, tests)
    bad = [test for test in alone.results if test.outcome != "passed"]
    if bad or len(alone.results) < len(tests):
        return f"red: {bad[0].message if bad else 'not collected'}"
    if not _reaches(project, scaffold, data):
        return "green, and covers nothing of the gap"
    chance = random.Random(SEED)
    for _ in range(RUNS):
        mixed = [*tests, *chance.sample(others, min(_OTHERS, len(others)))]
        chance.shuffle(mixed)
        run = await _run(project, data, tuple(mixed))
        if any(test.outcome != "passed" and test.nodeid in tests for test in run.results):
            return "red among other tests"
    return ""


def _reaches(project: Project, scaffold: Scaffold, data: Path) -> bool:
    parsed = parse(scaffold.text, scaffold.gap.file, "", "")
    assert not isinstance(parsed, Problem)
    with coverage_data.open_data((data,)) as opened:
        trace = opened.trace(str((project.root / scaffold.gap.file).resolve()))
    if trace is None:
        return False
    verdict = combine(parsed.source, trace)
    region = scaffold.gap.region
    ran = frozenset(region.statements) - verdict.missing
    return bool(ran) or bool(frozenset(region.arcs) - verdict.missing_arcs)


async def _run(project: Project, data: Path, tests: tuple[str, ...] = ()) -> RunResult:
    # What a scaffold calls is taken back with it, and must not be what the next one learns from.
    request = RunRequest(
        project.root, str(project.python), data, tests, project.pytest_args, 60.0, record_values=not tests
    )
    return await run_tests(request, lambda _event: None)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def main() -> None:
    """Run the benchmark as a program: exits with 1 if a bound was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", action="append", default=[], metavar="NAME|PATH")
    parser.add_argument("--python", type=Path, metavar="PATH", help="the interpreter for a PATH")
    parser.add_argument("--gaps", type=int, default=30, metavar="N")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write what came of each gap to FILE")
    arguments = parser.parse_args()
    everything: dict[str, list[Attempted]] = {}
    with tempfile.TemporaryDirectory(prefix="testlens-closing-") as folder:
        for project in projects(arguments.project, arguments.python, Path(folder)):
            everything[project.name] = asyncio.run(close_gaps(project, arguments.gaps, arguments.seed))
    conclude_attempts(everything, _figure, arguments.json)


def _figure(name: str, found: Sequence[Attempted]) -> Figure:
    if not found:
        return Figure(f"gaps left open, {name}", 1.0, _LEFT_OPEN, "x", "no gap was found: do its tests run?")
    left = sum(bool(one.why) for one in found)
    seconds = statistics.median(one.seconds for one in found)
    detail = f"{len(found) - left} of {len(found)} closed, {seconds:.1f} s to write one"
    return Figure(f"gaps left open, {name}", left / len(found), _LEFT_OPEN, "x", detail)


if __name__ == "__main__":
    main()
