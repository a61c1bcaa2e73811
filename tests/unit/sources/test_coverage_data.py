"""coverage.py's data files are read as coverage.py reads them, and never changed, whatever state they are in."""

import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from coverage import CoverageData

from testlens.sources import coverage_data
from unit.sources.measuring import Measured


def content(folder: Path) -> dict[str, bytes]:
    """All files below `folder` with what is in them."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def write_data(path: Path, arcs: dict[str, list[tuple[int, int]]], context: str = "") -> Path:
    data = CoverageData(str(path))
    data.read()
    data.set_context(context)
    data.add_arcs(arcs)
    data.close()
    return path


def test_traces_are_what_coverage_recorded(measured: Measured) -> None:
    traces, problems = coverage_data.read_traces([measured.data])
    expected = CoverageData(str(measured.data), read_only=True)
    expected.read()
    assert problems == ()
    assert set(traces) == expected.measured_files()
    for name, trace in traces.items():
        assert trace.arcs == frozenset(expected.arcs(name) or ())
        assert trace.lines == frozenset(expected.lines(name) or ())


def test_data_without_branches_has_lines_only(measured_lines: Measured) -> None:
    trace = coverage_data.read_trace([measured_lines.data], measured_lines.orders)
    expected = CoverageData(str(measured_lines.data), read_only=True)
    expected.read()
    assert trace is not None
    assert trace.arcs is None
    assert trace.lines == frozenset(expected.lines(measured_lines.orders) or ())


def test_only_wanted_files_are_read(measured: Measured) -> None:
    traces, _ = coverage_data.read_traces([measured.data], {measured.orders, "/nowhere.py"})
    assert set(traces) == {measured.orders}


def test_a_file_that_was_not_measured_has_no_trace(measured: Measured) -> None:
    assert coverage_data.read_trace([measured.data], "/nowhere.py") is None


def test_tests_of_a_line_are_named_without_phases_and_import_time(measured: Measured) -> None:
    source = Path(measured.orders).read_text().splitlines()
    by_line = coverage_data.contexts_by_line([measured.data], measured.orders)
    returns_empty = source.index("    return []") + 1
    label = source.index("    if count == 1:") + 1
    definition = source.index("def total(prices):") + 1
    assert by_line[returns_empty] == ("tests/test_orders.py::test_total",)
    assert by_line[label] == ("tests/test_orders.py::test_label[a|b]",)
    assert definition not in by_line


def test_a_test_that_ran_a_line_in_two_phases_is_named_once(tmp_path: Path) -> None:
    path = tmp_path / ".coverage"
    for context in ("t.py::a|setup", "t.py::a|run", "t.py::a|teardown", "t.py::b|run", ""):
        write_data(path, {"/a.py": [(1, 2)]}, context)
    assert coverage_data.contexts_by_line([path], "/a.py") == {1: ("t.py::a", "t.py::b"), 2: ("t.py::a", "t.py::b")}


def test_parallel_files_add_up_and_stay_where_they_are(tmp_path: Path) -> None:
    one = write_data(tmp_path / ".coverage.host.1", {"/a.py": [(-1, 1), (1, 2)], "/b.py": [(1, 2)]}, "t::a|run")
    two = write_data(tmp_path / ".coverage.host.2", {"/a.py": [(1, 3)], "/c.py": [(1, 2)]}, "t::b|run")
    before = content(tmp_path)
    traces, problems = coverage_data.read_traces([one, two])
    assert problems == ()
    assert set(traces) == {"/a.py", "/b.py", "/c.py"}
    assert traces["/a.py"].arcs == {(-1, 1), (1, 2), (1, 3)}
    assert traces["/a.py"].lines == {1, 2, 3}
    assert coverage_data.contexts_by_line([one, two], "/a.py")[1] == ("t::a", "t::b")
    assert content(tmp_path) == before


def test_one_bad_parallel_file_costs_only_its_own_data(tmp_path: Path) -> None:
    good = write_data(tmp_path / ".coverage.1", {"/a.py": [(1, 2)]})
    bad = tmp_path / ".coverage.2"
    bad.write_text("no data")
    traces, (problem,) = coverage_data.read_traces([good, bad])
    assert set(traces) == {"/a.py"}
    assert problem.path == str(bad)


def test_parallel_files_with_and_without_branches_are_not_mixed(tmp_path: Path) -> None:
    arcs = write_data(tmp_path / ".coverage.1", {"/a.py": [(1, 2)]})
    lines = CoverageData(str(tmp_path / ".coverage.2"))
    lines.add_lines({"/b.py": [1]})
    lines.close()
    traces, (problem,) = coverage_data.read_traces([arcs, tmp_path / ".coverage.2"])
    assert set(traces) == {"/a.py"}
    assert "branches" in problem.message


def test_a_plugins_files_are_left_out_and_said_so(tmp_path: Path) -> None:
    data = CoverageData(str(tmp_path / ".coverage"))
    data.add_lines({"/page.html": [1], "/a.py": [1]})
    data.add_file_tracers({"/page.html": "django_coverage_plugin"})
    data.close()
    traces, (problem,) = coverage_data.read_traces([tmp_path / ".coverage"])
    assert set(traces) == {"/a.py"}
    assert "/page.html" in problem.message


def test_reading_changes_nothing_beside_the_data(own: Measured, measured: Measured) -> None:
    before, times = content(own.root), own.data.stat().st_mtime_ns
    coverage_data.read_traces([own.data])
    coverage_data.measured_files([own.data])
    coverage_data.contexts_by_line([own.data], measured.orders)
    assert content(own.root) == before
    assert own.data.stat().st_mtime_ns == times


def damage_truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def damage_header(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:60])


def damage_empty(path: Path) -> None:
    path.write_bytes(b"")


def damage_text(path: Path) -> None:
    path.write_text("!coverage.py: This is a private format, don't read it directly!{}")


def damage_pages(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))


def damage_schema(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("update coverage_schema set version = 99")
        connection.commit()


def damage_other_database(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table pets (name text)")
        connection.commit()


def damage_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = {
    "truncated": (damage_truncate, "truncated"),
    "cut within its header": (damage_header, "truncated"),
    "empty": (damage_empty, "empty"),
    "text": (damage_text, "not a coverage.py data file"),
    "overwritten": (damage_pages, "damaged"),
    "of a future schema": (damage_schema, "schema 99"),
    "another database": (damage_other_database, "not one of coverage.py's"),
    "a folder": (damage_folder, "folder"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_bad_data_file_is_a_problem_with_advice_and_stays_as_it_is(
    own: Measured, measured: Measured, damage: str
) -> None:
    change, words = DAMAGES[damage]
    change(own.data)
    before = content(own.root)
    traces, problems = coverage_data.read_traces([own.data])
    assert not traces
    assert any(words in problem.message for problem in problems)
    assert all(problem.path == str(own.data) and problem.advice for problem in problems)
    assert coverage_data.read_trace([own.data], measured.orders) is None
    assert coverage_data.contexts_by_line([own.data], measured.orders) == {}
    assert content(own.root) == before


def test_a_missing_data_file_is_a_problem_and_is_not_made(tmp_path: Path) -> None:
    traces, (problem,) = coverage_data.read_traces([tmp_path / ".coverage"])
    assert not traces
    assert "does not exist" in problem.message
    assert list(tmp_path.iterdir()) == []


def test_a_data_file_that_is_being_written_is_left_alone_until_it_is_done(own: Measured, measured: Measured) -> None:
    with closing(sqlite3.connect(own.data, isolation_level=None)) as writer:
        writer.execute("begin exclusive")
        before = own.data.read_bytes()
        traces, (problem,) = coverage_data.read_traces([own.data])
        writer.execute("rollback")
    assert not traces
    assert "being written" in problem.message
    assert own.data.read_bytes() == before
    assert coverage_data.read_trace([own.data], measured.orders) is not None


def test_the_journal_of_a_killed_run_is_a_problem_and_is_not_rolled_back(own: Measured, tmp_path: Path) -> None:
    with closing(sqlite3.connect(own.data, isolation_level=None)) as writer:
        # A cache of one page makes SQLite write the journal and the file before the end of the transaction.
        writer.execute("pragma cache_size = 1")
        writer.execute("begin exclusive")
        writer.execute("create table filler (text)")
        writer.executemany("insert into filler values (?)", [("x" * 4000,)] * 50)
        killed = tmp_path / "killed"
        killed.mkdir()
        shutil.copy(own.data, killed / ".coverage")
        shutil.copy(f"{own.data}-journal", killed / ".coverage-journal")
        writer.execute("rollback")
    before = content(killed)
    traces, problems = coverage_data.read_traces([killed / ".coverage"])
    assert not traces
    assert "journal" in problems[0].message
    assert content(killed) == before


def test_a_data_file_that_cannot_be_opened_is_a_problem_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / ".coverage").symlink_to(".coverage")
    _, (problem,) = coverage_data.read_traces([tmp_path / ".coverage"])
    assert "symbolic links" in problem.message


def test_damage_anywhere_in_a_data_file_never_raises(own: Measured, measured: Measured) -> None:
    whole = own.data.read_bytes()
    random = Random(1)
    for _ in range(200):
        damaged = bytearray(whole)
        start = random.randrange(len(whole))
        length = random.choice((1, 8, 500, 4096))
        damaged[start : start + length] = random.randbytes(len(damaged[start : start + length]))
        own.data.write_bytes(damaged)
        coverage_data.read_traces([own.data])
        coverage_data.contexts_by_line([own.data], measured.orders)
        assert own.data.read_bytes() == damaged


@pytest.mark.alone
def test_one_file_of_a_thousand_is_read_in_a_few_milliseconds(tmp_path: Path) -> None:
    arcs = [(line, line + 1) for line in range(1, 100)]
    path = write_data(tmp_path / ".coverage", {f"/src/module_{n}.py": arcs for n in range(1000)})

    def seconds() -> float:
        started = time.perf_counter()
        trace = coverage_data.read_trace([path], "/src/module_500.py")
        assert trace is not None
        assert len(trace.lines) == 100
        return time.perf_counter() - started

    assert min(seconds() for _ in range(5)) < 0.03
