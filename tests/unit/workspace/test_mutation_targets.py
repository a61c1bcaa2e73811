"""Which lines count as changed when mutants of a change are asked for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from testlens.domain.problems import Problem
from testlens.runners.process import run_text
from testlens.sources.git_diff import changed_since
from testlens.workspace.mutation_targets import changed_lines

GIT = ("git", "-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")


def git(root: Path, *arguments: str) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run([*GIT, *arguments], cwd=root, env=environment, check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A branch that changed a line, moved a file and began one, while `main` went on."""
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    (tmp_path / "a.py").write_text("".join(f"line{number} = {number}\n" for number in range(9)), encoding="utf-8")
    (tmp_path / "b.py").write_text("b = 1\nc = 2\nd = 3\n", encoding="utf-8")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    git(tmp_path, "checkout", "--quiet", "-b", "change")
    git(tmp_path, "checkout", "--quiet", "main")
    (tmp_path / "a.py").write_text("line0 = 100\n" + (tmp_path / "a.py").read_text(encoding="utf-8"), encoding="utf-8")
    git(tmp_path, "commit", "--quiet", "--all", "--message", "meanwhile")
    git(tmp_path, "checkout", "--quiet", "change")
    text = (tmp_path / "a.py").read_text(encoding="utf-8")
    (tmp_path / "a.py").write_text(text.replace("= 2", "= 20").replace("= 5", "= 50"), encoding="utf-8")
    git(tmp_path, "mv", "b.py", "moved.py")
    (tmp_path / "new.py").write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("x\n", encoding="utf-8")
    git(tmp_path, "config", "diff.interHunkContext", "9")
    return tmp_path


def test_they_are_those_that_a_check_of_the_change_counts_and_new_files(root: Path) -> None:
    """What happened on the other branch meanwhile is no part of the change, and a moved file has not changed."""
    found = changed_lines(root, "main", run_text)
    assert not isinstance(found, Problem)
    assert {path: sorted(lines) for path, lines in found.items()} == {"a.py": [3, 6], "new.py": [1, 2]}
    checked = changed_since(root, "main", run_text)
    assert not isinstance(checked, Problem)
    assert checked.lines["a.py"] == found["a.py"]


def test_what_is_wrong_is_told_by_the_option_that_the_user_wrote(root: Path) -> None:
    found = changed_lines(root, "mian", run_text)
    assert isinstance(found, Problem)
    assert found.advice == "There is one that is called `main`: --changed main"
