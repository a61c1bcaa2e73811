"""What the page carries stays small, and says what it leaves out."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from testlens.domain import snapshot as domain
from testlens.domain.coverage import FileCoverage, Numbers
from testlens.domain.packing import pack
from testlens.domain.plan import make_plan
from testlens.domain.snapshot import FileReport, Snapshot
from testlens.report.file_views import FileView
from testlens.report.page_data import make_page_data

COVERAGE = FileCoverage(frozenset({1, 2}), frozenset(), frozenset({2}))


def packed_source(view: FileView, failing: tuple[str, ...] = ()) -> tuple[dict[str, Any], list[str]]:
    """What the page has of one file, and the names of all tests."""
    outcomes = {test: domain.TestResult("failed", 0.1) for test in failing}
    snapshot = Snapshot("a run", Numbers(2, 1), {view.report.path: view.report}, outcomes)
    plan = make_plan(snapshot.files.values(), snapshot.totals, 85)
    parts = json.loads(make_page_data(snapshot, plan, [view]).packed)
    (source,) = parts["sources"]
    return unpacked(source), unpacked(parts["tests"])


def unpacked(packed: str) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def view(path: str = "a.py", **more: Any) -> FileView:
    report = FileReport(path, "", COVERAGE.numbers, pack(COVERAGE), (), ())
    return FileView(report, ("x = 1", "y = 2"), {1: "covered", 2: "uncovered"}, **more)


def test_of_very_many_tests_of_a_line_the_first_are_named_and_all_counted_and_failing_ones_are_first() -> None:
    tests = tuple(sorted(f"t.py::test_{number}" for number in range(5000)))
    source, names = packed_source(view(tests={1: tests}), failing=("t.py::test_999",))
    (found,) = source["sets"]
    assert found[0] == 5000
    assert len(found) == 61
    assert names[found[1]] == "!t.py::test_999"
    assert source["runs"] == [1, 0]


def test_lines_with_the_same_tests_have_them_once() -> None:
    tests = ("t.py::test_a", "t.py::test_b")
    source, names = packed_source(view(tests={1: tests, 2: tests}))
    assert source["runs"] == [1, 1]
    assert source["sets"] == [[2, 0, 1]]
    assert names == list(tests)


def test_a_name_that_is_no_text_of_utf_8_does_not_stop_the_report() -> None:
    source, _ = packed_source(view("shop/\udce4.py"))
    assert source["states"] == "cu"


def test_no_letter_of_a_source_can_end_the_element_that_it_stands_in() -> None:
    hostile = FileView(view().report, ("</script><!--", '"\\u2028'), {}, note="</script>")
    snapshot = Snapshot("a run", Numbers(2, 1), {"a.py": hostile.report})
    packed = make_page_data(snapshot, make_plan([], snapshot.totals, 85), [hostile]).packed
    assert "<" not in packed
    assert packed.isascii()
