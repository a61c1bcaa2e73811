"""`testlens merge`: what many jobs measured becomes one result, the same as that of `coverage combine`."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from coverage import CoverageData

from agent.mutating import SOURCE, mutation_python
from agent.mutating import write as write_mutated
from cli.projects import Project, json_of, make_shop, run_testlens

MAP = '\n[tool.coverage.paths]\nsource = ["shop", "/home/runner/*/shop", "C:\\\\a\\\\shop"]\n'
PLACES = ("/home/runner/w/shop", "C:\\a\\shop")


def _contents(path: Path) -> dict[str, tuple[set[tuple[int, int]], dict[int, set[str]]]]:
    data = CoverageData(basename=str(path), read_only=True)
    data.read()
    return {
        name: (
            set(data.arcs(name) or ()),
            {line: set(found) for line, found in data.contexts_by_lineno(name).items()},
        )
        for name in data.measured_files()
    }


def _job(project: Project, name: str, place: str, *selected: str) -> Path:
    """The data of a job that ran some of the tests, on a machine where the package lies at `place`."""
    project.python(
        "-m", "coverage", "run", f"--context={name}", "-m", "pytest", "-q", "-p", "no:cacheprovider", *selected
    )
    file = project.root / "jobs" / name / f".coverage.{name}"
    file.parent.mkdir(parents=True)
    shutil.move(project.root / ".coverage", file)
    kind = PureWindowsPath if "\\" in place else PurePosixPath
    with closing(sqlite3.connect(file)) as database, database:
        for number, path in database.execute("select id, path from file").fetchall():
            inside = Path(path).relative_to(project.root / "shop").parts
            database.execute("update file set path = ? where id = ?", (str(kind(place, *inside)), number))
    return file


@pytest.fixture
def jobs(shop: Project) -> Project:
    """The shop, and the data of a Linux and of a Windows job that ran one of its tests each."""
    _job(shop, "linux", PLACES[0], "-k", "members")
    _job(shop, "windows", PLACES[1], "-k", "basket")
    return shop


def test_jobs_on_all_platforms_become_one_as_with_coverage_combine(jobs: Project) -> None:
    """The same lines, arcs and contexts, under the names of this checkout; the data of the jobs is still there."""
    jobs.write("pyproject.toml", (jobs.root / "pyproject.toml").read_text() + MAP)
    before = jobs.files()
    done = run_testlens("merge", "jobs", cwd=jobs.root)
    assert done.returncode == 0, done.stderr
    assert "Merged 2 data files into" in done.stdout
    assert "2 contexts" in done.stdout
    files = sorted(map(str, (jobs.root / "jobs").rglob(".coverage.*")))
    jobs.python("-m", "coverage", "combine", "-q", "--keep", "--data-file=peer", *files)
    merged = _contents(jobs.root / ".coverage")
    assert merged == _contents(jobs.root / "peer")
    assert str(jobs.root / "shop" / "orders.py") in merged
    assert {name: content for name, content in jobs.files().items() if name in before} == before


def test_without_paths_in_the_configuration_files_are_found_by_likeness(jobs: Project) -> None:
    """`coverage report` then shows what all jobs together cover."""
    done = run_testlens("merge", "jobs", cwd=jobs.root)
    assert done.returncode == 0, done.stderr
    merged = jobs.coverage_json()
    jobs.measure()
    assert merged["totals"] == jobs.coverage_json()["totals"]


def test_relative_files_stay_relative(jobs: Project) -> None:
    """As `relative_files` has it for coverage.py's own data."""
    config = (jobs.root / "pyproject.toml").read_text()
    jobs.write("pyproject.toml", config.replace("branch = true", "branch = true\nrelative_files = true"))
    assert run_testlens("merge", "jobs", cwd=jobs.root).returncode == 0
    assert set(_contents(jobs.root / ".coverage")) == {"shop/__init__.py", "shop/orders.py", "shop/stock.py"}


