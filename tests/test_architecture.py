"""The import direction of docs/architecture.md, read from the sources: who may know whom, and who alone may do what."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

SERVER = Path(__file__).resolve().parent.parent / "server"

# Package of testlens -> the other packages that it may import.
MAY_IMPORT: Mapping[str, frozenset[str]] = {
    "domain": frozenset(),
    "analysis": frozenset({"domain"}),
    "sources": frozenset({"domain"}),
    "scaffold": frozenset({"domain"}),
    "runners": frozenset({"domain", "analysis", "sources", "scaffold"}),
    "workspace": frozenset({"domain", "analysis", "sources", "scaffold", "runners"}),
    "report": frozenset({"domain", "analysis", "sources", "scaffold", "runners", "workspace"}),
    # A panel of an editor shows the report as a file has it.
    "lsp": frozenset({"domain", "analysis", "sources", "scaffold", "runners", "workspace", "report"}),
    "cli": frozenset({"domain", "analysis", "sources", "scaffold", "runners", "workspace", "report"}),
}
# Modules of others -> the places (packages or modules of the server) that alone may import them.
RESERVED: Mapping[str, tuple[str, ...]] = {
    "pygls": ("testlens.lsp",),
    "lsprotocol": ("testlens.lsp",),
    "typer": ("testlens.cli",),
    "rich": ("testlens.cli",),
    "jinja2": ("testlens.report", "testlens.scaffold"),
    "coverage": ("testlens.sources", "testlens_agent"),
    "pytest": ("testlens_agent",),
    "subprocess": ("testlens.runners.process", "testlens_agent"),
}
# The domain computes and does nothing else.
IMPURE = frozenset(
    {"asyncio", "io", "logging", "multiprocessing", "os", "pathlib", "shutil", "socket", "sqlite3", "tempfile", "time"}
)
# Ways to start a process without importing subprocess.
STARTERS = frozenset(
    {
        *("create_subprocess_exec", "create_subprocess_shell", "subprocess_exec", "subprocess_shell"),
        *("fork", "system", "popen", "posix_spawn"),
    }
)
STARTER_HOMES = ("testlens.runners.process", "testlens.runners.group_process", "testlens_agent")
# The modules that may use what coverage.py does not document, and which its next version may change.
PRIVATE_COVERAGE_HOMES = (
    "testlens.sources.coverage_parse",
    "testlens.sources.coverage_config",
    "testlens.sources.path_mapping",
    "testlens.sources.source_text",
    "testlens_agent.traced",
)
PUBLIC_COVERAGE = frozenset({"coverage", "coverage.exceptions"})
RELATIVE = "."
AGENT_NEEDS = frozenset({"pytest", "coverage", "_pytest"})


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, or name of a module (`coverage.Coverage`), and the line that imports it."""

    name: str
    line: int

    @property
    def top(self) -> str:
        """The distribution's or standard library's name for it."""
        return self.name.split(".")[0]


def violations(module: str, text: str) -> list[str]:
    """What `module` (dotted), with this source text, does against the rules; each with its line."""
    tree = ast.parse(text)
    found = list(_imports(tree))
    rules = (_absolute, _direction, _reserved, _purity, _agent, _private_coverage)
    wrong = [(line, what) for rule in rules for line, what in rule(module, found)]
    wrong += _starts(module, tree)
    return [f"{module}:{line} {what}" for line, what in sorted(set(wrong))]


