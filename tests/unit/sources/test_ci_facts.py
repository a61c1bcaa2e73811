"""What the files of a project say about testing it in CI."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from testlens.domain.ci_plan import ProjectFacts
from testlens.domain.problems import Problem
from testlens.sources.ci_facts import default_branch, folder_in_repository, read_facts


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


def _facts(root: Path, **files: str) -> ProjectFacts:
    for name, text in files.items():
        (root / name.replace("__", ".").replace("_", "-")).write_text(text, encoding="utf-8")
    found = read_facts(root)
    assert isinstance(found, ProjectFacts)
    return found


@pytest.mark.parametrize(
    ("wish", "minors"),
    [
        (">=3.11", [11, 12, 13, 14]),
        (">=3.9,<3.12", [9, 10, 11]),
        (">=3.10.4, !=3.12.*", [10, 11, 13, 14]),
        ("<3.11.2", [9, 10, 11]),
        ("==3.12.*", [12]),
        ("~=3.12", [12, 13, 14]),
        ("^3.13", [13, 14]),
    ],
)
def test_the_matrix_has_each_version_that_requires_python_allows(tmp_path: Path, wish: str, minors: list[int]) -> None:
    """A version of which only some patches are allowed is one to test on, too."""
    facts = _facts(tmp_path, pyproject__toml=f'[project]\nname = "shop"\nrequires-python = "{wish}"\n')
    assert facts.versions == tuple((3, minor) for minor in minors)
    assert facts.name == "shop"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[project]\nrequires-python = "three"', "is no version specifier"),
        ('[project]\nrequires-python = "<3"', "allows none of Python"),
        ("[project", "cannot be read"),
    ],
)
def test_what_allows_no_version_is_said(tmp_path: Path, text: str, said: str) -> None:
    """With what to write instead."""
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    problem = read_facts(tmp_path)
    assert isinstance(problem, Problem)
    assert said in problem.message


def test_the_extra_of_the_tests_is_installed(tmp_path: Path) -> None:
    """That of the tests before that of all development."""
    facts = _facts(
        tmp_path, pyproject__toml='[project]\nname = "a"\n[project.optional-dependencies]\ndev = []\ntest = []\n'
    )
    assert facts.install == ('-e ".[test]"',)
    assert facts.locks == ("pyproject.toml",)


def test_groups_and_requirements_are_installed(tmp_path: Path) -> None:
    """As projects without a package have them."""
    facts = _facts(tmp_path, pyproject__toml="[dependency-groups]\ntest = []\n", requirements_dev__txt="pytest\n")
    assert facts.install == ("--group test", "-r requirements-dev.txt")
    assert facts.locks == ("requirements-dev.txt", "pyproject.toml")


def test_uv_and_poetry_are_used_where_their_locks_are(tmp_path: Path) -> None:
    """What is tested is what is locked."""
    uv = _facts(tmp_path, uv__lock="", pyproject__toml="[dependency-groups]\ndev = []\n")
    assert (uv.installer, uv.install, uv.locks) == ("uv", ("--frozen", "--group dev"), ("uv.lock",))
    (tmp_path / "uv.lock").unlink()
    table = '[tool.poetry]\nname = "a"\n[tool.poetry.dependencies]\npython = "^3.12"\n[tool.poetry.group.test]\n'
    poetry = _facts(tmp_path, poetry__lock="", pyproject__toml=table)
    assert (poetry.installer, poetry.install, poetry.locks) == ("poetry", ("--with test",), ("poetry.lock",))
    assert poetry.versions == ((3, 12), (3, 13), (3, 14))


def test_a_folder_without_any_of_it_is_a_project_all_the_same(tmp_path: Path) -> None:
    """Supported versions, and what the tests need in any case."""
    facts = _facts(tmp_path)
    assert (facts.install, facts.locks, facts.branch) == ((), (), "main")
    assert len(facts.versions) >= 4


def test_the_branch_is_the_one_that_the_remote_names(tmp_path: Path) -> None:
    """Else a customary one that is there, else the present one."""
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/work\n", encoding="utf-8")
    assert default_branch(tmp_path) == "work"
    (git / "refs" / "heads" / "master").write_text("0" * 40, encoding="utf-8")
    assert default_branch(tmp_path) == "master"
    (git / "refs" / "remotes" / "origin").mkdir(parents=True)
    (git / "refs" / "remotes" / "origin" / "HEAD").write_text("ref: refs/remotes/origin/next\n", encoding="utf-8")
    assert default_branch(tmp_path) == "next"


def test_the_branch_is_found_where_git_keeps_branches_in_one_file_and_in_a_worktree(tmp_path: Path) -> None:
    """The branch that happens to be checked out is not the one that others are merged into."""
    root = tmp_path / "shop"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "first")
    git(root, "pack-refs", "--all")
    git(root, "checkout", "--quiet", "-b", "change")
    assert default_branch(root) == "main"
    git(root, "branch", "--move", "main", "master")
    git(root, "worktree", "add", "--quiet", str(tmp_path / "beside"), "-b", "other")
    assert default_branch(tmp_path / "beside") == "master"


@pytest.mark.parametrize(
    ("folder", "named"), [("services/back end ü", "services/back end ü"), (".", ""), ("it's", ""), ("a#b: c", "")]
)
def test_a_workflow_names_the_folder_of_the_project_where_it_can(tmp_path: Path, folder: str, named: str) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    assert folder_in_repository((tmp_path / folder).resolve()) == named
