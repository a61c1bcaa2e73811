"""In VS Code's own Testing view: the tests as a tree, run and followed there, with failures and with coverage."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from e2e.example import GAP_FUNCTION, SERVICE, Truth, copy_example
from e2e.served import ServedCode
from e2e.testing_view import TestingView
from e2e.workbench import SLOW_MS, Workbench, window

pytestmark = pytest.mark.e2e

_ITEMS = '''"""How records are stored."""

import pytest

from clarity.models import HealthRecord


class TestItem:
    def test_a_record_is_stored(self, record: HealthRecord) -> None:
        assert record.to_item() == {
            "user_id": "ada",
            "recorded_at": record.sort_key,
            "heart_rate": 58,
            "movement": [],
            "version": 2,
        }

    @pytest.mark.parametrize("heart_rate", [20, 250])
    def test_a_rate_is_kept(self, record: HealthRecord, heart_rate: int) -> None:
        assert HealthRecord(record.user_id, record.recorded_at, heart_rate).heart_rate == heart_rate
'''
_FILE = "tests/test_items.py"
_FAILING = "test_a_record_is_stored"
_CASES = ("[20]", "[250]")
_SORT_KEYS = "test_sort_keys_are_in_utc"
_FILES = {
    f"tests/test_{name}.py"
    for name in (
        *("config", "dynamodb_service", "ingestion", "items", "models", "pat_service", "sns_service", "sqs_service"),
    )
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with a class of tests of which one fails."""
    root = copy_example(tmp_path_factory.mktemp("explorer") / "clarity")
    (root / _FILE).write_text(_ITEMS)
    return root


@pytest.fixture(scope="module")
def shown(browser: Browser, code: ServedCode, root: Path) -> Iterator[Workbench]:
    """A window in which nothing has run, on the Testing view, once the tests were found by its own button."""
    with window(browser, code.url(root)) as workbench:
        workbench.wait_for(workbench.status, lambda text: "No coverage" in text, "Testlens to find no coverage yet", 60)
        view = TestingView(workbench)
        view.open()
        workbench.page.get_by_role("button", name="Find tests").click()
        workbench.wait_for(view.states, lambda states: states.keys() >= _FILES, "the files with tests", 60)
        view.unfold(_FILE, "TestItem", "test_a_rate_is_kept")
        yield workbench


@pytest.fixture
def view(shown: Workbench) -> TestingView:
    """The Testing view, with nothing else open."""
    shown.reset()
    testing = TestingView(shown)
    testing.open()
    return testing


def test_tests_are_shown_by_file_class_function_and_case_before_any_has_run(view: TestingView) -> None:
    names = {*_FILES, "TestItem", _FAILING, "test_a_rate_is_kept", *_CASES}
    assert view.states() == dict.fromkeys(names, "Not yet run")
    levels = [view.row(name).get_attribute("aria-level") for name in (_FILE, "TestItem", "test_a_rate_is_kept", "[20]")]
    assert levels == ["1", "2", "3", "4"]


def test_one_test_is_run_from_the_view_and_no_other(shown: Workbench, view: TestingView) -> None:
    view.click("[20]", "Run Test")
    states = shown.wait_for(view.states, lambda states: states["[20]"] == "Passed", "the test to pass", 60)
    assert (states["[250]"], states[_FAILING], states["tests/test_models.py"]) == ("Not yet run",) * 3


def test_a_failing_test_says_at_its_line_what_was_expected_and_what_came(shown: Workbench, view: TestingView) -> None:
    shown.command("Test: Run All Tests")
    shown.wait_for(view.states, lambda states: states[_FAILING] == "Failed", "the test to fail", 120)
    shown.wait_for(view.states, lambda states: "Not yet run" not in states.values(), "all tests to have run", 60)
    wanted = {_FAILING, "TestItem", _FILE}
    shown.wait_for(shown.status, lambda text: "%" in text, "a percentage in the status bar", 60)
    assert {name for name, state in view.states().items() if state != "Passed"} == wanted
    shown.command("View: Hide Panel")
    # In an editor that was not there during the run VS Code shows no messages of it before another file is opened.
    shown.open_file(SERVICE)
    shown.open_file(_FILE)
    message = shown.test_messages()
    expect(message).to_be_visible(timeout=SLOW_MS)
    assert shown.messages_behind_lines() == [], "the message stands there once"
    message.click()
    peek = shown.page.locator(".test-output-peek")
    expect(peek).to_contain_text("Expected", timeout=SLOW_MS)
    read = lambda: peek.inner_text().replace("\u00a0", " ")  # noqa: E731 (read again and again below)
    compared = shown.wait_for(read, lambda text: "after a long walk" in text, "both sides")
    assert "'heart_rate': 58" in compared
    assert "'heart_rate': Decimal('61.5')" in compared
    shown.screenshot("test-explorer")


