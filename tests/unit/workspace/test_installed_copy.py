"""Tests that run against an installed copy of the project: what they prove is shown at the source."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from testlens.workspace.workspace import Workspace

ORDERS = (
    "def total(prices, voucher=0):\n    if voucher:\n        return sum(prices) - voucher\n    return sum(prices)\n"
)
TEST = "from shop.orders import total\n\ndef test_total():\n    assert total([1, 2]) == 3\n"
CONFIG = "[run]\nbranch = true\nsource = shop\n[report]\nomit = src/shop/legacy.py\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with its package in `src`, and the `.coverage` of tests that ran the copy in another folder."""
    root = tmp_path / "project"
    package = root / "src" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "orders.py").write_text(ORDERS, encoding="utf-8")
    (package / "legacy.py").write_text("import json\n", encoding="utf-8")
    (root / "test_shop.py").write_text(TEST, encoding="utf-8")
    (root / ".coveragerc").write_text(CONFIG, encoding="utf-8")
    shutil.copytree(package, tmp_path / "installed" / "shop")
    coverage(root, "run", "-m", "pytest", "-q", "-p", "no:cacheprovider", str(root))
    return root


def coverage(root: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(root.parent / "installed"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "coverage", *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True).stdout


def as_own_run(root: Path, *measured: Path) -> Workspace:
    """The workspace after a run of Testlens that left this data, and the hashes of the files that it `measured`."""
    workspace = Workspace(root)
    shutil.copyfile(root / ".coverage", workspace.own_data)
    hashes = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in measured}
    workspace.finish_run({}, workspace.run_sources(hashes))
    return workspace


def installed(root: Path) -> list[Path]:
    return list((root.parent / "installed").rglob("*.py"))


def test_a_file_from_elsewhere_that_was_written_during_a_run_is_no_source(project: Path) -> None:
    """As a plugin that a test makes in a temporary folder, and runs."""
    with contextlib.closing(Workspace(project)) as workspace:
        assert workspace.run_sources({}, {str(project.parent / "plugin.py"): "0" * 64}, {}) == {}


def test_the_percent_is_coverages_own_where_omit_speaks_of_the_source(project: Path) -> None:
    expected = json.loads(coverage(project, "json", "-q", "-o", "-"))["totals"]
    totals = Workspace(project).refresh().totals
    assert totals.percent == expected["percent_covered"]
    assert (totals.statements, totals.missing) == (expected["num_statements"], expected["missing_lines"])


def test_a_source_like_its_copy_is_not_called_changed_after_a_run(project: Path) -> None:
    snapshot = as_own_run(project, *installed(project)).snapshot
    assert snapshot.source == "Testlens' own run"
    assert snapshot.files["src/shop/orders.py"].anchored
    assert not any("changed since" in problem.message for problem in snapshot.problems)


def test_lines_of_a_copy_that_differs_are_not_painted_on_the_source(project: Path) -> None:
    (project / "src" / "shop" / "orders.py").write_text(f"import json\n\n{ORDERS}", encoding="utf-8")
    snapshot = as_own_run(project, *installed(project)).snapshot
    assert not snapshot.files["src/shop/orders.py"].anchored
    assert any("orders.py has changed since" in problem.message for problem in snapshot.problems)


def test_lines_of_a_copy_that_differs_are_not_painted_where_paths_says_that_it_is_the_source(project: Path) -> None:
    paths = "[paths]\nsource =\n    src\n    */installed\n"
    (project / ".coveragerc").write_text(CONFIG + paths, encoding="utf-8")
    (project / "src" / "shop" / "orders.py").write_text(f"import json\n\n{ORDERS}", encoding="utf-8")
    snapshot = as_own_run(project, *installed(project)).snapshot
    assert not snapshot.files["src/shop/orders.py"].anchored
    assert any("orders.py has changed since" in problem.message for problem in snapshot.problems)


def test_a_source_and_a_copy_that_both_ran_and_differ_are_not_trusted(project: Path) -> None:
    source = project / "src" / "shop" / "orders.py"
    source.write_text(f"import json\n\n{ORDERS}", encoding="utf-8")
    snapshot = as_own_run(project, source, *installed(project)).snapshot
    assert not snapshot.files["src/shop/orders.py"].anchored
