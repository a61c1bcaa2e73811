"""In a clean VS Code: the packed extension shows gaps where there is only an interpreter, and installs nothing."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from distribution.packing import pack_for_this_machine
from e2e.example import EXAMPLE, SERVICE, Truth, copy_example
from e2e.served import served_code
from e2e.workbench import Workbench, window

pytestmark = pytest.mark.e2e

# Programs that VS Code and its start script need beside the interpreter.
OTHERS = ("sh", "bash", "env", "node", "git", "ps", "dirname", "readlink", "uname", "cat", "sed", "which", "hostname")
# The project's interpreter, which says what its process was given.
WRAPPER = '#!/bin/sh\nprintf "%s" "$PYTHONPATH" > "{mark}"\nexec "{python}" "$@"\n'


def only_an_interpreter(folder: Path) -> Path:
    """A folder for the PATH: one Python without pip or any package, and what has nothing to do with Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "bare")], check=True)
    places = folder / "bin"
    places.mkdir()
    (places / "python3").symlink_to(folder / "bare" / "bin" / "python")
    for name in OTHERS:
        found = shutil.which(name)
        if found is not None:
            (places / name).symlink_to(found)
    return places


def test_gaps_are_shown_with_the_libraries_of_the_package_alone(
    browser: Browser,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    truth: Truth,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vsix = pack_for_this_machine(tmp_path_factory)
    folder = copy_example(tmp_path / "clarity")
    shutil.copy2(truth.data_file, folder / ".coverage")
    mark, project_python = tmp_path / "python-path", tmp_path / "project-python"
    project_python.write_text(WRAPPER.format(mark=mark, python=EXAMPLE / ".venv" / "bin" / "python"), "utf-8")
    project_python.chmod(0o755)
    for name in [name for name in os.environ if name.startswith(("PYTHON", "TESTLENS_SERVER", "VIRTUAL_ENV"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", str(only_an_interpreter(tmp_path / "machine")))
    # In a browser, the user's own settings cannot name a program of the machine; the workspace's can.
    (folder / ".vscode").mkdir(exist_ok=True)
    (folder / ".vscode" / "settings.json").write_text(json.dumps({"testlens.python": str(project_python)}), "utf-8")
    with (
        served_code(folder, tmp_path / "vscode", vsix=vsix) as code,
        window(browser, code.url(folder)) as workbench,
    ):
        workbench.wait_for(workbench.status, lambda text: truth.percent in text, "coverage.py's percentage", 60)
        workbench.open_file(SERVICE)
        workbench.go_to(min(truth.missing))
        painted = workbench.wait_for(
            workbench.marks, lambda marks: "uncovered" in marks.values(), "marks of lines that no test ran", 60
        )
        assert {line for line, state in painted.items() if state == "uncovered"} <= truth.missing
        workbench.command("Testlens: Run Tests with Coverage")
        workbench.wait_for(mark.exists, bool, "the project's interpreter to run", 120)
        assert mark.read_text("utf-8") == "", "the project's tests must not see the server's libraries"
        check_workflow(workbench, folder)


def check_workflow(workbench: Workbench, folder: Path) -> None:
    """A new workflow is written and shown; before one is replaced, the difference is shown, and nothing changes."""
    file = folder / ".github" / "workflows" / "testlens.yml"
    file.unlink(missing_ok=True)
    choose_github(workbench)
    workbench.wait_for(workbench.active_file, lambda name: "testlens.yml" in name, "the new workflow to be shown")
    workbench.wait_for(workbench.text_in_view, lambda text: "init-ci github" in text, "the text of the new workflow")
    workbench.command("View: Revert and Close Editor")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("name: Mine\n", "utf-8")
    choose_github(workbench)
    expect(workbench.page.get_by_role("tab", name="Refactor Preview")).to_be_visible()
    expect(workbench.page.get_by_role("button", name="Discard")).to_be_visible()
    assert file.read_text("utf-8") == "name: Mine\n"


def choose_github(workbench: Workbench) -> None:
    """Ask for a workflow from the palette, and choose the service."""
    workbench.search_palette("Testlens: Write a Workflow for CI")
    workbench.page.keyboard.press("Enter")
    workbench.page.get_by_role("option", name="GitHub Actions").click()
