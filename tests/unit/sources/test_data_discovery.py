"""Testlens finds the data there is, prefers the newest and richest, and notices when it changes."""

import os
from pathlib import Path

import pytest

from testlens.sources.coverage_config import CoverageSettings
from testlens.sources.discovery import DataFile, data_names, find_data, is_data_name
from testlens.sources.project_config import ProjectConfig

NOW = 1_700_000_000


def put(root: Path, name: str, age: float = 0) -> Path:
    """Make a file that was written `age` seconds ago."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(name)
    os.utime(path, ns=(0, int((NOW - age) * 1_000_000_000)))
    return path


def find(root: Path, config: ProjectConfig | None = None) -> list[str]:
    found, problems = find_data(root, config or ProjectConfig())
    assert problems == ()
    return [data.paths[0].relative_to(root).as_posix() for data in found]


def test_a_folder_without_data_has_none(tmp_path: Path) -> None:
    assert find(tmp_path) == []


def test_the_newest_data_wins(tmp_path: Path) -> None:
    put(tmp_path, "coverage.xml", age=500)
    put(tmp_path, ".coverage", age=1000)
    put(tmp_path, ".testlens/run.coverage", age=100)
    put(tmp_path, "reports/lcov.info", age=300)
    assert find(tmp_path) == [".testlens/run.coverage", "reports/lcov.info", "coverage.xml", ".coverage"]


def test_a_report_made_from_the_data_file_loses_to_it(tmp_path: Path) -> None:
    put(tmp_path, ".coverage", age=100)
    put(tmp_path, "coverage.xml", age=95)
    put(tmp_path, "coverage.json", age=41)
    put(tmp_path, "coverage.lcov", age=30)
    assert find(tmp_path)[:2] == ["coverage.lcov", ".coverage"]


def test_configured_data_goes_first_in_the_order_given(tmp_path: Path) -> None:
    put(tmp_path, ".coverage")
    put(tmp_path, "ci/one.xml", age=900)
    put(tmp_path, "ci/two", age=800)
    config = ProjectConfig(data=("ci/one.xml", "ci/two"))
    assert find(tmp_path, config) == ["ci/one.xml", "ci/two", ".coverage"]
    assert [data.kind for data in find_data(tmp_path, config)[0]] == ["cobertura", "coverage.py", "coverage.py"]


def test_configured_data_that_is_found_anyway_is_listed_once(tmp_path: Path) -> None:
    put(tmp_path, ".coverage")
    put(tmp_path, "coverage.xml", age=900)
    assert find(tmp_path, ProjectConfig(data=("coverage.xml",))) == ["coverage.xml", ".coverage"]


def test_configured_data_that_is_missing_is_a_problem(tmp_path: Path) -> None:
    found, (problem,) = find_data(tmp_path, ProjectConfig(data=("gone.xml",)))
    assert found == ()
    assert "gone.xml" in problem.message


def test_the_names_that_coverage_is_configured_to_write_are_found(tmp_path: Path) -> None:
    put(tmp_path, "out/.cov", age=5)
    put(tmp_path, "out/cov.xml", age=900)
    settings = CoverageSettings(data_file="out/.cov", outputs={"cobertura": "out/cov.xml"})
    config = ProjectConfig(coverage=settings)
    assert find(tmp_path, config) == ["out/.cov", "out/cov.xml"]
    assert is_data_name("cov.xml", data_names(config))
    assert is_data_name(".cov.host.123", data_names(config))


def test_parallel_files_are_one_group(tmp_path: Path) -> None:
    put(tmp_path, ".coverage.host.1", age=10)
    put(tmp_path, ".coverage.host.2", age=20)
    put(tmp_path, ".coverage.host.2-journal", age=1)
    (found,), _ = find_data(tmp_path, ProjectConfig())
    assert [path.name for path in found.paths] == [".coverage.host.1", ".coverage.host.2"]


@pytest.mark.parametrize(("age", "expected"), [(50, ".coverage"), (5, ".coverage.host.1")])
def test_parallel_files_replace_the_combined_file_only_if_newer(tmp_path: Path, age: int, expected: str) -> None:
    put(tmp_path, ".coverage", age=10)
    put(tmp_path, ".coverage.host.1", age=age)
    assert find(tmp_path) == [expected]


def test_html_reports_and_deep_folders_are_not_searched(tmp_path: Path) -> None:
    put(tmp_path, "htmlcov/coverage.json")
    put(tmp_path, "build/deep/coverage.xml")
    put(tmp_path, "build/coverage.xml")
    assert find(tmp_path) == ["build/coverage.xml"]


def test_a_folder_called_like_data_is_no_data(tmp_path: Path) -> None:
    (tmp_path / ".coverage").mkdir()
    assert find(tmp_path) == []


def signature(root: Path) -> tuple[tuple[str, int, int, int], ...]:
    (data,), _ = find_data(root, ProjectConfig())
    return data.signature


def test_the_signature_changes_with_the_file_and_only_then(tmp_path: Path) -> None:
    put(tmp_path, ".coverage", age=10)
    first = signature(tmp_path)
    assert signature(tmp_path) == first
    put(tmp_path, ".coverage", age=5)
    second = signature(tmp_path)
    assert second != first
    replacement = put(tmp_path, "replacement", age=5)
    replacement.write_text(".coverage")
    os.utime(replacement, ns=(0, second[0][2]))
    replacement.replace(tmp_path / ".coverage")
    assert signature(tmp_path) != second


def test_a_data_file_knows_its_size_and_age() -> None:
    data = DataFile("coverage.py", (("/a", 10, 5, 1), ("/b", 20, 7, 2)))
    assert (data.size, data.mtime_ns, data.has_contexts) == (30, 7, True)


@pytest.mark.parametrize(
    "name", [".coverage", ".coverage.host.1.Xabc", "coverage.json", "coverage.xml", "cobertura.xml", "lcov.info"]
)
def test_a_watcher_is_told_of_data(name: str) -> None:
    assert is_data_name(name)


@pytest.mark.parametrize(
    "name", [".coveragerc", ".coverage-journal", ".coverage.x-journal", "a.py", "coverage.py", "x.xml"]
)
def test_a_watcher_is_not_woken_by_other_files(name: str) -> None:
    assert not is_data_name(name)
