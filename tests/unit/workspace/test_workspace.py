"""What one workspace folder knows: from data that tests really left behind, through edits, to damage and full disks."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from testlens.domain import snapshot as domain
from testlens.domain.snapshot import FileReport, Snapshot
from testlens.domain.staleness import Marks
from testlens.workspace.settings import Overrides
from testlens.workspace.workspace import Workspace

CODE = """\
def grade(score):
    if score > 90:
        return "good"
    try:
        return str(int(score))
    except ValueError:
        return "none"
"""
TEST = "from shop import grade\n\ndef test_grade():\n    assert grade(95) == 'good'\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A module, a test that proves part of it, and the `.coverage` that coverage.py made of it."""
    (tmp_path / "shop.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "test_shop.py").write_text(TEST, encoding="utf-8")
    (tmp_path / ".coveragerc").write_text("[run]\nbranch = true\nsource = .\ndynamic_context = test_function\n")
    measure(tmp_path)
    return tmp_path


def measure(root: Path) -> None:
    command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", "-q", "-p", "no:cacheprovider", str(root)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def shop(snapshot: Snapshot) -> FileReport:
    return snapshot.files["shop.py"]


def marks(workspace: Workspace, text: str) -> Marks | None:
    report = shop(workspace.snapshot)
    anchors = workspace.anchors(report, text)
    return None if anchors is None else workspace.marks(report, anchors)


def tree(root: Path) -> dict[str, tuple[bytes, int]]:
    own = (".testlens", "__pycache__")
    files = (path for path in root.rglob("*") if path.is_file() and not set(own) & set(path.parts))
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_gaps_carry_what_their_lines_do(project: Path) -> None:
    gaps = shop(Workspace(project).refresh()).gaps
    assert [(gap.region.kind, gap.region.function, gap.region.first, gap.region.last) for gap in gaps] == [
        ("partial", "grade", 2, 2),
        ("uncovered", "grade", 4, 7),
    ]
    assert "error handler" in gaps[1].risk.factors


def test_nothing_of_the_users_is_touched(project: Path) -> None:
    before = tree(project)
    workspace = Workspace(project)
    workspace.refresh()
    workspace.read_history()
    workspace.tests_by_line("shop.py")
    workspace.close()
    assert tree(project) == before
    assert (project / ".testlens" / ".gitignore").read_text() == "*\n"


def test_marks_follow_an_edit_made_after_the_run(project: Path) -> None:
    workspace = Workspace(project)
    workspace.refresh()
    assert marks(workspace, CODE) == Marks(covered=(1, 3), partial=(2,), uncovered=(4, 5, 6, 7))
    edited = '"""Grades."""\n' + CODE.replace("int(score)", "int(score) + 0")
    assert marks(workspace, edited) == Marks(covered=(2, 4), partial=(3,), uncovered=(5, 7, 8), stale=(6,))


def test_an_edit_saved_after_the_run_keeps_what_was_measured(project: Path) -> None:
    workspace = Workspace(project)
    before = workspace.refresh()
    time.sleep(0.02)
    (project / "shop.py").write_text("\n\n" + CODE, encoding="utf-8")
    after = workspace.refresh()
    assert after.totals == before.totals
    assert marks(workspace, "\n\n" + CODE) == Marks(covered=(3, 5), partial=(4,), uncovered=(6, 7, 8, 9))
    assert any("shop.py has changed since" in problem.message for problem in after.problems)


def test_an_edit_that_nobody_saw_happen_paints_nothing(project: Path) -> None:
    later = time.time() + 5
    (project / "shop.py").write_text("x = 1\n" + CODE, encoding="utf-8")
    os.utime(project / "shop.py", (later, later))
    workspace = Workspace(project)
    snapshot = workspace.refresh()
    assert not shop(snapshot).anchored
    assert marks(workspace, "x = 1\n" + CODE) is None
    assert any("shop.py has changed since" in problem.message for problem in snapshot.problems)


def test_a_touched_file_is_not_an_edited_one(project: Path) -> None:
    Workspace(project).refresh()
    later = time.time() + 5
    os.utime(project / "shop.py", (later, later))
    workspace = Workspace(project)
    snapshot = workspace.refresh()
    assert shop(snapshot).anchored
    assert not any("changed since" in problem.message for problem in snapshot.problems)


def test_running_the_tests_again_brings_new_data(project: Path) -> None:
    workspace = Workspace(project)
    first = workspace.refresh().percent
    (project / "test_shop.py").write_text(TEST + "\ndef test_none():\n    assert grade('x' * 0 or 'x') == 'none'\n")
    (project / "test_shop.py").write_text(TEST + "    assert grade(3) == '3'\n")
    measure(project)
    snapshot = workspace.refresh()
    assert first is not None
    assert snapshot.percent is not None
    assert snapshot.percent > first
    assert snapshot.previous_percent == first


def test_a_peek_says_the_same_as_the_whole(project: Path) -> None:
    workspace = Workspace(project)
    peeked = workspace.peek(["shop.py", "unknown.py"])
    assert peeked == {"shop.py": shop(workspace.refresh())}


def test_a_line_knows_the_tests_that_ran_it(project: Path) -> None:
    workspace = Workspace(project)
    workspace.refresh()
    tests = workspace.tests_by_line("shop.py")
    assert tests[3] == ("test_shop.test_grade",)
    assert 4 not in tests


def test_lines_that_only_failing_tests_ran_are_marked_so(project: Path) -> None:
    workspace = Workspace(project)
    (project / ".testlens" / "run.coverage").write_bytes((project / ".coverage").read_bytes())
    workspace.finish_run(
        {"test_shop.test_grade": domain.TestResult("failed", 0.1)}, workspace.run_sources(sources(project))
    )
    found = marks(workspace, CODE)
    assert found is not None
    assert found.failing == (2, 3)


def sources(project: Path) -> dict[str, str]:
    import hashlib

    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in project.glob("*.py")}


