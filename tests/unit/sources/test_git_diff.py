"""The lines that a patch changed, whatever stands in them and however their files are called."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from testlens.domain.problems import Problem
from testlens.runners.process import run_text
from testlens.sources.git_diff import changed_since, parse_patch, repository_prefix

GIT = ("git", "-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")


def git(root: Path, *arguments: str) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run([*GIT, *arguments], cwd=root, env=environment, check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    (tmp_path / "a.py").write_text("one\ntwo\nthree\n", encoding="utf-8")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


def lines(root: Path, revision: str = "HEAD") -> dict[str, list[int]]:
    found = changed_since(root, revision, run_text)
    assert not isinstance(found, Problem), found
    return {path: sorted(numbers) for path, numbers in found.lines.items()}


def test_text_that_looks_like_a_head_or_a_hunk_is_text(root: Path) -> None:
    """In a patch each line begins with one more sign."""
    hostile = "-- a/other.py\n++ b/other.py\n@ -1 +5,90 @@\n@@ -1 +5,90 @@\ndiff --git a/x b/x\n"
    (root / "a.py").write_text(f"one\n{hostile}three\n++ b/other.py", encoding="utf-8")
    assert lines(root) == {"a.py": [2, 3, 4, 5, 6, 8]}


def test_a_last_line_without_an_end_disturbs_nothing(root: Path) -> None:
    (root / "a.py").write_text("one\ntwo", encoding="utf-8")
    git(root, "commit", "--quiet", "--all", "--message", "no end")
    (root / "a.py").write_text("one\n++ b/other.py", encoding="utf-8")
    (root / "b.py").write_text("new\n", encoding="utf-8")
    git(root, "add", ".")
    assert lines(root) == {"a.py": [2], "b.py": [1]}


@pytest.mark.parametrize(
    "name", ["a b.py", 'quo"te.py', "tab\there.py", "back\\slash.py", "größe.py", "日本.py", "+++ b.py"]
)
def test_any_name_of_a_file_is_read(root: Path, name: str) -> None:
    (root / name).write_text("new\n", encoding="utf-8")
    git(root, "add", ".")
    assert lines(root) == {name: [1]}


def test_nobodys_settings_change_what_is_found(root: Path) -> None:
    settings = {
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "diff.renames": "false",
        "diff.context": "9",
        "diff.interHunkContext": "9",
        "color.ui": "always",
        "diff.external": "false",
        "diff.relative": "false",
    }
    for name, value in settings.items():
        git(root, "config", name, value)
    git(root, "mv", "a.py", "b.py")
    # Two places, which a setting could make one.
    (root / "b.py").write_text("zero\none\ntwo\nthree\nfour\n", encoding="utf-8")
    assert lines(root) == {"b.py": [1, 5]}


def test_a_moved_file_is_known_by_its_old_name(root: Path) -> None:
    git(root, "mv", "a.py", "new name.py")
    found = changed_since(root, "HEAD", run_text)
    assert not isinstance(found, Problem)
    assert (found.moved, dict(found.lines)) == ({"new name.py": "a.py"}, {})


def test_only_what_lies_below_the_folder_counts_and_paths_begin_there(root: Path) -> None:
    (root / "sub").mkdir()
    (root / "sub" / "c.py").write_text("new\n", encoding="utf-8")
    (root / "a.py").write_text("changed\n", encoding="utf-8")
    git(root, "add", ".")
    assert lines(root / "sub") == {"c.py": [1]}
    assert repository_prefix(root / "sub", run_text) == "sub/"
    assert repository_prefix(root, run_text) == ""


def test_deleted_lines_and_files_leave_nothing(root: Path) -> None:
    (root / "b.py").write_text("x\n", encoding="utf-8")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "b")
    (root / "a.py").write_text("one\nthree\n", encoding="utf-8")
    (root / "b.py").unlink()
    assert lines(root) == {}


def test_an_option_is_no_revision(root: Path) -> None:
    """It never reaches git as one."""
    found = changed_since(root, "--output=stolen", run_text)
    assert isinstance(found, Problem)
    assert "git knows no revision `--output=stolen`" in found.message
    assert not (root / "stolen").exists()


def test_a_branch_that_only_the_remote_has_is_offered(root: Path) -> None:
    git(root, "update-ref", "refs/remotes/origin/develop", "HEAD")
    found = changed_since(root, "develop", run_text)
    assert isinstance(found, Problem)
    assert found.advice.endswith("--diff origin/develop")


def test_a_patch_of_a_mode_or_a_binary_has_no_lines() -> None:
    patch = (
        "diff --git a/x.py b/x.py\nold mode 100644\nnew mode 100755\n"
        "diff --git a/y.bin b/y.bin\nindex 1..2 100644\nBinary files a/y.bin and b/y.bin differ\n"
    )
    assert parse_patch(patch) == ({}, {})