def _imports(tree: ast.AST) -> Iterator[Import]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (Import(f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield Import(RELATIVE, node.lineno)


Wrong = Iterator[tuple[int, str]]


def _absolute(_module: str, found: list[Import]) -> Wrong:
    yield from ((i.line, "a relative import hides where it leads") for i in found if i.name == RELATIVE)


def _direction(module: str, found: list[Import]) -> Wrong:
    parts = module.split(".")
    if parts[0] != "testlens" or len(parts) < 2 or parts[1] not in MAY_IMPORT:
        return
    allowed = MAY_IMPORT[parts[1]] | {parts[1], "__version__"}
    for imported in found:
        if imported.top == "testlens" and imported.name.split(".")[1] not in allowed:
            yield imported.line, f"{parts[1]} may not import {imported.name}"


def _reserved(module: str, found: list[Import]) -> Wrong:
    for imported in found:
        homes = RESERVED.get(imported.top)
        if homes is not None and not _is_in(module, homes):
            yield imported.line, f"{imported.top} belongs to {' and '.join(homes)}"


def _purity(module: str, found: list[Import]) -> Wrong:
    if _is_in(module, ("testlens.domain",)):
        yield from ((i.line, f"the domain may not import {i.top}") for i in found if i.top in IMPURE)


def _agent(module: str, found: list[Import]) -> Wrong:
    if not _is_in(module, ("testlens_agent",)):
        yield from ((i.line, "the agent is run, never imported") for i in found if i.top == "testlens_agent")
        return
    known = sys.stdlib_module_names | AGENT_NEEDS | {"testlens_agent"}
    yield from ((i.line, f"the agent may not import {i.top}") for i in found if i.top not in known)


def _private_coverage(module: str, found: list[Import]) -> Wrong:
    if _is_in(module, PRIVATE_COVERAGE_HOMES):
        return
    for imported in found:
        if imported.top != "coverage" or imported.name == "coverage":
            continue
        home, name = imported.name.rsplit(".", 1)
        if home not in PUBLIC_COVERAGE or name.startswith("_"):
            yield imported.line, f"{imported.name} is private to coverage.py"


def _starts(module: str, tree: ast.AST) -> Wrong:
    if _is_in(module, STARTER_HOMES):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in STARTERS:
            yield node.lineno, f"{node.attr} starts a process outside of {STARTER_HOMES[0]}"


def _is_in(module: str, places: tuple[str, ...]) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


def _modules() -> dict[str, Path]:
    files = (file for package in ("testlens", "testlens_agent") for file in (SERVER / package).rglob("*.py"))
    return {".".join(file.relative_to(SERVER).with_suffix("").parts): file for file in files}


@pytest.mark.parametrize("module", sorted(_modules()))
def test_imports_run_one_way(module: str) -> None:
    assert violations(module, _modules()[module].read_text(encoding="utf-8")) == []


def test_every_package_has_a_place_in_the_order() -> None:
    packages = {folder.name for folder in (SERVER / "testlens").iterdir() if (folder / "__init__.py").is_file()}
    assert packages <= set(MAY_IMPORT)


def test_no_package_is_above_itself() -> None:
    """The order has no cycle: whoever may be imported may not import back."""
    assert all(package not in MAY_IMPORT[other] for package in MAY_IMPORT for other in MAY_IMPORT[package])


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("testlens.domain.risk", "from testlens.sources.lcov import read"),
        ("testlens.domain.risk", "import os"),
        ("testlens.domain.risk", "from pathlib import Path"),
        ("testlens.domain.risk", "import coverage"),
        ("testlens.analysis.syntax", "from testlens.sources import lcov"),
        ("testlens.sources.lcov", "from testlens import analysis"),
        ("testlens.runners.process", "import testlens.workspace.workspace"),
        ("testlens.workspace.workspace", "def f():\n    from testlens.lsp import server"),
        ("testlens.lsp.server", "from testlens.cli.failure import Failure"),
        ("testlens.report.view", "from testlens.cli.app import run"),
        ("testlens.cli.app", "from testlens.lsp.server import serve"),
        ("testlens.cli.app", "if TYPE_CHECKING:\n    from lsprotocol.types import Range"),
        ("testlens.workspace.jobs", "import pygls.lsp.server"),
        ("testlens.workspace.jobs", "import subprocess"),
        ("testlens.workspace.jobs", "await asyncio.create_subprocess_exec('git')"),
        ("testlens.workspace.jobs", "await loop.subprocess_exec(Protocol, 'git')"),
        ("testlens.sources.git_history", "os.system('git blame')"),
        ("testlens.sources.coverage_data", "from coverage.parser import PythonParser"),
        ("testlens.sources.coverage_data", "from coverage import _hidden"),
        ("testlens.sources.lcov", "from . import cobertura"),
        ("testlens.runners.pytest_runner", "import testlens_agent.child"),
        ("testlens_agent.child", "from testlens.domain.problems import Problem"),
        ("testlens_agent.child", "import attr"),
    ],
)
def test_the_check_itself_catches_a_violation(module: str, text: str) -> None:
    assert violations(module, text)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("testlens.cli.app", "from testlens import __version__"),
        ("testlens.domain.plan", "from testlens.domain.snapshot import Gap"),
        ("testlens.sources.coverage_parse", "from coverage.parser import PythonParser"),
        ("testlens.sources.coverage_data", "from coverage import CoverageData"),
        ("testlens.runners.process", "import subprocess"),
        ("testlens_agent.child", "import os, pytest, coverage"),
    ],
)
def test_the_check_lets_through_what_is_allowed(module: str, text: str) -> None:
    assert violations(module, text) == []
