"""The tests of a scaffold are run three times as any other test, and what is said of them is what happened."""

from __future__ import annotations

import ast
import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testlens.domain.cases import Draft
from testlens.runners.pytest_runner import run_tests
from testlens.runners.run_log import RunRequest
from testlens.scaffold.edits import Edit
from testlens.scaffold.place import Place
from testlens.scaffold.render import Written
from testlens.workspace.gap_target import GapTarget, gap_at
from testlens.workspace.scaffolding import Scaffold
from testlens.workspace.selected_run import take_over
from testlens.workspace.verification import Verification, Verifier
from testlens.workspace.workspace import Workspace

SHOP = """\
def price(amount, member):
    if member:
        amount -= 1
        amount -= 1
    return amount
"""
GREEN = "import shop\n\n\ndef test_new():\n    assert shop.price(3, True) == 1\n"
RED = "import shop\n\n\ndef test_new():\n    assert shop.price(3, True) == 4\n"
UNSTEADY = """\
import pathlib
import shop


def test_new():
    count = pathlib.Path("count")
    count.write_text(count.read_text() + "x" if count.exists() else "x")
    assert shop.price(3, True) == 1
    assert len(count.read_text()) == 1
"""
ASTRAY = "import shop\n\n\ndef test_new():\n    assert shop.price(3, False) == 3\n"
BROKEN = "import nowhere\n\n\ndef test_new():\n    assert nowhere\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verified")
    (folder / "shop.py").write_text(SHOP)
    (folder / "test_shop.py").write_text("import shop\n\n\ndef test_old():\n    assert shop.price(1, False) == 1\n")
    (folder / ".coveragerc").write_text("[run]\nbranch = true\n[report]\nomit = test_*\n")
    return folder


@pytest.fixture(scope="module")
def workspace(root: Path) -> Iterator[Workspace]:
    workspace = Workspace(root)
    run = asyncio.run(run_tests(RunRequest(root, sys.executable, workspace.own_data), lambda event: None))
    workspace.finish_run({}, workspace.run_sources(run.sources))
    yield workspace
    workspace.close()


def verify(workspace: Workspace, text: str) -> Verification:
    """Run a test for the lines that only members' prices run."""
    found = gap_at(workspace, "shop.py", 3, SHOP)
    assert isinstance(found, GapTarget)
    (workspace.root / "test_new.py").write_text(text)
    edits = (Edit("test_new.py", 1, 1, text),)
    written = Written({"test_new.py": text}, edits, "test_new.py", ("test_new.py::test_new",), ("test_new",), {})
    scaffold = Scaffold("bdd", found.gap, SHOP, Draft("bdd", "Price", ()), Place("test_new.py", "conftest.py"), written)
    return asyncio.run(Verifier(workspace, sys.executable, lambda event: None).verify(scaffold))


@pytest.mark.parametrize(
    ("text", "outcome", "covered", "words"),
    [
        (RED, "failed", (3, 4), "red: assert 1 == 4"),
        (UNSTEADY, "flaky", (3, 4), "flaky"),
        (ASTRAY, "passed", (), "green, covers 0 of 2 lines of this gap"),
        (BROKEN, "error", (), "nowhere"),
    ],
    ids=["red", "flaky", "astray", "broken"],
)
def test_a_verdict_says_what_happened(
    workspace: Workspace, text: str, outcome: str, covered: tuple[int, ...], words: str
) -> None:
    ast.parse(text)
    verdict = verify(workspace, text).verdict
    assert (verdict.outcome, verdict.covered) == (outcome, covered), verdict.message
    assert words in verdict.message


def test_a_green_test_is_taken_over_and_its_gap_is_gone(workspace: Workspace) -> None:
    verification = verify(workspace, GREEN)
    assert verification.verdict.message == "green, covers 2 of 2 lines of this gap"
    assert verification.run is not None
    assert take_over(workspace, verification.run) is None
    assert workspace.snapshot.files["shop.py"].gaps == ()
    assert workspace.snapshot.outcomes["test_new.py::test_new"].outcome == "passed"
