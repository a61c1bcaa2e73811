"""`testlens run`: runs tests in the project's interpreter, says what failed, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from cli.projects import Project, command, command_environment, json_of, run_testlens
from installable import install_from

HERE = ("--python", sys.executable)
FAILING = """\
from shop.orders import total


def test_vouchers_are_taken_off():
    assert total([10], voucher=3) == 8
"""
ONE_MORE = """\
from shop.stock import missing


def test_enough_is_there():
    assert missing(1, 2) == 0
"""
HANGING = """\
import os
import pathlib
import subprocess
import sys
import time


def test_waits_for_a_child_for_ever():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    pathlib.Path("pids").write_text(f"{os.getpid()} {child.pid}")
    time.sleep(600)
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """A project after a run: its files before and after that, and what the command printed."""

    project: Project
    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def first(measured: Project, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A first run with `--json`, of tests that pass, beside data that coverage.py left."""
    root = tmp_path_factory.mktemp("run") / "shop"
    shutil.copytree(measured.root, root, ignore=shutil.ignore_patterns(".testlens"))
    project = Project(root)
    return _run(project, "--json", "--", "-p", "no:cacheprovider")


@pytest.fixture(scope="module")
def second(first: Ran) -> Ran:
    """A second run of the same project, for people, with one more test that passes and one that fails."""
    first.project.write("tests/test_stock.py", ONE_MORE)
    first.project.write("tests/test_vouchers.py", FAILING)
    return _run(first.project, "--top", "1")


def _run(project: Project, *arguments: str) -> Ran:
    before = project.files()
    done = run_testlens("run", project.root, *HERE, *arguments)
    return Ran(project, before, project.files(), done)


def test_tests_that_pass_end_with_status_0(first: Ran) -> None:
    assert first.done.returncode == json_of(first.done)["exit_code"] == 0
    assert json_of(first.done)["tests"]["passed"] == 2
    assert json_of(first.done)["failures"] == []


def test_a_run_measures_what_coverage_itself_measures(first: Ran, measured: Project) -> None:
    totals = measured.coverage_json()["totals"]
    coverage = json_of(first.done)["coverage"]
    assert coverage["percent"] == totals["percent_covered"]
    assert (coverage["missing"], coverage["missing_branches"]) == (totals["missing_lines"], totals["missing_branches"])


def test_a_run_leaves_the_users_files_alone_and_adds_none(first: Ran) -> None:
    assert ".coverage" in first.before
    assert first.after == first.before


def test_a_failing_test_is_listed_with_place_and_message(second: Ran) -> None:
    assert second.done.returncode == 1
    assert "FAILED tests/test_vouchers.py::test_vouchers_are_taken_off" in second.done.stdout
    assert "tests/test_vouchers.py:5  assert 7 == 8" in second.done.stdout
    assert "3 passed, 1 failed" in second.done.stdout


def test_after_a_run_come_coverage_and_the_top_of_the_plan(second: Ran) -> None:
    assert "% covered (+" in second.done.stdout
    assert "since the last run), target 85 %" in second.done.stdout
    assert "shop/orders.py:16  load" in second.done.stdout
    assert "more gaps: --top" in second.done.stdout


def test_the_json_of_a_failing_run_is_one_object_whatever_the_tests_print(shop: Project) -> None:
    shop.write("tests/test_vouchers.py", "print('{at import}')\n" + FAILING)
    shop.write("tests/test_loud.py", "import os\n\n\ndef test_loud():\n    os.write(1, b'{loud}')\n")
    done = run_testlens("run", shop.root, *HERE, "--json", "--", "-s", "-k", "loud or vouchers")
    report = json_of(done)
    assert done.returncode == report["exit_code"] == 1
    assert (report["version"], report["tests"]["passed"], report["tests"]["failed"]) == (1, 1, 1)
    failure = report["failures"][0]
    assert failure["test"] == "tests/test_vouchers.py::test_vouchers_are_taken_off"
    assert (failure["file"], failure["line"]) == ("tests/test_vouchers.py", 6)
    assert failure["message"].startswith("assert 7 == 8")
    assert report["coverage"]["percent"] > 0


def test_no_tests_are_no_success(shop: Project) -> None:
    (shop.root / "tests/test_orders.py").unlink()
    done = run_testlens("run", shop.root, *HERE)
    assert done.returncode == 1
    assert "found no tests" in done.stderr


def test_a_test_file_that_cannot_be_imported_is_a_failure_that_names_it(shop: Project) -> None:
    shop.write("tests/test_broken.py", "import no_such_module_anywhere\n")
    done = run_testlens("run", shop.root, *HERE)
    assert done.returncode == 1
    assert "tests/test_broken.py" in done.stdout + done.stderr
    assert "no_such_module_anywhere" in done.stdout + done.stderr


def test_arguments_that_pytest_refuses_are_told(shop: Project) -> None:
    done = run_testlens("run", shop.root, *HERE, "--", "--no-such-option")
    assert done.returncode == 2
    assert "--no-such-option" in done.stderr


def test_an_interpreter_that_does_not_exist_is_an_error(shop: Project) -> None:
    done = run_testlens("run", shop.root, "--python", shop.root / "bin/python", "--json")
    assert done.returncode == 2
    message = json_of(done)["problems"][0]["message"]
    assert f"{shop.root / 'bin/python'}, which --python names" in message


def test_an_interpreter_without_pytest_is_named_with_the_command_that_installs_it(shop: Project) -> None:
    bare = shop.root / ".venv"
    shop.python("-m", "venv", "--without-pip", str(bare))
    done = run_testlens("run", shop.root)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pytest and coverage are not installed" in done.stderr
    assert str(bare / "bin/python") in done.stderr
    assert "Install with:" in done.stderr


def test_what_is_missing_is_installed_at_a_terminal_once_the_user_says_so(
    shop: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_from(tmp_path / "wheels", monkeypatch)
    bare = shop.root / ".venv"
    shop.python("-m", "venv", str(bare))
    refused = run_at_terminal("run", shop.root, "--json", typed=b"n\n")
    assert refused[0] == 2
    assert "Install now? [y/N]" in refused[2]
    done = run_at_terminal("run", shop.root, "--json", typed=b"y\n")
    assert done[0] == 0, done[2]
    assert json.loads(done[1])["coverage"]["percent"] > 0
    assert f"Running {bare}/bin/python -m pip install pytest coverage" in done[2]


def run_at_terminal(*arguments: str | Path, typed: bytes) -> tuple[int, str, str]:
    """Run `testlens` with a terminal for its questions, at which `typed` is typed; exit status, output, terminal."""
    ours, theirs = os.openpty()
    started = subprocess.Popen(
        command(*arguments), env=command_environment(), stdin=theirs, stdout=subprocess.PIPE, stderr=theirs
    )
    with started as process, ThreadPoolExecutor(1) as reader, os.fdopen(ours, "r+b", buffering=0) as terminal:
        os.close(theirs)
        shown = reader.submit(read_to_end, terminal)
        terminal.write(typed)
        output, _ = process.communicate(timeout=240)
        return process.returncode, output.decode(), shown.result().decode()


def read_to_end(terminal: IO[bytes]) -> bytes:
    """What a terminal shows until nobody writes to it any more, which Linux tells by an error."""
    shown = b""
    with contextlib.suppress(OSError):
        while part := terminal.read(65536):
            shown += part
    return shown


def test_an_interpreter_is_named_as_seen_from_where_the_command_was_typed(shop: Project, tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    link = tmp_path / "tools/run-python"
    link.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    link.chmod(0o755)
    done = run_testlens("run", "shop", "--python", "tools/run-python", "--json", cwd=tmp_path)
    assert done.returncode == 0


def test_a_run_that_cannot_keep_its_data_shows_the_numbers_all_the_same(shop: Project, tmp_path: Path) -> None:
    shop.write(".testlens", "a file where our folder would be")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    done = run_testlens("run", shop.root, *HERE, "--json", env={"TMPDIR": str(scratch)})
    assert done.returncode == 0
    assert json_of(done)["coverage"]["missing"] > 0
    assert any(problem["path"] == ".testlens" for problem in json_of(done)["problems"])
    assert not list(scratch.glob("testlens-*"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_stopping_a_run_stops_every_process_of_it(shop: Project, name: str) -> None:
    shop.write("tests/test_hanging.py", HANGING)
    run = subprocess.Popen(command("run", shop.root, *HERE), env=command_environment(), stderr=subprocess.PIPE)
    try:
        pids = _await_pids(shop.root / "pids")
        run.send_signal(getattr(signal, name))
        _, errors = run.communicate(timeout=20)
    finally:
        run.kill()
    assert run.returncode == 130
    assert b"Traceback" not in errors
    _assert_gone(pids)
    assert not (shop.root / ".testlens/run.coverage").exists()


def _await_pids(file: Path) -> list[int]:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if file.exists() and len(pids := file.read_text(encoding="utf-8").split()) == 2:
            return [int(pid) for pid in pids]
        time.sleep(0.05)
    raise AssertionError("the hanging test never began")


def _assert_gone(pids: list[int]) -> None:
    end = time.monotonic() + 5
    while (alive := [pid for pid in pids if _is_alive(pid)]) and time.monotonic() < end:
        time.sleep(0.05)
    assert alive == []


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that nobody has collected yet is dead all the same.
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")


def test_what_the_tests_call_is_kept_unless_the_project_says_no(shop: Project) -> None:
    record = shop.root / ".testlens" / "calls.json"
    shop.write("pyproject.toml", "[tool.testlens]\nrecord_values = false\n")
    assert run_testlens("run", *HERE, shop.root).returncode == 0
    assert not record.exists()
    shop.write("pyproject.toml", "")
    assert run_testlens("run", *HERE, shop.root).returncode == 0
    assert "shop/orders.py" in json.loads(record.read_bytes())["functions"]
