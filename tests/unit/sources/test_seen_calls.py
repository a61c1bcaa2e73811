"""The calls that the agent recorded are read whatever has become of the file, and what is unusable is said once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from testlens.domain.calls import Raised, SeenCall
from testlens.domain.expressions import Expression
from testlens.sources.seen_calls import load_seen_calls

CALL: dict[str, Any] = {
    "test": "test_a.py::test_one",
    "arguments": {
        "amount": {"code": "3", "fixtures": []},
        "secret": None,
        "cart": {"code": "cart", "fixtures": ["cart"]},
    },
    "receiver": None,
    "result": {"code": "4", "fixtures": []},
    "raised": None,
}
FAILED = {**CALL, "result": None, "raised": {"type": "ValueError", "message": "no", "line": 7}}


def write(path: Path, functions: object, version: object = 1) -> Path:
    path.write_text(json.dumps({"version": version, "functions": functions}))
    return path


def test_calls_are_known_by_file_and_function(tmp_path: Path) -> None:
    path = write(tmp_path / "calls.json", {"shop/cart.py": {"Cart.add": [CALL, FAILED]}})
    seen, problems = load_seen_calls(path)
    assert problems == ()
    arguments = {
        "amount": Expression("3", (), "seen"),
        "secret": None,
        "cart": Expression("cart", ("cart",), "fixture"),
    }
    assert seen == {
        ("shop/cart.py", "Cart.add"): (
            SeenCall("test_a.py::test_one", arguments, result=Expression("4", (), "seen")),
            SeenCall("test_a.py::test_one", arguments, raised=Raised("ValueError", "no", 7)),
        )
    }


def test_a_project_whose_tests_never_ran_has_no_calls_and_no_problem(tmp_path: Path) -> None:
    assert load_seen_calls(tmp_path / "calls.json") == ({}, ())


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[1]", b"null", b'"text"', b'{"version": 2, "functions": {}}', b"[" * 100_000],
)
def test_a_file_that_is_no_record_is_one_problem_that_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "calls.json"
    path.write_bytes(content)
    seen, (problem,) = load_seen_calls(path)
    assert seen == {}
    assert problem.path == str(path)
    assert problem.advice == "Run the tests again with Testlens."


def test_a_folder_in_its_place_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "calls.json").mkdir()
    seen, (problem,) = load_seen_calls(tmp_path / "calls.json")
    assert seen == {}
    assert "cannot be read" in problem.message


@pytest.mark.parametrize(
    "damage",
    [
        {"test": 3},
        {"arguments": [1]},
        {"arguments": {"a": "3"}},
        {"result": {"code": 3}},
        {"result": {"code": "3", "fixtures": [1]}},
        {"receiver": {}},
        {"raised": {"type": "ValueError", "message": "no", "line": "7"}},
        {"raised": "ValueError"},
    ],
)
def test_a_call_that_cannot_be_read_is_left_out_and_the_others_stay(tmp_path: Path, damage: dict[str, Any]) -> None:
    path = write(tmp_path / "calls.json", {"a.py": {"f": [{**CALL, **damage}, CALL], "g": [{**CALL, **damage}]}})
    seen, (problem,) = load_seen_calls(path)
    assert {name: len(calls) for name, calls in seen.items()} == {("a.py", "f"): 1}
    assert problem.message.startswith("2 of the calls")


@pytest.mark.parametrize("functions", [None, [], {"a.py": []}, {"a.py": {"f": {}}}, {"a.py": {"f": [None]}}])
def test_tables_of_another_shape_have_no_calls(tmp_path: Path, functions: object) -> None:
    assert load_seen_calls(write(tmp_path / "calls.json", functions))[0] == {}
