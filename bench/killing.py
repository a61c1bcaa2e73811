"""How many survivors the quick fix kills, with no edit by hand.

The mutants of itsdangerous, click's utils and examples/clarity are checked. For each survivor, or a seeded sample,
what Testlens offers is taken: a test or an assertion that was green on the original three times, and red on the mutant
three times. Survivors that a person judged to be equivalent, with the reason in equivalents.json, are left out.

    python bench/killing.py [--project NAME] [--most N] [--budget SECONDS] [--seed N]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from figures import Figure, conclude_attempts
from mutmut_environment import with_mutmut

from real.published import PYTEST_ARGS, environment, unpacked
from testlens.domain.changed_text import change_in_words
from testlens.domain.mutants import Mutant
from testlens.domain.problems import Problem
from testlens.runners.pytest_runner import run_tests
from testlens.runners.run_log import RunRequest
from testlens.scaffold.kill.search import NotKilled
from testlens.workspace.explorer_session import ExplorerSession
from testlens.workspace.killing import Killer, Killing, said_of
from testlens.workspace.mutation import mutate
from testlens.workspace.mutation_job import Listeners
from testlens.workspace.mutation_targets import MutationTarget
from testlens.workspace.settings import Overrides
from testlens.workspace.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "clarity"
EQUIVALENTS = Path(__file__).with_name("equivalents.json")
SEED = 20261124
_LEFT_ALIVE = 0.5
# One test of click looks for what mutmut's own click has put there; the arguments are those of the project's own runs.
_CLICK = ("--deselect", "tests/test_context.py::test_global_context_object")


@dataclass(frozen=True, slots=True)
class Project:
    """A copy of a project, an interpreter with its packages and mutmut, and the file to mutate (None for all)."""

    name: str
    root: Path
    python: Path
    pytest_args: tuple[str, ...]
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Attempted:
    """What came of one survivor; `seconds` is how long that took, `why` says why it lives, empty where it does not."""

    name: str
    place: str
    change: str
    way: str
    seconds: float
    tried: int
    why: str


def projects(chosen: list[str], folder: Path) -> Iterator[Project]:
    """Copies of the chosen projects."""
    for name in chosen or ["itsdangerous", "click", "clarity"]:
        if name == "clarity":
            ignored = shutil.ignore_patterns(".venv", ".git", ".testlens", "mutants", "__pycache__")
            root = Path(shutil.copytree(EXAMPLE, folder / name, ignore=ignored))
            yield Project(name, root, EXAMPLE / ".venv" / "bin" / "python", ())
            continue
        root = unpacked(name, folder)
        arguments = (*PYTEST_ARGS[2:], *(_CLICK if name == "click" else ()))
        with (root / "pyproject.toml").open("a", encoding="utf-8") as config:
            config.write(f'\n[tool.mutmut]\nsource_paths = ["src"]\npytest_add_cli_args = {json.dumps(arguments)}\n')
        python = with_mutmut(environment(), folder / f"{name}-venv")
        yield Project(name, root, python, PYTEST_ARGS, "src/click/utils.py" if name == "click" else None)


async def kill_survivors(project: Project, most: int, budget: float, seed: int) -> list[Attempted]:
    """Try to kill the survivors of a project."""
    workspace = Workspace(project.root, Overrides(pytest_args=project.pytest_args))
    workspace.own_data.parent.mkdir(exist_ok=True)
    try:
        await _run_tests(project, workspace)
        target = MutationTarget(file=project.file)
        outcome = await mutate(workspace, str(project.python), target, Listeners())
        if not outcome.trusted:
            sys.exit(f"{project.name}: {' '.join(problem.sentences for problem in outcome.problems)}")
        survivors = [mutant for mutant in outcome.mutants if mutant.status == "survived"]
        judged = equivalents(project.name)
        wanted = [mutant for mutant in survivors if mutant.name not in judged]
        counts = (
            f"{len(outcome.mutants)} mutants, {len(survivors)} survive, {len(survivors) - len(wanted)} are equivalent"
        )
        print(f"{project.name}: {counts}; the score is {outcome.score or 0:.1f} %", file=sys.stderr)
        if 0 < most < len(wanted):
            wanted = random.Random(seed).sample(wanted, most)
        return await _kill(project, workspace, wanted, budget)
    finally:
        workspace.close()


async def _kill(project: Project, workspace: Workspace, wanted: list[Mutant], budget: float) -> list[Attempted]:
    session = ExplorerSession(workspace, str(project.python), network=False)
    killer = Killer(workspace, session, str(project.python), budget)
    found = []
    try:
        for mutant in wanted:
            began = time.perf_counter()
            killing = await killer.kill(mutant, lambda _what, _count: None)
            found.append(_attempted(mutant, killing, time.perf_counter() - began))
            one = found[-1]
            print(f"  {one.why or f'killed ({one.way})'}: {one.place} {one.change}", file=sys.stderr)
    finally:
        await session.close()
    return found


def _attempted(mutant: Mutant, killing: Killing | NotKilled | Problem, seconds: float) -> Attempted:
    place = f"{mutant.file}:{mutant.span.first_line}"
    change = change_in_words(mutant.original, mutant.replacement)
    if isinstance(killing, Killing):
        why = "" if killing.is_verified else "not verified"
        return Attempted(mutant.name, place, change, killing.way, seconds, killing.tried, why)
    if isinstance(killing, Problem):
        return Attempted(mutant.name, place, change, "", seconds, 0, killing.sentences)
    return Attempted(mutant.name, place, change, "", seconds, killing.tried, said_of(killing, mutant))


async def _run_tests(project: Project, workspace: Workspace) -> None:
    request = RunRequest(project.root, str(project.python), workspace.own_data, (), project.pytest_args, 60.0)
    run = await run_tests(request, lambda _event: None)
    await asyncio.to_thread(workspace.finish_run, {}, run.sources)


def equivalents(project: str) -> Mapping[str, str]:
    """The mutants of a project that nobody can kill, by name, each with the reason."""
    known: dict[str, dict[str, str]] = json.loads(EQUIVALENTS.read_text(encoding="utf-8"))
    return known.get(project, {})


def main() -> None:
    """Run the benchmark as a program: exits with 1 if a bound was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", action="append", default=[], choices=("itsdangerous", "click", "clarity"))
    parser.add_argument(
        "--most", type=int, default=0, metavar="N", help="a seeded sample of N survivors each; 0 for all"
    )
    parser.add_argument("--budget", type=float, default=5.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write what came of each survivor to FILE")
    arguments = parser.parse_args()
    everything: dict[str, list[Attempted]] = {}
    with tempfile.TemporaryDirectory(prefix="testlens-killing-") as folder:
        for project in projects(arguments.project, Path(folder)):
            work = kill_survivors(project, arguments.most, arguments.budget, arguments.seed)
            everything[project.name] = asyncio.run(work)
    conclude_attempts(everything, _figure, arguments.json)


def _figure(name: str, found: Sequence[Attempted]) -> Figure:
    left = sum(bool(one.why) for one in found)
    seconds = statistics.median([one.seconds for one in found] or [0.0])
    detail = f"{len(found) - left} of {len(found)} killed, {seconds:.1f} s for one"
    return Figure(f"survivors left alive, {name}", left / max(len(found), 1), _LEFT_ALIVE, "x", detail)


if __name__ == "__main__":
    main()
