"""How long mutants take in the editor, against `mutmut run` on the same sources in the same run.

Each project is copied below a temporary folder, and both have mutated it before anything else is measured, so that both
have their coverage data. Then a function's mutants are asked for as a user does: of a server that has just started, and
of one that has done so before; then a module's, and the module's again after an edit of the function. It also counts
the verdicts that differ, of which there may be none, and asks one thing after the other while mutants play.
"""

from __future__ import annotations

import ast
import asyncio
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from client import Client, started
from figures import Figure, Size, main, ratio
from responsive import Latencies, ask_until, latency_figures
from servers import OURS

from agent.interpreters import CURRENT, environment_with, found
from agent.mutating import STATUSES
from real.published import CACHE, environment
from testlens.workspace.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("pytest==9.2.0", "coverage==7.17.3", "mutmut==3.8.1", "freezegun")
_ALL_CHECKED = re.compile(r"\b(\d+) of \1 mutants")
_IDLE_SECONDS = 4.0
_READING_SECONDS = 1.0  # in which a user sees what came of one function, and chooses another
_LONGEST_RUN = 600.0


@dataclass(frozen=True, slots=True)
class Subject:
    """A module of a project, and a function of it that has survivors, with mutmut's glob for it; `edit` changes it.

    `other` is the function whose mutants are asked for before, in the same session.
    """

    module: str
    other: str
    function: str
    glob: str
    edit: tuple[str, str]

    @property
    def name(self) -> str:
        """For the table."""
        return Path(self.module).stem


@dataclass(frozen=True, slots=True)
class Project:
    """A project, an interpreter with its packages and mutmut, and what of it is measured."""

    name: str
    folder: Path
    python: Path
    subjects: tuple[Subject, ...]


@dataclass(frozen=True, slots=True)
class Mutated:
    """Seconds from asking to the first survivor on screen, to the last verdict, and to the end of it all."""

    first: float | None
    last: float
    end: float


def measure(_size: Size) -> Iterator[Figure]:
    """All figures."""
    for project in _projects():
        with tempfile.TemporaryDirectory(prefix="testlens-bench-") as folder:
            yield from _of(project, Path(folder))


def _projects() -> Iterator[Project]:
    environment()
    yield Project(
        "itsdangerous",
        next(CACHE.glob("itsdangerous-*/")),
        environment_with("mutating-itsdangerous", found()[CURRENT], _PACKAGES),
        (
            Subject(
                "src/itsdangerous/signer.py",
                "Signer.sign",
                "Signer.__init__",
                "itsdangerous.signer.xǁSignerǁ__init____mutmut_*",
                ("self.sep: bytes = want_bytes(sep)", "self.sep: bytes = want_bytes( sep)"),
            ),
            Subject(
                "src/itsdangerous/timed.py",
                "TimestampSigner.sign",
                "TimestampSigner.unsign",
                "itsdangerous.timed.xǁTimestampSignerǁunsign__mutmut_*",
                ("sep = want_bytes(", "sep =  want_bytes("),
            ),
        ),
    )
    example = ROOT / "examples" / "clarity"
    yield Project(
        "clarity",
        example,
        example / ".venv" / "bin" / "python",
        (
            Subject(
                "src/clarity/models.py",
                "HealthRecord.to_item",
                "HealthRecord.from_item",
                "clarity.models.xǁHealthRecordǁfrom_item__mutmut_*",
                ("def from_item(cls,", "def from_item( cls,"),
            ),
            Subject(
                "src/clarity/services/dynamodb_service.py",
                "DynamoDBService.get_health_data",
                "DynamoDBService.query_health_data",
                "clarity.services.dynamodb_service.xǁDynamoDBServiceǁquery_health_data__mutmut_*",
                ("def query_health_data(", "def  query_health_data("),
            ),
        ),
    )


def _of(project: Project, folder: Path) -> Iterator[Figure]:
    ours, theirs = folder / "ours" / project.name, folder / "theirs" / project.name
    for copy in (ours, theirs):
        shutil.copytree(project.folder, copy, ignore=shutil.ignore_patterns(".*", "mutants", "__pycache__"))
    full = _mutmut(project, theirs)
    idle, busy, whole = asyncio.run(_mutate_all(project, ours))
    wanted, statuses = _statuses(theirs), _our_statuses(ours)
    different = sum(statuses.get(name) != status for name, status in wanted.items())
    yield Figure(f"{project.name}: verdicts that differ", different, 0, "of them", f"{len(wanted)} mutants")
    yield ratio(f"{project.name}: the whole project", [whole.end], [full], 1.0, "s")
    yield from latency_figures(f"mutants of {project.name} play", idle, busy)
    for subject in project.subjects:
        peer_module = _mutmut(project, theirs, f"{subject.glob.partition('.x')[0]}.*")
        peer_function = _mutmut(project, theirs, subject.glob)
        cold, warm, module, edited = asyncio.run(_mutate_subject(project, subject, ours))
        yield ratio(f"{subject.name}: one function, first of a session", [cold.last], [peer_function], 0.5, "s")
        yield ratio(f"{subject.name}: one function", [warm.last], [peer_function], 0.5, "s")
        yield ratio(f"{subject.name}: one function, sample checked again", [warm.end], [peer_function], 0.5, "s")
        assert warm.first is not None
        yield ratio(f"{subject.name}: its first survivor on screen", [warm.first], [peer_function], 0.25, "s")
        yield ratio(f"{subject.name}: the same, of our own run", [warm.first], [warm.end], 0.25, "s")
        yield ratio(f"{subject.name}: the same, of the time to our last verdict", [warm.first], [warm.last], 0.25, "s")
        yield ratio(f"{subject.name}: the module", [module.last], [peer_module], 0.5, "s")
        yield ratio(f"{subject.name}: after an edit of that function", [edited.last], [full], 0.1, "s")
        yield ratio(f"{subject.name}: the same, sample checked again", [edited.end], [full], 0.1, "s")


