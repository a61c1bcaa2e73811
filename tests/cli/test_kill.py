"""`testlens kill`: the test that kills a survivor, shown or put in its place, with what came of it on both."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.projects import json_of, run_testlens
from mutmut_left import unpack
from testlens.workspace.workspace import Workspace

HERE = ("--python", sys.executable)
BOUNDARY = "shop.prices.x_price__mutmut_12"  # `>` changed to `>=`
KEYS = {
    "version", "recipe", "title", "way", "mutant", "test_file", "node_id", "node_ids", "verified", "verdicts", "inputs",
    "reached", "also_killed", "text", "files", "message", "problems",
}  # fmt: skip


def kill(root: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in the project."""
    return run_testlens("kill", name, *HERE, *arguments, cwd=root)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, dict[str, Any]]:
    """A project whose survivor was killed: its folder, its tests before that, and what was printed."""
    root = unpack(tmp_path_factory.mktemp("kill") / "shop")
    before = (root / "tests" / "test_prices.py").read_text()
    done = kill(root, BOUNDARY, "--write", "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    return root, before, json_of(done)


def test_the_json_says_what_the_mutant_is_and_what_came_of_both(written: tuple[Path, str, dict[str, Any]]) -> None:
    _, _, found = written
    assert set(found) == KEYS
    assert (found["version"], found["recipe"], found["way"], found["problems"]) == (1, "kill", "test", [])
    assert found["title"] == "Write a test that kills `>` changed to `>=`"
    mutant = found["mutant"]
    assert (mutant["name"], mutant["original"], mutant["replacement"]) == (
        BOUNDARY,
        "amount > limit",
        "amount >= limit",
    )
    assert found["verified"]
    assert found["verdicts"] == {"original": ["passed"] * 3, "mutant": ["failed"] * 3}
    assert found["message"].startswith("green on the original 3 times, red on the mutant 3 times")


def test_the_test_is_in_its_file_and_green(written: tuple[Path, str, dict[str, Any]]) -> None:
    root, before, found = written
    text = (root / found["test_file"]).read_text()
    assert text.startswith(before.split("\n\n", maxsplit=1)[0])
    assert found["text"].strip() in text
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", found["node_id"]], cwd=root, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_mutant_is_known_to_be_killed_from_then_on(written: tuple[Path, str, dict[str, Any]]) -> None:
    root, _, found = written
    workspace = Workspace(root)
    try:
        mutants = workspace.refresh().mutants.files["src/shop/prices.py"].mutants
    finally:
        workspace.close()
    by_name = {mutant.name: mutant for mutant in mutants}
    for name in (BOUNDARY, *found["also_killed"]):
        assert (by_name[name].status, by_name[name].killed_by) == ("killed", found["node_id"])
    again = kill(root, BOUNDARY)
    assert again.returncode == 2
    assert "it is killed already by tests/test_prices.py::" in again.stderr


def test_what_looks_equivalent_is_said_to_be_and_nothing_is_written(tmp_path: Path) -> None:
    root = unpack(tmp_path)
    before = {path: path.read_bytes() for path in root.rglob("*.py")}
    done = kill(root, "shop.prices.x_price__mutmut_10", "--budget", "1", "--write")
    assert done.returncode == 1
    assert "possibly equivalent: " in done.stderr
    assert "# pragma: no mutate" in done.stderr
    assert {path: path.read_bytes() for path in root.rglob("*.py")} == before


def test_a_name_that_is_no_mutants_says_where_names_come_from(tmp_path: Path) -> None:
    done = kill(unpack(tmp_path), "shop.prices.x_nothing__mutmut_1", "--json")
    assert done.returncode == 2
    assert json_of(done)["problems"][0]["message"] == "No mutant is known by the name shop.prices.x_nothing__mutmut_1."


def test_a_function_that_was_edited_since_has_no_mutants_to_kill(tmp_path: Path) -> None:
    root = unpack(tmp_path)
    source = root / "src" / "shop" / "prices.py"
    source.write_text(source.read_text().replace("amount > limit", "amount > limit + 1"))
    done = kill(root, BOUNDARY)
    assert done.returncode == 2
    assert "No mutant is known by the name" in done.stderr
