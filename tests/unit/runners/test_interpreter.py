"""The project's interpreter: the strongest wish wins, and a wish that leads nowhere is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from testlens.domain.problems import Problem
from testlens.runners.interpreter import Interpreter, Wishes, find_interpreter


def interpreter_at(path: Path) -> str:
    """An executable file at the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_each_place_gives_way_to_the_one_before_it(tmp_path: Path) -> None:
    root = tmp_path / "project"
    explicit, editor, configured = (interpreter_at(tmp_path / name) for name in ("explicit", "editor", "configured"))
    own = interpreter_at(root / ".venv/bin/python")
    active = interpreter_at(tmp_path / "active/bin/python")
    on_path = interpreter_at(tmp_path / "path/python3")
    environment = {"VIRTUAL_ENV": str(tmp_path / "active"), "PATH": str(tmp_path / "path")}

    assert find_interpreter(root, Wishes(explicit, editor, configured), environment) == Interpreter(
        explicit, "the setting"
    )
    assert find_interpreter(root, Wishes(None, editor, configured), environment) == Interpreter(
        editor, "the editor's choice"
    )
    assert find_interpreter(root, Wishes(None, None, configured), environment) == Interpreter(
        configured, "[tool.testlens] python"
    )
    assert find_interpreter(root, Wishes(), environment) == Interpreter(own, ".venv in the folder")
    Path(own).unlink()
    assert find_interpreter(root, Wishes(), environment) == Interpreter(active, "VIRTUAL_ENV")
    Path(active).unlink()
    assert find_interpreter(root, Wishes(), environment) == Interpreter(on_path, "PATH")


@pytest.mark.parametrize("wish", ["env", "env/bin/python", "python3.12"])
def test_a_wish_may_be_a_folder_a_relative_path_or_a_command(tmp_path: Path, wish: str) -> None:
    expected = interpreter_at(tmp_path / ("path/python3.12" if wish == "python3.12" else "env/bin/python"))

    found = find_interpreter(tmp_path, Wishes(explicit=wish), {"PATH": str(tmp_path / "path")})

    assert found == Interpreter(expected, "the setting")


@pytest.mark.parametrize(
    ("wishes", "place"),
    [(Wishes(explicit="gone/python"), "the setting"), (Wishes(configured="gone/python"), "[tool.testlens] python")],
)
def test_a_wish_of_the_users_that_leads_nowhere_is_said(tmp_path: Path, wishes: Wishes, place: str) -> None:
    interpreter_at(tmp_path / ".venv/bin/python")

    problem = find_interpreter(tmp_path, wishes, {})

    assert isinstance(problem, Problem)
    assert "gone/python" in problem.message
    assert place in problem.message


def test_an_editors_choice_that_is_gone_is_passed_over(tmp_path: Path) -> None:
    own = interpreter_at(tmp_path / "venv/bin/python")

    assert find_interpreter(tmp_path, Wishes(editor="/gone/python"), {}) == Interpreter(own, "venv in the folder")


def test_no_interpreter_anywhere_is_a_problem_with_advice(tmp_path: Path) -> None:
    problem = find_interpreter(tmp_path, Wishes(), {"PATH": ""})

    assert isinstance(problem, Problem)
    assert ".venv" in problem.advice