def test_what_is_not_of_this_project_is_left_out_and_named(jobs: Project) -> None:
    """A file that no source here can be matched with would fail every report on the data."""
    with closing(sqlite3.connect(next((jobs.root / "jobs").rglob(".coverage.linux")))) as database, database:
        database.execute("insert into file (path) values ('/opt/other/thing.py')")
    done = run_testlens("merge", "jobs", cwd=jobs.root)
    assert done.returncode == 0, done.stderr
    assert "/opt/other/thing.py" in done.stderr
    assert not any("thing" in name for name in _contents(jobs.root / ".coverage"))


def test_without_arguments_the_parallel_data_files_here_are_merged(jobs: Project) -> None:
    """Those that `coverage run --parallel-mode` leaves, as `coverage combine` would."""
    for file in list((jobs.root / "jobs").rglob(".coverage.*")):
        shutil.move(file, jobs.root / file.name)
    done = run_testlens("merge", "--json", cwd=jobs.root)
    assert done.returncode == 0, done.stderr
    found = json_of(done)
    assert [Path(file).name for file in found["coverage"]["inputs"]] == [".coverage.linux", ".coverage.windows"]
    assert (found["coverage"]["files"], found["coverage"]["contexts"], found["mutation"]) == (3, 2, None)


def test_merging_again_changes_nothing(jobs: Project) -> None:
    """An earlier result in the searched folder is none of the inputs."""
    assert run_testlens("merge", "--project", ".", ".", cwd=jobs.root).returncode == 0
    once = _contents(jobs.root / ".coverage")
    assert run_testlens("merge", "--project", ".", ".", cwd=jobs.root).returncode == 0
    assert _contents(jobs.root / ".coverage") == once


