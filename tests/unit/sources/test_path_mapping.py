"""A recorded name finds its file in the workspace, or it is said why not; nothing outside is ever taken."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from testlens.sources.path_mapping import PathMap, map_paths


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace of a package below `src`, with a script that has the name of one of its modules."""
    for name in (
        "src/pkg/__init__.py",
        "src/pkg/sub/__init__.py",
        "src/pkg/sub/utils.py",
        "src/pkg/a.py",
        "tools/run.py",
    ):
        (tmp_path / "work" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "work" / name).touch()
    return tmp_path / "work"


def resolve(
    root: Path, *names: str, sources: Sequence[str] = (), aliases: Mapping[str, Sequence[str]] | None = None
) -> PathMap:
    return map_paths(names, root, sources, aliases or {})


def test_names_in_the_workspace_are_taken_as_they_are(root: Path) -> None:
    absolute = str(root / "src/pkg/a.py")
    found = resolve(root, absolute, "tools/run.py")
    assert found.resolved == {absolute: "src/pkg/a.py", "tools/run.py": "tools/run.py"}
    assert found.problems == ()


def test_a_workspace_opened_through_a_link_has_the_same_files(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    for name in (str(root / "src/pkg/a.py"), str(tmp_path / "link/src/pkg/a.py")):
        assert resolve(root, name).resolved == {name: "src/pkg/a.py"}
        assert resolve(tmp_path / "link", name).resolved == {name: "src/pkg/a.py"}


def test_coverages_paths_setting_maps_another_machine(root: Path) -> None:
    aliases = {"source": ("src", "/ci/build/*/lib")}
    name = "/ci/build/py311/lib/pkg/a.py"
    assert resolve(root, name, aliases=aliases).resolved == {name: "src/pkg/a.py"}


def test_coverages_paths_setting_goes_before_the_workspace_as_in_coverages_reports(root: Path) -> None:
    installed = root / ".tox/py311/site-packages/pkg/a.py"
    installed.parent.mkdir(parents=True)
    installed.touch()
    aliases = {"source": ("src/", ".tox/*/site-packages")}
    for name in (str(installed), ".tox/py311/site-packages/pkg/a.py"):
        assert resolve(root, name, aliases=aliases).resolved == {name: "src/pkg/a.py"}


def test_a_paths_setting_that_coverage_refuses_is_a_problem(root: Path) -> None:
    found = resolve(root, "tools/run.py", aliases={"source": ("src", "/ci/*")})
    assert found.resolved == {"tools/run.py": "tools/run.py"}
    assert "[paths]" in found.problems[0].message


def test_relative_names_may_be_relative_to_a_source_folder(root: Path) -> None:
    (root / "src/pkg/sub/a.py").touch()
    assert resolve(root, "a.py", sources=("src/pkg",)).resolved == {"a.py": "src/pkg/a.py"}


@pytest.mark.parametrize(
    "name",
    [
        "/home/ci/work/src/pkg/a.py",
        "/usr/lib/python3.12/site-packages/pkg/a.py",
        "pkg/a.py",
        r"C:\actions\work\src\pkg\a.py",
        "D:/a/work/src/pkg/a.py",
        r"src\pkg\a.py",
    ],
)
def test_another_machines_prefix_is_matched_by_the_longest_suffix(root: Path, name: str) -> None:
    found = resolve(root, name)
    assert found.resolved == {name: "src/pkg/a.py"}
    assert found.problems == ()


def test_an_ambiguous_suffix_is_a_problem_that_names_the_candidates(root: Path) -> None:
    for folder in ("one", "two"):
        (root / folder / "lib").mkdir(parents=True)
        (root / folder / "lib/b.py").touch()
    found = resolve(root, "/ci/lib/b.py")
    assert not found.resolved
    (problem,) = found.problems
    assert "one/lib/b.py" in problem.message
    assert "two/lib/b.py" in problem.message
    assert resolve(root, "/ci/two/lib/b.py").resolved == {"/ci/two/lib/b.py": "two/lib/b.py"}


@pytest.mark.parametrize("name", ["/ci/other/sub/utils.py", "/ci/other/a.py", "/ci/x/__init__.py", "/ci/x/run.py"])
def test_a_file_of_another_package_is_not_taken_for_one_of_the_same_name(root: Path, name: str) -> None:
    found = resolve(root, name)
    assert not found.resolved
    assert "outside the workspace" in found.problems[0].message


@pytest.mark.parametrize("folder", [".venv/lib", "node_modules", ".git", "lib/site-packages", "__pycache__"])
def test_folders_that_are_not_the_users_code_are_not_searched(root: Path, folder: str) -> None:
    (root / folder / "dep").mkdir(parents=True)
    (root / folder / "dep/c.py").touch()
    assert not resolve(root, "/ci/dep/c.py").resolved


def test_names_that_lead_outside_are_left_out_with_one_problem(root: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.py"
    secret.touch()
    (root / "link.py").symlink_to(secret)
    (root / "folder").symlink_to(tmp_path)
    names = (
        "../secret.py",
        str(secret),
        "link.py",
        "folder/secret.py",
        str(root / "src/../../secret.py"),
        "/etc/passwd",
    )
    found = resolve(root, *names)
    assert not found.resolved
    (problem,) = found.problems
    assert problem.message.startswith("6 measured files lie outside")


def test_a_deleted_file_is_not_taken_for_a_similar_one(root: Path) -> None:
    (root / "src/pkg/a.py").rename(root / "tools/a.py")
    (root / "copy/src/pkg").mkdir(parents=True)
    (root / "copy/src/pkg/a.py").touch()
    found = resolve(root, str(root / "src/pkg/a.py"))
    assert not found.resolved
    (problem,) = found.problems
    assert "not exist" in problem.message


@pytest.mark.parametrize("name", ["", "/", ".", "..", "a\0b.py", "x" * 5000, "C:", "\\", str(Path.home())])
def test_odd_names_resolve_to_nothing(root: Path, name: str) -> None:
    assert not resolve(root, name).resolved


def test_two_names_of_one_file_are_both_kept(root: Path) -> None:
    names = ("/ci/one/src/pkg/a.py", "/ci/two/src/pkg/a.py")
    assert resolve(root, *names).resolved == dict.fromkeys(names, "src/pkg/a.py")