def test_the_coverage_view_has_the_percentages_of_coverage_py_and_the_names_of_branches(
    shown: Workbench, view: TestingView, truth: Truth
) -> None:
    shown.command("Test: Run All Tests with Coverage")
    covered = shown.wait_for(view.coverage, bool, "percentages in the view", 120)
    files = truth.report["files"]
    assert covered["clarity"] == pytest.approx(truth.report["totals"]["percent_covered"], abs=0.006)
    assert f"{covered['clarity']:.1f} %" in shown.status()
    name = SERVICE.rpartition("/")[2]
    assert covered[name] == pytest.approx(files[SERVICE]["summary"]["percent_covered"], abs=0.006)
    shown.command("View: Hide Panel")
    shown.open_file(SERVICE)
    # A line of the function with the riskiest gap that ran, and left in one way only.
    line = max(truth.partial & set(files[SERVICE]["functions"][GAP_FUNCTION]["executed_lines"]))
    shown.go_to(line)
    shown.command("Test: Toggle Inline Coverage")
    expect(shown.editor.locator(".coverage-deco-branch-miss-indicator").first).to_be_visible(timeout=SLOW_MS)
    shown.screenshot("native-coverage")
    # VS Code has the branches of a statement behind it.
    shown.page.keyboard.press("End")
    shown.command("Show or Focus Hover")
    hover = shown.page.locator(".monaco-hover:not(.hidden)", has_text="was not covered")
    expect(hover).to_contain_text(re.compile(rf"Branch line {line} never continued to line \d+: .* was not covered"))
    shown.command("Test: Toggle Inline Coverage")


def test_without_the_debugger_it_is_said_what_to_install(shown: Workbench, view: TestingView) -> None:
    view.click(_FAILING, "Debug Test")
    told = shown.wait_for(shown.notifications, bool, "a word about the debugger")
    assert "Python Debugger extension (ms-python.debugpy)" in told
    assert shown.page.get_by_role("button", name="Show the Extension").is_visible()


def test_a_continuous_run_follows_each_save(shown: Workbench, view: TestingView, root: Path) -> None:
    view.unfold("tests/test_models.py")
    assert view.states()[_SORT_KEYS] == "Passed"
    view.click(_SORT_KEYS, "Turn on Continuous Run")
    models = root / "src/clarity/models.py"
    text = models.read_text()
    models.write_text(text.replace('isoformat(timespec="seconds")', 'isoformat(timespec="hours")'))
    shown.wait_for(view.states, lambda states: states[_SORT_KEYS] == "Failed", "the test that the edit breaks", 120)
    models.write_text(text)
    shown.wait_for(view.states, lambda states: states[_SORT_KEYS] == "Passed", "the test to pass again", 120)
    view.click(_SORT_KEYS, "Turn off Continuous Run")


def test_a_new_window_shows_the_same_without_running_anything(
    browser: Browser, code: ServedCode, root: Path, shown: Workbench, view: TestingView
) -> None:
    before = view.states()
    with window(browser, code.url(root)) as again:
        again.wait_for(again.status, lambda text: "%" in text, "a percentage in the status bar", 60)
        other = TestingView(again)
        other.open()
        states = again.wait_for(other.states, lambda states: "Not yet run" not in states.values(), "results", 60)
        assert {name: states[name] for name in _FILES} == {name: before[name] for name in _FILES}
        other.unfold(_FILE, "TestItem")
        assert other.states()[_FAILING] == "Failed"
        expect(again.page.locator(".test-output-peek")).to_have_count(0)


def test_the_setting_leaves_the_view_alone(browser: Browser, code: ServedCode, root: Path) -> None:
    (root / ".vscode").mkdir(exist_ok=True)
    (root / ".vscode" / "settings.json").write_text(json.dumps({"testlens.testExplorer": "off"}))
    with window(browser, code.url(root)) as workbench:
        workbench.wait_for(workbench.status, lambda text: "%" in text, "a percentage in the status bar", 60)
        expect(workbench.page.locator('.activitybar a[aria-label^="Testing"]')).to_have_count(0)
        workbench.open_file(_FILE)
        told = workbench.wait_for(workbench.messages_behind_lines, bool, "the message of the failing test")
        assert told[0].startswith("✗ AssertionError: assert {"), told
