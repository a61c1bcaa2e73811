"""Reports of coverage.py in every format tell the same as coverage.py itself, and damaged ones tell what is wrong."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from testlens.domain.coverage import FileCoverage, Numbers, combine
from testlens.domain.problems import Problem
from testlens.sources import cobertura, coverage_data, coverage_json, lcov
from testlens.sources.branch_ends import resolve
from testlens.sources.coverage_parse import decode, parse
from testlens.sources.path_mapping import map_paths
from testlens.sources.project_config import load
from unit.sources.measuring import Measured

Reader = Callable[[Path], tuple[Mapping[str, FileCoverage], tuple[Problem, ...]]]

REPORTS = [("coverage.json", coverage_json.read), ("coverage.xml", cobertura.read), ("coverage.lcov", lcov.read)]
EVERY_REPORT = pytest.mark.parametrize(("name", "read"), REPORTS)


def numbers(summary: dict[str, Any]) -> Numbers:
    """The four counts of a summary of `coverage json`."""
    return Numbers(
        summary["num_statements"],
        summary["missing_lines"],
        summary.get("num_branches", 0),
        summary.get("missing_branches", 0),
    )


def by_workspace_path(project: Measured, read: Reader, name: str) -> dict[str, FileCoverage]:
    files, problems = read(project.root / name)
    assert problems == ()
    found = map_paths(files, project.root, (), {}).resolved
    return {path: files[recorded] for recorded, path in found.items()}


@EVERY_REPORT
def test_totals_of_a_report_equal_those_of_coverage(measured: Measured, name: str, read: Reader) -> None:
    files = by_workspace_path(measured, read, name)
    total = sum((file.numbers for file in files.values()), Numbers())
    assert total == numbers(measured.report["totals"])
    assert total.percent == measured.report["totals"]["percent_covered"]


@EVERY_REPORT
def test_numbers_of_every_file_equal_those_of_coverage(measured: Measured, name: str, read: Reader) -> None:
    files = by_workspace_path(measured, read, name)
    expected = {path: numbers(entry["summary"]) for path, entry in measured.report["files"].items()}
    assert {path: file.numbers for path, file in files.items()} == expected


@EVERY_REPORT
def test_a_report_without_branches_has_none_and_the_same_totals(
    measured_lines: Measured, name: str, read: Reader
) -> None:
    files = by_workspace_path(measured_lines, read, name)
    assert sum((file.numbers for file in files.values()), Numbers()) == numbers(measured_lines.report["totals"])
    assert not any(file.measured_branches for file in files.values())


@EVERY_REPORT
def test_missing_lines_of_a_report_equal_those_of_coverage(measured: Measured, name: str, read: Reader) -> None:
    files = by_workspace_path(measured, read, name)
    expected = {path: frozenset(entry["missing_lines"]) for path, entry in measured.report["files"].items()}
    assert {path: file.missing for path, file in files.items()} == expected


@EVERY_REPORT
def test_a_report_and_its_source_name_exactly_the_branches_that_coverage_misses(
    measured: Measured, name: str, read: Reader
) -> None:
    config, _ = load(measured.root)
    for path, file in by_workspace_path(measured, read, name).items():
        text = decode((measured.root / path).read_bytes())
        parsed = parse(text, path, config.coverage.exclude, config.coverage.no_branch)
        assert not isinstance(parsed, Problem)
        expected = {tuple(arc) for arc in measured.report["files"][path]["missing_branches"]}
        assert resolve(file, parsed.source).missing_arcs == expected


def test_the_data_file_gives_the_same_numbers_as_the_reports(measured: Measured) -> None:
    config, _ = load(measured.root)
    traces, _ = coverage_data.read_traces([measured.data])
    for recorded, path in map_paths(traces, measured.root, (), {}).resolved.items():
        parsed = parse(
            decode((measured.root / path).read_bytes()), path, config.coverage.exclude, config.coverage.no_branch
        )
        assert not isinstance(parsed, Problem)
        file = combine(parsed.source, traces[recorded])
        assert file.numbers == numbers(measured.report["files"][path]["summary"])


def test_an_lcov_report_names_function_exits_by_the_line_of_def(measured: Measured) -> None:
    files = by_workspace_path(measured, lcov.read, "coverage.lcov")
    text = (measured.root / "src/shop/orders.py").read_text().splitlines()
    first = text.index("def first(items, wanted):") + 1
    assert (first + 1, -first) in files["src/shop/orders.py"].missing_arcs


@EVERY_REPORT
def test_a_missing_report_is_a_problem_with_advice(tmp_path: Path, name: str, read: Reader) -> None:
    files, (problem,) = read(tmp_path / name)
    assert not files
    assert problem.severity == "error"
    assert problem.advice


@EVERY_REPORT
def test_a_truncated_report_is_a_problem_that_names_the_file(own: Measured, name: str, read: Reader) -> None:
    path = own.root / name
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    _, problems = read(path)
    assert any(problem.path == str(path) and "again" in problem.advice for problem in problems)
    assert path.read_bytes() == content[: len(content) // 2]


@EVERY_REPORT
@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b"hello", b"[1, 2]", b"<a/>", b'{"files": 3}'])
def test_anything_else_in_place_of_a_report_is_a_problem(
    tmp_path: Path, name: str, read: Reader, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    files, problems = read(path)
    assert not files
    assert len(problems) >= 1


@EVERY_REPORT
def test_a_folder_in_place_of_a_report_is_a_problem(tmp_path: Path, name: str, read: Reader) -> None:
    (tmp_path / name).mkdir()
    files, (problem,) = read(tmp_path / name)
    assert not files
    assert "folder" in problem.message or "directory" in problem.message


def test_one_bad_entry_of_a_json_report_costs_only_that_file(tmp_path: Path) -> None:
    path = tmp_path / "coverage.json"
    good = '{"executed_lines": [1], "missing_lines": [2], "excluded_lines": []}'
    path.write_text(f'{{"files": {{"a.py": {good}, "b.py": {{"executed_lines": "x"}}, "c.py": 3}}}}')
    files, problems = coverage_json.read(path)
    assert set(files) == {"a.py"}
    assert [name in problem.message for name, problem in zip(("b.py", "c.py"), problems, strict=True)] == [True, True]


def write_xml(path: Path, body: str, sources: str = "", prolog: str = "") -> Path:
    path.write_text(
        f'<?xml version="1.0"?>{prolog}<coverage branches-valid="4"><sources>{sources}</sources><packages><package>'
        f"<classes>{body}</classes></package></packages></coverage>"
    )
    return path


def test_an_xml_bomb_is_refused_at_once_and_named(tmp_path: Path) -> None:
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
    body = '<class filename="&a11;"><lines><line number="1" hits="1"/></lines></class>'
    path = write_xml(tmp_path / "coverage.xml", body, prolog=f"<!DOCTYPE coverage [{entities}]>")
    started = time.perf_counter()
    files, (problem,) = cobertura.read(path)
    assert not files
    assert "entities" in problem.message
    assert time.perf_counter() - started < 1


def test_an_external_entity_is_refused_and_its_file_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    body = "<class filename='&s;'><lines><line number='1' hits='1'/></lines></class>"
    prolog = f'<!DOCTYPE coverage [<!ENTITY s SYSTEM "{secret.as_uri()}">]>'
    files, (problem,) = cobertura.read(write_xml(tmp_path / "coverage.xml", body, prolog=prolog))
    assert not files
    assert "entities" in problem.message
    assert "hunter2" not in str(problem)


def test_the_doctype_that_cobertura_itself_writes_is_accepted(tmp_path: Path) -> None:
    body = '<class filename="a.py"><lines><line number="1" hits="1"/></lines></class>'
    prolog = '<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">'
    files, problems = cobertura.read(write_xml(tmp_path / "coverage.xml", body, prolog=prolog))
    assert set(files) == {"a.py"}
    assert problems == ()


def test_other_tools_branch_counts_keep_totals_right_without_destinations(tmp_path: Path) -> None:
    body = (
        '<class filename="a.py"><methods><method><lines><line number="3" hits="2"/></lines></method></methods><lines>'
        '<line number="3" hits="2" branch="true" condition-coverage="25% (1/4)"/>'
        '<line number="4" hits="0" branch="true" condition-coverage="0% (0/2)"/></lines></class>'
    )
    files, _ = cobertura.read(write_xml(tmp_path / "coverage.xml", body))
    assert files["a.py"].numbers == Numbers(statements=2, missing=1, branches=6, missing_branches=5)
    assert files["a.py"].partial == {3}


def test_impossible_counts_in_xml_are_problems_with_their_place_and_the_rest_is_kept(tmp_path: Path) -> None:
    body = (
        '<class filename="a.py"><lines>\n<line number="-3" hits="1"/>\n<line number="x" hits="1"/>\n'
        '<line number="4" hits="1" branch="true" condition-coverage="0% (0/99999999)"/></lines></class>'
    )
    files, problems = cobertura.read(write_xml(tmp_path / "coverage.xml", body))
    assert files["a.py"].statements == {4}
    assert [problem.line for problem in problems] == [2, 3, 4]


def test_names_in_xml_are_relative_to_the_source_that_has_the_file(tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    (tmp_path / "two/a.py").touch()
    sources = f"<source>{tmp_path / 'one'}</source><source>{tmp_path / 'two'}</source>"
    endless = "x" * 5000
    body = f'<class filename="a.py"/><class filename="nowhere.py"/><class filename="{endless}"/>'
    files, _ = cobertura.read(write_xml(tmp_path / "coverage.xml", body, sources))
    assert set(files) == {str(tmp_path / "two/a.py"), "nowhere.py", endless}


def test_bad_lines_of_lcov_are_problems_with_their_line_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "lcov.info"
    path.write_text(
        "TN:\nSF:a.py\nDA:-1,1\nDA:two,1\nDA:3,0\nDA:4\nBRDA:3,0,0,many\nDA:5,7,hash\nend_of_record\nDA:1,1\n"
    )
    files, problems = lcov.read(path)
    assert files["a.py"].statements == {3, 5}
    assert files["a.py"].missing == {3}
    assert [problem.line for problem in problems] == [3, 4, 6, 7, 10]


def test_other_tools_numbered_branches_keep_totals_right(tmp_path: Path) -> None:
    path = tmp_path / "lcov.info"
    path.write_text(
        "SF:a.py\r\nDA:1,1\r\nDA:2,0\r\nBRDA:1,0,0,4\r\nBRDA:1,0,1,0\r\nBRDA:2,0,0,-\r\nBRDA:2,0,1,-\r\nBRF:4\r\n"
        "end_of_record\r\n"
    )
    files, problems = lcov.read(path)
    assert problems == ()
    assert files["a.py"].numbers == Numbers(statements=2, missing=1, branches=4, missing_branches=3)


def test_records_of_the_same_file_add_up(tmp_path: Path) -> None:
    path = tmp_path / "lcov.info"
    path.write_text(
        "SF:a.py\nDA:1,0\nBRDA:1,0,0,-\nBRDA:1,0,1,-\nend_of_record\nSF:a.py\nDA:1,2\nBRDA:1,0,0,2\nBRDA:1,0,1,0\nend_of_record\n"
    )
    files, _ = lcov.read(path)
    assert files["a.py"].numbers == Numbers(statements=1, missing=0, branches=2, missing_branches=1)


@pytest.mark.alone
def test_a_150_kb_xml_and_a_42_kb_lcov_are_read_in_well_under_a_tenth_of_a_second(tmp_path: Path) -> None:
    lines = "".join(
        f'<line number="{n}" hits="{n % 2}" branch="true" condition-coverage="50% (1/2)" missing-branches="{n + 1}"/>'
        for n in range(1, 1700)
    )
    xml = write_xml(tmp_path / "coverage.xml", f'<class filename="a.py"><lines>{lines}</lines></class>')
    info = tmp_path / "lcov.info"
    info.write_text(
        "SF:a.py\n" + "".join(f"DA:{n},1\nBRDA:{n},0,{n % 2},1\n" for n in range(1, 2000)) + "end_of_record\n"
    )
    assert xml.stat().st_size > 150_000
    assert info.stat().st_size > 42_000
    for read, path in ((cobertura.read, xml), (lcov.read, info)):
        assert min(_seconds(read, path) for _ in range(5)) < 0.1


def _seconds(read: Reader, path: Path) -> float:
    started = time.perf_counter()
    read(path)
    return time.perf_counter() - started