async def _mutate_all(project: Project, root: Path) -> tuple[Latencies, Latencies, Mutated]:
    """Mutate all of it once, and ask for other things meanwhile."""
    document = root / project.subjects[0].module
    async with _editor(project, root, document) as client:
        idle = await ask_until(asyncio.sleep(_IDLE_SECONDS), client, root, document)
        run = asyncio.ensure_future(_mutate(client, {"folder": root.as_uri()}, document, None))
        busy = await ask_until(run, client, root, document)
        return idle, busy, run.result()


async def _mutate_subject(project: Project, subject: Subject, root: Path) -> tuple[Mutated, Mutated, Mutated, Mutated]:
    """The function in a new session, and in one that did another before; the module, and that again after an edit."""
    module = root / subject.module
    whole = {"uri": module.as_uri()}
    function, other = ({**whole, "function": name} for name in (subject.function, subject.other))
    _forget(root)
    async with _editor(project, root, module) as client:
        cold = await _mutate(client, function, module, subject.function)
    _forget(root)
    async with _editor(project, root, module) as client:
        await _mutate(client, other, module, subject.other)
        await asyncio.sleep(_READING_SECONDS)
        warm = await _mutate(client, function, module, subject.function)
    _forget(root)
    async with _editor(project, root, module) as client:
        every = await _mutate(client, whole, module, subject.function)
        module.write_text(module.read_text().replace(*subject.edit))
        client.notify("textDocument/didSave", {"textDocument": whole})
        edited = await _mutate(client, whole, module, subject.function)
    return cold, warm, every, edited


@asynccontextmanager
async def _editor(project: Project, root: Path, document: Path) -> AsyncIterator[Client]:
    async with started(OURS) as client:
        await client.initialize(root, {"trusted": True, "settings": {"python": str(project.python)}})
        ready = client.expect("testlens/status", lambda status: status["state"] in ("ready", "noData"))
        client.notify("initialized", {})
        await ready
        client.open_document(document)
        yield client


async def _mutate(client: Client, wanted: dict[str, Any], document: Path, function: str | None) -> Mutated:
    """Have mutants run; the first survivor is one of `function`, any of the document where that is None."""
    uri, lines = document.as_uri(), _lines_of(document, function)

    def has_survivor(params: Any) -> bool:
        starts = [
            each["range"]["start"]["line"] + 1 for each in params["diagnostics"] if each.get("code") == "survivor"
        ]
        return params["uri"] == uri and any(line in lines for line in starts)

    survivor = client.expect("textDocument/publishDiagnostics", has_survivor, _LONGEST_RUN)
    last = client.expect("$/progress", lambda params: _ALL_CHECKED.search(str(params["value"])), _LONGEST_RUN)
    end = client.expect("window/showMessage", lambda params: "utation score" in params["message"], _LONGEST_RUN)
    began = time.perf_counter()
    await client.request("workspace/executeCommand", {"command": "testlens.server.mutate", "arguments": [wanted]})
    message = await end
    assert "cannot be trusted" not in message.params["message"], message.params
    first = survivor.result().at - began if survivor.done() else None
    return Mutated(first, (await last).at - began, message.at - began)


def _mutmut(project: Project, root: Path, *names: str) -> float:
    began = time.perf_counter()
    command = [str(project.python.with_name("mutmut")), "run", "--max-children", "2", *names]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return time.perf_counter() - began


def _lines_of(document: Path, function: str | None) -> range:
    """The lines of a function by its dotted name; of the whole document without one."""
    body, first, last = ast.parse(document.read_text()).body, 1, sys.maxsize
    for name in [] if function is None else function.split("."):
        found = [node for node in body if getattr(node, "name", None) == name][-1]  # the others are overloads
        assert isinstance(found, ast.ClassDef | ast.FunctionDef)
        body, first, last = found.body, found.lineno, found.end_lineno or found.lineno
    return range(first, last + 1)


def _forget(root: Path) -> None:
    """Forget all verdicts, and what was shown of them; what was made and measured stays."""
    for file in (root / ".testlens").glob("*.db*"):
        file.unlink()


def _statuses(root: Path) -> dict[str, str]:
    statuses = {}
    for meta in (root / "mutants").rglob("*.meta"):
        for name, code in json.loads(meta.read_text())["exit_code_by_key"].items():
            statuses[name] = STATUSES.get(code, "suspicious")
    return statuses


def _our_statuses(root: Path) -> dict[str, str]:
    with closing(Workspace(root)) as workspace:
        files = workspace.refresh().mutants.files.values()
        return {mutant.name: mutant.status for file in files for mutant in file.mutants}


if __name__ == "__main__":
    main(measure, __doc__)
