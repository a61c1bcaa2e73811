"""How long mutants take, against `mutmut run` on the same sources in the same run, and whether the verdicts are equal.

Each project is a copy below a temporary folder. It is mutated whole by both, then one function by both from what they
know by then, then again after an edit of that function.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from figures import Figure, Size, main, ratio

from agent.interpreters import CURRENT, environment_with, found
from real.published import CACHE, environment
from testlens.domain.mutants import Mutant
from testlens.workspace.mutation import MutationOutcome, MutationProgress, mutate
from testlens.workspace.mutation_store import VerdictStore
from testlens.workspace.mutation_targets import MutationTarget
from testlens.workspace.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("pytest==9.2.0", "coverage==7.17.3", "mutmut==3.8.1", "freezegun")
_CODES = {0: "survived", 1: "killed", 3: "killed", 33: "no tests", 5: "no tests", 24: "timeout", -24: "timeout"}


@dataclass(frozen=True, slots=True)
class _Subject:
    """A module of a project, a function in it, and an edit of that function."""

    name: str
    folder: Path
    python: Path
    module: str
    function: str
    glob: str
    edit: tuple[str, str]


def measure(_size: Size) -> Iterator[Figure]:
    """All figures."""
    for subject in _subjects():
        yield from _of(subject)


def _subjects() -> Iterator[_Subject]:
    environment()
    its = environment_with("mutating-itsdangerous", found()[CURRENT], _PACKAGES)
    source = next(CACHE.glob("itsdangerous-*/"))
    yield _Subject(
        "itsdangerous signer",
        source,
        its,
        "src/itsdangerous/signer.py",
        "Signer.derive_key",
        "itsdangerous.signer.xǁSignerǁderive_key__mutmut_*",
        ("raise TypeError(", "raise  TypeError("),
    )
    yield _Subject(
        "itsdangerous timed",
        source,
        its,
        "src/itsdangerous/timed.py",
        "TimestampSigner.unsign",
        "itsdangerous.timed.xǁTimestampSignerǁunsign__mutmut_*",
        ("sep = want_bytes(", "sep =  want_bytes("),
    )
    yield _Subject(
        "clarity models",
        ROOT / "examples" / "clarity",
        ROOT / "examples" / "clarity" / ".venv" / "bin" / "python",
        "src/clarity/models.py",
        "HealthRecord.to_item",
        "clarity.models.xǁHealthRecordǁto_item__mutmut_*",
        ("def to_item(self)", "def to_item( self)"),
    )


def _of(subject: _Subject) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="testlens-bench-") as folder:
        ours, theirs = Path(folder) / "ours" / "project", Path(folder) / "theirs" / "project"
        for copy in (ours, theirs):
            shutil.copytree(subject.folder, copy, ignore=shutil.ignore_patterns(".*", "mutants", "__pycache__"))
            with (copy / "pyproject.toml").open("a", encoding="utf-8") as file:
                file.write(f'\n[tool.mutmut]\nonly_mutate = ["{subject.module}"]\n')
        peer = _mutmut(subject, theirs)
        outcome, seconds, _ = _mutate(subject, ours, MutationTarget(subject.module))
        statuses, wanted = {one.name: one.status for one in outcome.mutants}, _statuses(theirs)
        different = sum(statuses.get(name) != status for name, status in wanted.items())
        yield Figure(f"{subject.name}: verdicts that differ", different, 0, "of them", f"{len(wanted)} mutants")
        yield ratio(f"{subject.name}: the module", [seconds], [peer], 0.5, "s")

        _forget(ours, subject)
        peer_function = _mutmut(subject, theirs, subject.glob)
        _, seconds, first = _mutate(subject, ours, MutationTarget(subject.module, subject.function))
        yield ratio(f"{subject.name}: one function", [seconds], [peer_function], 0.5, "s")
        if first is not None:
            yield ratio(f"{subject.name}: first survivor", [first], [seconds], 0.25, "s")

        module = ours / subject.module
        module.write_text(module.read_text().replace(*subject.edit))
        _, seconds, _ = _mutate(subject, ours, MutationTarget(subject.module))
        yield ratio(f"{subject.name}: after an edit", [seconds], [peer], 0.1, "s")


def _mutmut(subject: _Subject, root: Path, *names: str) -> float:
    began = time.perf_counter()
    command = [str(subject.python.with_name("mutmut")), "run", "--max-children", "2", *names]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return time.perf_counter() - began


def _mutate(subject: _Subject, root: Path, target: MutationTarget) -> tuple[MutationOutcome, float, float | None]:
    began = time.perf_counter()
    survivors: list[float] = []

    def take(mutant: Mutant) -> None:
        if mutant.status == "survived":
            survivors.append(time.perf_counter() - began)

    def ignore(_progress: MutationProgress) -> None:
        pass

    with closing(Workspace(root)) as workspace:
        outcome = asyncio.run(mutate(workspace, str(subject.python), target, take, ignore))
    seconds = time.perf_counter() - began
    assert outcome.trusted, outcome.problems
    return outcome, seconds, survivors[0] if survivors else None


def _forget(root: Path, subject: _Subject) -> None:
    with closing(VerdictStore(root)) as store:
        store.forget(store.verdicts(subject.module))


def _statuses(root: Path) -> dict[str, str]:
    statuses = {}
    for meta in (root / "mutants").rglob("*.meta"):
        for name, code in json.loads(meta.read_text())["exit_code_by_key"].items():
            statuses[name] = _CODES.get(code, "suspicious")
    return statuses


if __name__ == "__main__":
    main(measure, __doc__)
