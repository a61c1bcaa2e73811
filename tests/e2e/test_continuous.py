"""Continuous testing in a real VS Code: type, save, and the marks follow with no other action."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from e2e.example import copy_example
from e2e.film import Film
from e2e.served import ServedCode
from e2e.workbench import READABLE_CONTRAST, SLOW_MS, Workbench, window

_MODELS = "src/clarity/models.py"
_LARGEST_GIF = 1_000_000


@pytest.fixture
def followed(tmp_path: Path, browser: Browser, code: ServedCode) -> Iterator[tuple[Workbench, Path]]:
    """A window on a copy of the example whose settings have tests run by themselves, once they have run, and it."""
    root = copy_example(tmp_path / "clarity")
    (root / ".vscode").mkdir(exist_ok=True)
    (root / ".vscode" / "settings.json").write_text(json.dumps({"testlens.continuous": "onSave"}))
    with window(browser, code.url(root)) as workbench:
        workbench.wait_for(workbench.status, lambda text: "%" in text, "a percentage that nobody asked for", 180)
        yield workbench, root


def line_of(root: Path, part: str, after: str = "") -> int:
    """The first line of the models with this text, on or after the one with another."""
    lines = (root / _MODELS).read_text().splitlines()
    begin = next(number for number, text in enumerate(lines) if after in text)
    return next(number for number, text in enumerate(lines[begin:], begin + 1) if part in text)


def test_type_and_save_and_the_marks_follow(followed: tuple[Workbench, Path]) -> None:
    workbench, root = followed
    body = line_of(root, "return", after="def sort_key")
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
    expect(workbench.test_messages()).to_contain_text("AssertionError: broken", timeout=SLOW_MS)
    assert workbench.messages_behind_lines() == [], "it stands there once"
    workbench.choose_theme("Light 2026", "vs")
    try:
        assert workbench.contrast_of_marks("failed") >= READABLE_CONTRAST
    finally:
        workbench.choose_theme("Dark 2026", "vs-dark")


def test_a_save_is_filmed_from_typing_to_the_answer(followed: tuple[Workbench, Path]) -> None:
    """The animation of the README: a slip is saved and fails where it is, is mended and saved."""
    workbench, root = followed
    body = line_of(root, "return", after="def sort_key")
    workbench.page.set_viewport_size({"width": 1250, "height": 480})
    workbench.command("View: Close Primary Side Bar")
    workbench.command("View: Toggle Minimap")
    workbench.open_file(_MODELS)
    workbench.go_to(body)
    workbench.wait_for(workbench.marks, lambda marks: marks.get(body) == "covered", "the line to be covered", 60)
    expect(workbench.editor.locator(".codelens-decoration:visible").first).to_be_visible()
    film = Film(workbench, {"x": 0, "y": 0, "width": 1250, "height": 480})
    workbench.page.keyboard.press("End")
    for _ in '")':
        workbench.page.keyboard.press("ArrowLeft")
    film.take_for(1.0)
    workbench.page.keyboard.press("Backspace")  # timespec="second" is none
    film.take_for(0.8)
    workbench.page.keyboard.press("Control+s")
    film.take_until(lambda: workbench.marks().get(body) == "failed")
    film.take_for(2.0)
    expect(workbench.test_messages()).to_contain_text("Unknown timespec")
    film.type("s")
    film.take_for(0.8)
    workbench.page.keyboard.press("Control+s")
    film.take_until(lambda: workbench.marks().get(body) == "covered")
    film.take_for(0.5)
    assert film.write("continuous").stat().st_size < _LARGEST_GIF