@pytest.mark.parametrize("damage", ["truncated", "empty", "no data", "no branches"])
def test_one_bad_file_stops_all_and_nothing_is_written(jobs: Project, damage: str) -> None:
    """A number without one job's data would be wrong, and nobody would know."""
    file = next((jobs.root / "jobs").rglob(".coverage.linux"))
    if damage == "no branches":
        file.unlink()
        jobs.write("pyproject.toml", (jobs.root / "pyproject.toml").read_text().replace("branch = true", ""))
        shutil.rmtree(file.parent)
        _job(jobs, "linux", PLACES[0])
    else:
        content = file.read_bytes()
        file.write_bytes({"truncated": content[: len(content) // 2], "empty": b"", "no data": b"x" * 200}[damage])
    done = run_testlens("merge", "jobs", cwd=jobs.root)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert ".coverage.linux" in done.stderr
    assert not (jobs.root / ".coverage").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "There is no such file or folder"),
        (("tests",), "There is neither coverage data nor a mutation report in tests"),
        ((), "There is neither coverage data nor a mutation report"),
        (("pyproject.toml",), "not a coverage.py data file"),
    ],
)
def test_what_cannot_be_merged_is_said(shop: Project, arguments: tuple[str, ...], said: str) -> None:
    """One error with what to do about it."""
    done = run_testlens("merge", *arguments, cwd=shop.root)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project whose mutants were checked in two shards by clean checkouts, as jobs do."""
    root = tmp_path_factory.mktemp("sharded")
    write_mutated(root, SOURCE)
    for number in (1, 2):
        done = run_testlens(*_mutate(f"--shard={number}/2", f"--report=shards/{number}.json"), cwd=root)
        assert done.returncode == 0, done.stderr
        assert "Not all was checked" not in done.stdout
        shutil.rmtree(root / ".testlens")
    return root


def _mutate(*arguments: str) -> tuple[str, ...]:
    return ("mutate", "--python", str(mutation_python()), *arguments)


def test_shards_together_are_the_whole_run(sharded: Path) -> None:
    """Each mutant once, with the verdict and score of a run of all."""
    merged = json_of(run_testlens("merge", "shards", "--json", cwd=sharded))["mutation"]
    whole = json_of(run_testlens(*_mutate("--json"), cwd=sharded))
    assert (merged["mutants"], merged["score"]) == (whole["total"], whole["score"])
    assert (merged["missing"], merged["conflicts"]) == ([], [])
    report = json.loads((sharded / "mutation-report.json").read_text(encoding="utf-8"))
    entries = [entry for file in report["files"].values() for entry in file["mutants"]]
    statuses = {entry["id"]: entry["status"].lower() for entry in entries}
    assert len(statuses) == len(entries)
    words = {"no tests": "nocoverage"}
    assert statuses == {one["name"]: words.get(one["status"], one["status"]) for one in whole["mutants"]}


def test_a_shard_checks_its_part_and_no_other_mutant(sharded: Path) -> None:
    """Both parts together are all; what a report leaves pending the other one has."""
    reports = [json.loads((sharded / "shards" / f"{number}.json").read_text(encoding="utf-8")) for number in (1, 2)]
    checked = [
        {entry["id"] for file in report["files"].values() for entry in file["mutants"] if entry["status"] != "Pending"}
        for report in reports
    ]
    everything = {entry["id"] for file in reports[0]["files"].values() for entry in file["mutants"]}
    assert checked[0] | checked[1] == everything
    assert not checked[0] & checked[1]
    assert all(checked)


def test_a_missing_shard_is_an_error_that_names_it(sharded: Path, tmp_path: Path) -> None:
    """The exit status is 1: what is written has its mutants as not checked."""
    done = run_testlens("merge", "shards/1.json", "--mutation-output", tmp_path / "merged.json", cwd=sharded)
    assert done.returncode == 1
    assert "No report has shard 2/2" in done.stderr
    assert "not checked" in done.stdout


def test_the_plan_knows_the_merged_mutants(sharded: Path, tmp_path: Path) -> None:
    """Where no run of its own is known, survivors of the merged report are gaps with the tests that ran them."""
    shutil.copytree(sharded, tmp_path / "fresh", ignore=shutil.ignore_patterns(".testlens", "mutants"))
    fresh = Project(tmp_path / "fresh")
    assert run_testlens("merge", "shards", cwd=fresh.root).returncode == 0
    done = run_testlens("report", "--mutation-json", "again.json", cwd=fresh.root)
    assert done.returncode == 0, done.stderr
    again = json.loads((fresh.root / "again.json").read_text(encoding="utf-8"))
    entries = [entry for file in again["files"].values() for entry in file["mutants"]]
    assert any(entry["status"] == "Survived" and "::" in entry["coveredBy"][0] for entry in entries)


@pytest.mark.parametrize("shard", ["0/2", "3/2", "half"])
def test_a_shard_that_is_none_is_said(sharded: Path, shard: str) -> None:
    """With an example of one."""
    done = run_testlens(*_mutate("--shard", shard), cwd=sharded)
    assert done.returncode == 2
    assert "2/4" in done.stderr


def test_a_shop_that_was_measured_here_merges_into_itself(shop: Project) -> None:
    """Naming the data file itself is no harm."""
    shop.measure()
    before = _contents(shop.root / ".coverage")
    assert run_testlens("merge", ".coverage", cwd=shop.root).returncode == 0
    assert _contents(shop.root / ".coverage") == before


def test_two_projects_of_like_structure_are_not_mixed_up(tmp_path: Path) -> None:
    """A name that could be two files here is left out, and it is said what to configure."""
    project = make_shop(tmp_path / "two")
    _job(project, "linux", "/elsewhere/checkout")
    for copy in ("one", "other"):
        shutil.copytree(project.root / "shop", project.root / copy / "checkout")
    shutil.rmtree(project.root / "shop")
    done = run_testlens("merge", "jobs", cwd=project.root)
    assert "may be any of one/checkout/orders.py, other/checkout/orders.py" in done.stderr
    assert "[paths]" in done.stderr
