"""What every command has in common: help, version, and clear words about a command line that makes no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

import testlens as package
from cli.projects import Project, json_of, run_testlens


def test_version() -> None:
    done = run_testlens("--version")
    assert (done.returncode, done.stdout) == (0, f"testlens {package.__version__}\n")


def test_help_names_every_command_the_server_included() -> None:
    help_text = run_testlens().stdout
    assert all(f" {name} " in help_text for name in ("run", "plan", "scaffold", "report", "check", "baseline", "serve"))


def test_the_server_explains_itself_without_being_started() -> None:
    done = run_testlens("serve", "--help")
    assert done.returncode == 0
    assert "language server" in " ".join(done.stdout.split())


@pytest.mark.parametrize("name", ["run", "plan"])
def test_a_folder_that_is_not_there_is_told_in_the_json_too(name: str, tmp_path: Path) -> None:
    done = run_testlens(name, tmp_path / "nowhere", "--json")
    assert done.returncode == 2
    problem = json_of(done)["problems"][0]
    assert problem["path"] == str(tmp_path / "nowhere")
    assert "no such folder" in problem["message"]


def test_a_file_is_no_project(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("", encoding="utf-8")
    done = run_testlens("plan", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is a file, not a folder" in done.stderr


@pytest.mark.parametrize("arguments", [["--nonsense"], ["--top", "0"], ["--target", "101"], ["--", "-x"]])
def test_arguments_that_make_no_sense_end_with_status_2_and_one_object(arguments: list[str], shop: Project) -> None:
    done = run_testlens("plan", shop.root, "--json", *arguments)
    assert done.returncode == 2
    assert json_of(done)["problems"]


def test_an_empty_folder_is_no_error_of_the_program(tmp_path: Path) -> None:
    done = run_testlens("plan", tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
