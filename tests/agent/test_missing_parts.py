"""What the project's interpreter lacks is said once, with the command that installs it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from agent.interpreters import bare_environment
from agent.projects import Project
from testlens.domain.problems import Problem
from testlens.runners.events import RunProblem
from testlens.runners.interpreter import Equipment, Interpreter, Wishes, examine, find_interpreter, missing_problem


async def test_a_run_without_pytest_and_coverage_says_both_at_once(project: Project, tmp_path: Path) -> None:
    bare = Project(project.root, bare_environment(tmp_path / "bare"))

    run = await bare.run()

    (event,) = (event for event in run.events if isinstance(event, RunProblem))
    assert event.missing == ("pytest", "coverage")
    assert event.problem.severity == "error"
    assert f"{bare.python} -m pip install pytest coverage" in event.problem.advice
    assert run.result.data_file is None


def test_what_is_missing_is_known_without_a_run(project: Project, tmp_path: Path) -> None:
    interpreter = Interpreter(str(bare_environment(tmp_path / "bare")), ".venv in the folder")
    (project.root / "coverage").mkdir()
    (project.root / "coverage" / "__init__.py").touch()

    equipment = examine(interpreter, project.root)

    assert isinstance(equipment, Equipment)
    assert equipment.missing == ("pytest", "coverage"), "a folder of the project is no package"
    assert not equipment.has_pip
    problem = missing_problem(interpreter, equipment)
    assert problem is not None
    assert "pytest and coverage are not installed" in problem.message
    assert interpreter.path in problem.message


def test_nothing_is_missing_where_all_is_installed(project: Project) -> None:
    interpreter = Interpreter(str(project.python), "the setting")

    equipment = examine(interpreter, project.root)

    assert isinstance(equipment, Equipment)
    assert equipment.missing == ()
    assert missing_problem(interpreter, equipment) is None


def test_the_environment_in_the_folder_is_found_as_the_link_it_is(project: Project) -> None:
    subprocess.run([project.python, "-m", "venv", "--without-pip", project.root / ".venv"], check=True)

    found = find_interpreter(project.root, Wishes(), {})

    assert found == Interpreter(str(project.root / ".venv/bin/python"), ".venv in the folder")


def test_a_program_that_is_no_python_is_a_problem(project: Project) -> None:
    problem = examine(Interpreter("/bin/false", "the setting"), project.root)

    assert isinstance(problem, Problem)
    assert "/bin/false does not work as a Python interpreter" in problem.message
