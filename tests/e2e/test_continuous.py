"""Continuous testing in a real VS Code: type, save, and the marks follow with no other action."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from e2e.example import copy_example
from e2e.served import ServedCode
from e2e.workbench import Workbench, window

_MODELS = "src/clarity/models.py"


@pytest.fixture
def followed(tmp_path: Path, browser: Browser, code: ServedCode) -> Iterator[tuple[Workbench, Path]]:
    """A window on a copy of the example whose settings have tests run by themselves, once they have run, and it."""
    root = copy_example(tmp_path / "clarity")
    (root / ".vscode").mkdir(exist_ok=True)
    (root / ".vscode" / "settings.json").write_text(json.dumps({"testlens.continuous": "onSave"}))
    with window(browser, code.url(root)) as workbench:
        workbench.wait_for(workbench.status, lambda text: "%" in text, "a percentage that nobody asked for", 180)
        yield workbench, root


def test_type_and_save_and_the_marks_follow(followed: tuple[Workbench, Path]) -> None:
    workbench, root = followed
    lines = (root / _MODELS).read_text().splitlines()
    definition = next(number for number, text in enumerate(lines, 1) if "def sort_key" in text)
    body = next(number for number, text in enumerate(lines, 1) if number > definition and "return" in text)
    workbench.open_file(_MODELS)
    workbench.go_to(body)
    workbench.wait_for(workbench.marks, lambda marks: marks.get(body) == "covered", "the line to be covered", 60)
    workbench.page.keyboard.press("Home")
    workbench.page.keyboard.type("assert False, 'broken'")
    workbench.page.keyboard.press("Enter")
    workbench.page.keyboard.press("Control+s")
    workbench.wait_for(
        workbench.marks, lambda marks: marks.get(body) == "failed", "the line to be marked where tests fail", 60
    )
    told = workbench.messages_behind_lines()
    assert any(text.startswith("✗ test_") and text.endswith("AssertionError: broken") for text in told), told
    workbench.screenshot("continuous-failing")