def test_critical_globs_and_weights_of_the_editor_count(project: Path) -> None:
    workspace = Workspace(project, Overrides(critical=("shop.py",), weights={"critical": 33}, target=50))
    workspace.refresh()
    assert shop(workspace.snapshot).gaps[1].risk.factors["critical"] == pytest.approx(33 * 40 / 47, abs=0.1)
    assert workspace.plan().target == 50


def test_a_folder_without_data_says_nothing_wrong(tmp_path: Path) -> None:
    snapshot = Workspace(tmp_path).refresh()
    assert (snapshot.source, snapshot.percent, dict(snapshot.files)) == (None, None, {})


def test_broken_data_falls_back_to_the_next_best_and_says_so(project: Path) -> None:
    command = [sys.executable, "-m", "coverage", "xml", "-q"]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    (project / ".coverage").write_bytes(b"SQLite format 3\0garbage")
    snapshot = Workspace(project).refresh()
    assert snapshot.source == "coverage.xml"
    assert any(problem.path == ".coverage" for problem in snapshot.problems)


def test_a_damaged_store_is_begun_anew(project: Path) -> None:
    folder = project / ".testlens"
    folder.mkdir()
    (folder / "store.db").write_bytes(b"not a database" * 1000)
    workspace = Workspace(project)
    assert shop(workspace.refresh()).gaps
    assert workspace.store.problem is None


def test_values_that_somebody_else_put_into_the_store_are_ignored(project: Path) -> None:
    workspace = Workspace(project)
    expected = workspace.refresh()
    workspace.store._write("update examined set value = '[1, 2, {}, []]'", [()])
    assert Workspace(project).refresh().files == expected.files


def test_a_folder_that_cannot_be_written_costs_only_memory(project: Path) -> None:
    # A file in its place: the one obstacle that holds for root as well.
    (project / ".testlens").write_text("in the way")
    workspace = Workspace(project)
    snapshot = workspace.refresh()
    assert shop(snapshot).gaps
    assert any(".testlens" in str(problem) and "cannot write" in problem.message for problem in snapshot.problems)


@pytest.mark.parametrize("content", ["def broken(:\n", "\0", "x = " + "(" * 5000 + ")" * 5000])
def test_a_source_that_is_no_python_is_named_and_left_out(project: Path, content: str) -> None:
    (project / "shop.py").write_text(content, encoding="utf-8")
    os.utime(project / "shop.py", (1, 1))
    snapshot = Workspace(project).refresh()
    assert "shop.py" not in snapshot.files
    assert "test_shop.py" in snapshot.files
    assert any(problem.path == "shop.py" for problem in snapshot.problems)


ENCODINGS = {
    "BOM": b"\xef\xbb\xbf" + CODE.encode(),
    "CRLF": CODE.replace("\n", "\r\n").encode(),
    "old Mac line ends": CODE.replace("\n", "\r").encode(),
    "form feed": b"\f\n" + CODE.encode(),
    "latin-1": b"# -*- coding: latin-1 -*-\n" + CODE.replace("good", "g\xf6od").encode("latin-1"),
    "wide characters": CODE.replace("good", "\U0001f600").encode(),
    "tabs": CODE.replace("    ", "\t").encode(),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_encoding_gets_the_lines_that_coverage_reports(project: Path, name: str) -> None:
    (project / "shop.py").write_bytes(ENCODINGS[name])
    (project / "test_shop.py").write_text("from shop import grade\ndef test_it():\n    grade(95)\n")
    measure(project)
    report = shop(Workspace(project).refresh())
    command = [sys.executable, "-m", "coverage", "report", "-m", "--include=shop.py"]
    shown = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False).stdout
    shift = 1 if name in ("latin-1", "form feed") else 0
    assert f"{4 + shift}-{7 + shift}" in shown
    assert sorted(report.coverage.missing) == [line + shift for line in (4, 5, 6, 7)]


def test_a_folder_opened_through_a_link_knows_the_same(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    link = tmp_path_factory.mktemp("links") / "project"
    link.symlink_to(project, target_is_directory=True)
    workspace = Workspace(link)
    (project / ".testlens" / "run.coverage").write_bytes((project / ".coverage").read_bytes())
    workspace.finish_run({}, workspace.run_sources(sources(project)))
    assert workspace.snapshot.source == "Testlens' own run"
    assert shop(workspace.snapshot).anchored
    assert workspace.peek(["shop.py"]) == {"shop.py": shop(workspace.snapshot)}


def test_a_report_with_lines_beyond_the_end_of_a_file_was_not_made_of_it(project: Path) -> None:
    (project / ".coverage").unlink()
    (project / "lcov.info").write_text("SF:shop.py\nDA:1,1\nDA:500,0\nend_of_record\n")
    snapshot = Workspace(project).refresh()
    assert snapshot.totals.statements == 2
    assert not shop(snapshot).anchored
    assert any("changed since" in problem.message for problem in snapshot.problems)
