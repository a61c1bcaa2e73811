"""`testlens scaffold`: writes a test for a line, shows it or puts it in its place, and says what came of it."""

from __future__ import annotations

import ast
import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cli.projects import Project, command, command_environment, json_of, run_testlens

HERE = ("--python", sys.executable)
KEYS = {
    "version", "recipe", "title", "test_file", "node_id", "node_ids", "outcome", "covered", "missing", "text",
    "files", "message", "problems",
}  # fmt: skip
TRACE = "import pathlib\npathlib.Path(__file__).with_name('was-run').touch()\n"
ENDLESS = """\
def wait(number):
    if number == 4711:
        return 1
    while True:
        pass
"""


def scaffold(project: Project, place: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in the project."""
    return run_testlens("scaffold", place, *HERE, *arguments, cwd=project.root)


@pytest.fixture(scope="module")
def verified(measured: Project) -> subprocess.CompletedProcess[str]:
    """A test for a function that nothing runs: written and run, not put in its place."""
    return scaffold(measured, "shop/stock.py:5", "--verify", "--json")


def test_the_json_has_the_promised_shape(verified: subprocess.CompletedProcess[str]) -> None:
    found = json_of(verified)
    assert set(found) == KEYS
    assert (found["version"], found["problems"]) == (1, [])
    assert found["node_ids"][0] == found["node_id"]
    assert found["node_id"].startswith(f"{found['test_file']}::")
    assert "missing" in found["title"]


def test_a_verified_test_is_green_and_says_which_lines_it_covers(verified: subprocess.CompletedProcess[str]) -> None:
    found = json_of(verified)
    assert verified.returncode == 0, found["message"]
    assert (found["outcome"], found["covered"], found["missing"]) == ("passed", [5, 6, 7], [])
    assert found["message"] == "green, covers 3 of 3 lines of this gap"


def test_the_text_is_a_test_that_asserts_something(verified: subprocess.CompletedProcess[str]) -> None:
    found = json_of(verified)
    assert any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(found["text"])))
    assert found["text"].strip() in found["files"][found["test_file"]]


def test_without_write_the_project_is_as_it_was(moved_shop: Project) -> None:
    before = moved_shop.files()
    done = scaffold(moved_shop, "shop/stock.py:5")
    assert done.returncode == 0
    assert "def test_" in done.stdout
    assert "--write" in done.stderr
    ast.parse(done.stdout)
    assert moved_shop.files() == before


def test_a_written_test_is_in_the_next_plan_and_passes_under_pytest(shop: Project) -> None:
    shop.measure()
    done = scaffold(shop, "shop/stock.py:5", "--write", "--verify", "--json")
    found = json_of(done)
    assert (done.returncode, found["outcome"]) == (0, "passed"), found["message"]
    assert (shop.root / found["test_file"]).read_text(encoding="utf-8") == found["files"][found["test_file"]]
    gaps = json_of(run_testlens("plan", shop.root, "--json"))["gaps"]
    assert not [gap for gap in gaps if gap["function"] == "missing"]
    assert [gap for gap in gaps if gap["function"] == "load"], "what the new test does not run stays a gap"
    shop.python("-m", "pytest", "-q", "-p", "no:cacheprovider")


def test_a_second_test_goes_beside_the_first_and_leaves_it_alone(shop: Project) -> None:
    shop.measure()
    first = json_of(scaffold(shop, "shop/orders.py:16", "--write", "--json"))
    second = json_of(scaffold(shop, "shop/orders.py:11", "--write", "--json", "--recipe", first["recipe"]))
    text = (shop.root / second["test_file"]).read_text(encoding="utf-8")
    assert second["test_file"] == first["test_file"]
    assert first["text"].rsplit("\n\n\n", 1)[-1].strip() in text
    shop.python("-m", "pytest", "-q", "-p", "no:cacheprovider")


def test_listing_what_fits_runs_nothing_of_the_project(moved_shop: Project) -> None:
    for name in ("conftest.py", "shop/__init__.py"):
        moved_shop.write(name, TRACE)
    done = scaffold(moved_shop, "shop/orders.py:16", "--list")
    assert done.returncode == 0
    assert any(line.startswith("bdd ") and "`load`" in line for line in done.stdout.splitlines())
    listed = json_of(scaffold(moved_shop, "shop/orders.py:16", "--list", "--json"))["recipes"]
    assert [set(offer) for offer in listed] == [{"recipe", "title", "fitness", "needs"}] * len(listed)
    assert [offer["fitness"] for offer in listed] == sorted((offer["fitness"] for offer in listed), reverse=True)
    assert not list(moved_shop.root.rglob("was-run"))


def test_a_budget_of_nothing_runs_nothing_of_the_project_and_is_honest_about_it(moved_shop: Project) -> None:
    for name in ("conftest.py", "shop/__init__.py"):
        moved_shop.write(name, TRACE)
    done = scaffold(moved_shop, "shop/orders.py:16", "--budget", "0", "--json")
    found = json_of(done)
    assert not list(moved_shop.root.rglob("was-run"))
    assert "pytest.fail(" in found["text"]
    assert (done.returncode, found["outcome"]) == (1, None)


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("shop/orders.py:9", "line 9 of shop/orders.py is in no gap"),
        ("shop/stock.py:4", "runs when the module is imported"),
        ("tests/test_orders.py:1", "was not measured"),
    ],
)
def test_what_is_not_offered_is_explained(place: str, reason: str, measured: Project) -> None:
    done = scaffold(measured, place, "--json")
    found = json_of(done)
    assert done.returncode == 1
    assert set(found) == KEYS
    assert found["message"].startswith("Not offered because ")
    assert reason in found["message"]


def test_why_nothing_is_offered_is_said_to_people_too(measured: Project) -> None:
    done = scaffold(measured, "shop/orders.py:9")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Not offered because line 9" in done.stderr


def test_a_recipe_that_does_not_fit_is_answered_with_those_that_do(measured: Project) -> None:
    done = scaffold(measured, "shop/orders.py:16", "--recipe", "nonsense")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nonsense" in done.stderr
    assert "bdd" in done.stderr


def test_without_data_it_says_what_to_do(shop: Project) -> None:
    done = scaffold(shop, "shop/stock.py:5")
    assert (done.returncode, done.stdout) == (2, "")
    assert "testlens run" in done.stderr


@pytest.mark.parametrize("place", ["shop/orders.py", "shop/orders.py:0", "shop/nothing.py:3", f"{__file__}:3"])
def test_a_place_that_is_none_is_told_in_the_json_too(place: str, measured: Project) -> None:
    done = scaffold(measured, place, "--json")
    found = json_of(done)
    assert done.returncode == 2
    assert set(found) == KEYS
    assert found["problems"][0]["path"] in place


def test_a_file_may_be_named_from_here_from_the_project_and_with_a_column(measured: Project, tmp_path: Path) -> None:
    project = ("--project", str(measured.root))
    for place, folder in (
        ("shop/stock.py:5:12", tmp_path),
        (f"{measured.root / 'shop/stock.py'}:5", tmp_path),
        ("stock.py:5", measured.root / "shop"),
    ):
        listed = run_testlens("scaffold", place, "--list", *HERE, *project, cwd=folder)
        assert "`missing`" in listed.stdout


def test_ctrl_c_ends_the_search_and_everything_that_it_started(shop: Project, tmp_path: Path) -> None:
    shop.write("shop/wait.py", ENDLESS)
    shop.measure()
    arguments = ("scaffold", "shop/wait.py:3", *HERE, "--budget", "60")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = command_environment({"TMPDIR": str(temporary)})
    with subprocess.Popen(
        command(*arguments), cwd=shop.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        _until(lambda: len(_children(temporary)) > 2, "the explorer and a trial of it")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130, errors
    assert b"Traceback" not in errors
    _until(lambda: not _children(temporary), "the end of the explorer")
    assert list(temporary.iterdir()) == []


def _children(temporary: Path) -> set[int]:
    """The processes that were started for an explorer with its scratch folder in `temporary`."""
    mark = f"TESTLENS_RUN={temporary}".encode()
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes():
                found.add(int(folder.name))
    return found


def _until(look: Any, what: str) -> None:
    end = time.monotonic() + 30
    while not look():
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.05)
