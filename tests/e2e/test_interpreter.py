"""In a real VS Code: the interpreter chosen in the Python extension runs the tests, and a new choice counts at once."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from e2e.example import EXAMPLE
from e2e.python_extension import pack_python_extension
from e2e.served import served_code
from e2e.workbench import Workbench, window

pytestmark = pytest.mark.e2e

# An interpreter that says who it is: a test writes the name that its start script gave it.
WRAPPER = '#!/bin/sh\nRAN_BY={name} exec "{python}" "$@"\n'
TEST = """
import os
from pathlib import Path

import shop

def test_who_runs_me():
    Path(__file__).with_name("ran-by").write_text(os.environ["RAN_BY"])
"""


def make_interpreter(folder: Path, name: str) -> Path:
    """An interpreter that can be told from others, with all that the example's has, in an environment's folder."""
    path = folder / "bin" / "python"
    path.parent.mkdir(parents=True)
    path.write_text(WRAPPER.format(name=name, python=EXAMPLE / ".venv" / "bin" / "python"), "utf-8")
    path.chmod(0o755)
    return path


def run_and_read(workbench: Workbench, folder: Path) -> str:
    """Run the tests from the palette; the name of the interpreter that ran them."""
    mark = folder / "ran-by"
    mark.unlink(missing_ok=True)
    workbench.command("Testlens: Run Tests with Coverage")
    workbench.wait_for(mark.exists, bool, "the test to run", 60)
    workbench.wait_for(workbench.status, lambda text: "%" in text, "a percentage in the status bar", 60)
    return mark.read_text("utf-8")


def test_the_choice_of_the_python_extension_runs_the_tests(browser: Browser, tmp_path: Path) -> None:
    folder, chosen = tmp_path / "project", tmp_path / "chosen"
    folder.mkdir()
    (folder / "shop.py").write_text("price = 1\n", "utf-8")
    (folder / "test_shop.py").write_text(TEST, "utf-8")
    # Weaker than the choice: it would be used without the Python extension.
    make_interpreter(folder / ".venv", "the weaker one")
    chosen.write_text(str(make_interpreter(tmp_path / "first", "first")), "utf-8")
    extension = pack_python_extension(tmp_path / "python.vsix", chosen)
    with (
        served_code(folder, tmp_path / "vscode", extensions=[extension]) as code,
        window(browser, code.url(folder)) as workbench,
    ):
        workbench.wait_for(workbench.status, lambda text: "No coverage" in text, "Testlens to find no coverage", 60)
        assert run_and_read(workbench, folder) == "first"
        chosen.write_text(str(make_interpreter(tmp_path / "second", "second")), "utf-8")
        workbench.command("Python: Tell the Choice")
        assert run_and_read(workbench, folder) == "second"
