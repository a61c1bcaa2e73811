"""What a test explorer shows: the tests that are known, what came of them, and each run while it goes on."""

from __future__ import annotations

import importlib.util
import sys

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from lsp.conftest import OpenEditor
from lsp.editor import Editor
from lsp.explorer import explorer_of, run_told, runs_of, shown
from lsp.project import SHOP, Project, line_of

_WRONG = """\
import pytest

import shop


class TestWrong:
    @pytest.mark.parametrize("amount", [10, 20])
    def test_price(self, amount):
        assert shop.price(amount, True) == 9

    @pytest.mark.skip(reason="no time")
    def test_later(self):
        pass
"""
_FAILING = "test_wrong.py::TestWrong::test_price[20]"
_ALL = {
    "test_shop.py::test_guest_pays_all": "passed",
    "test_shop.py::test_member_pays_less": "passed",
    "test_shop.py::test_nothing_to_refund": "passed",
    "test_wrong.py::TestWrong::test_later": "skipped",
    "test_wrong.py::TestWrong::test_price[10]": "passed",
    _FAILING: "failed",
}


@pytest.fixture
def wrong(shop: Project) -> Project:
    """The shop with a class of tests of which one fails."""
    shop.write({"test_wrong.py": _WRONG})
    return shop


async def _run(project: Project, open_editor: OpenEditor, *tests: str) -> Editor:
    """An editor with an explorer in which the tests have run."""
    editor = await open_editor(project.root, explorer=True)
    await editor.ready(project.root)
    await editor.command("runTests", tests=list(tests))
    await run_told(editor)
    return editor


async def test_a_run_is_told_test_by_test_while_it_goes_on(wrong: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(wrong.root, explorer=True)
    await editor.ready(wrong.root)
    started = await editor.command("runTests", job="mine")
    assert (started["job"] if isinstance(started, dict) else started.job) == "mine"
    run = await run_told(editor)
    assert [*runs_of(editor)] == ["mine"]
    assert {test: report.outcome for test, report in run.reports.items()} == _ALL
    for test in _ALL:
        assert run.happened.index(("started", test)) < run.happened.index(("finished", test))
    assert all(report.seconds > 0 for test, report in run.reports.items() if _ALL[test] != "skipped")
    assert not run.continuous


async def test_a_failure_has_its_message_both_values_its_place_and_pytests_own_words(
    wrong: Project, open_editor: OpenEditor
) -> None:
    editor = await _run(wrong, open_editor)
    run = await run_told(editor)
    report = run.reports[_FAILING]
    assert report.message.startswith("assert 18.0 == 9")
    assert (report.expected, report.actual) == ("9", "18.0")
    place = (wrong.file("test_wrong.py").as_uri(), line_of(_WRONG, "assert shop.price") - 1)
    assert (report.uri, report.line) == place
    (details,) = run.details.values()
    assert ">       assert shop.price(amount, True) == 9" in details
    assert (run.reports["test_shop.py::test_guest_pays_all"].uri, report.expected) == (None, "9")


async def test_after_a_restart_all_is_shown_again_and_nothing_runs(wrong: Project, open_editor: OpenEditor) -> None:
    """Not even where the workspace is not trusted any more."""
    before = await run_told(await _run(wrong, open_editor))
    again = await open_editor(wrong.root, explorer=True, trusted=False)
    found = await shown(again, wrong.root, lambda explorer: len(explorer.reports) == len(_ALL))
    assert found.outcomes == _ALL
    assert found.reports[_FAILING] == before.reports[_FAILING]
    assert runs_of(again) == {}


async def test_tests_are_where_they_are_defined_now(wrong: Project, open_editor: OpenEditor) -> None:
    """Whether the file was saved a moment ago or while no editor was there."""
    editor = await _run(wrong, open_editor)
    found = await shown(editor, wrong.root, lambda explorer: _FAILING in explorer.places)
    place = found.places[_FAILING]
    assert place.uri == wrong.file("test_wrong.py").as_uri()
    assert place.lines == [line_of(_WRONG, "class TestWrong") - 1, line_of(_WRONG, "def test_price") - 1]
    uri = editor.open(wrong.file("test_wrong.py"))
    wrong.write({"test_wrong.py": "# one\n# two\n" + _WRONG})
    editor.client.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri)))
    again = await open_editor(wrong.root, explorer=True)
    moved = [line + 2 for line in place.lines]
    for asked in (editor, again):
        await shown(asked, wrong.root, lambda told: _FAILING in told.places and told.places[_FAILING].lines == moved)


async def test_an_inherited_test_is_at_its_class(shop: Project, open_editor: OpenEditor) -> None:
    shop.write(
        {
            "base.py": "class Base:\n    def test_inherited(self):\n        pass\n",
            "test_heir.py": "from base import Base\n\n\nclass TestHeir(Base):\n    pass\n",
        }
    )
    editor = await _run(shop, open_editor)
    test = "test_heir.py::TestHeir::test_inherited"
    found = await shown(editor, shop.root, lambda explorer: test in explorer.places)
    assert found.places[test].lines == [3, None]


async def test_tests_that_are_no_more_go_with_the_run_of_their_file(wrong: Project, open_editor: OpenEditor) -> None:
    editor = await _run(wrong, open_editor)
    await shown(editor, wrong.root, lambda explorer: len(explorer.places) == len(_ALL))
    wrong.write({"test_wrong.py": _WRONG.replace("[10, 20]", "[10]")})
    await editor.command("runTests", tests=["test_wrong.py"])
    found = await shown(editor, wrong.root, lambda explorer: _FAILING not in explorer.places)
    assert found.places.keys() == _ALL.keys() - {_FAILING}, "tests of other files stay, whatever else ran"


async def test_a_run_of_one_test_forgets_no_other(wrong: Project, open_editor: OpenEditor) -> None:
    editor = await _run(wrong, open_editor)
    await editor.status(wrong.root, lambda status: status.state == "ready")
    await editor.command("runTests", tests=[_FAILING], job="one")
    run = await run_told(editor, lambda run: len(run.reports) == 1)
    assert run.reports[_FAILING].outcome == "failed"
    again = await open_editor(wrong.root, explorer=True)
    assert (await shown(again, wrong.root, lambda explorer: len(explorer.reports) >= len(_ALL))).outcomes == _ALL


async def test_tests_of_a_file_that_is_gone_are_not_shown(wrong: Project, open_editor: OpenEditor) -> None:
    await _run(wrong, open_editor)
    wrong.file("test_wrong.py").unlink()
    again = await open_editor(wrong.root, explorer=True)
    found = await shown(again, wrong.root, lambda explorer: explorer.reports)
    assert found.outcomes == {test: outcome for test, outcome in _ALL.items() if test.startswith("test_shop.py")}


async def test_tests_can_be_found_without_running_them(wrong: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(wrong.root, explorer=True)
    await editor.ready(wrong.root)
    answer = await editor.request("testlens/findTests", folder=wrong.root.as_uri())
    assert (answer.found, answer.note) == (len(_ALL), "")
    found = await shown(editor, wrong.root, lambda explorer: explorer.places)
    assert found.outcomes == dict.fromkeys(_ALL, "")
    assert found.places[_FAILING].lines[-1] == line_of(_WRONG, "def test_price") - 1
    assert runs_of(editor) == {}
    assert (await editor.ready(wrong.root)).state == "noData"
    assert not wrong.file(".testlens/run.coverage").exists()


async def test_finding_tests_shows_new_ones_and_lets_go_of_those_that_are_no_more(
    wrong: Project, open_editor: OpenEditor
) -> None:
    editor = await _run(wrong, open_editor)
    await editor.status(wrong.root, lambda status: status.state == "ready")
    wrong.write({"test_wrong.py": _WRONG.replace("[10, 20]", "[10, 30]")})
    await editor.request("testlens/findTests", folder=wrong.root.as_uri())
    found = await shown(editor, wrong.root, lambda explorer: _FAILING not in explorer.places)
    new = "test_wrong.py::TestWrong::test_price[30]"
    assert found.places.keys() == _ALL.keys() - {_FAILING} | {new}
    await editor.command("runTests")
    run = await run_told(editor, lambda run: new in run.reports)
    assert run.reports.keys() == found.places.keys()


async def test_what_keeps_tests_from_being_found_is_said(wrong: Project, open_editor: OpenEditor) -> None:
    wrong.write({"test_broken.py": "import nowhere_to_be_found\n"})
    editor = await open_editor(wrong.root, explorer=True)
    await editor.ready(wrong.root)
    answer = await editor.request("testlens/findTests", folder=wrong.root.as_uri())
    assert "nowhere_to_be_found" in answer.note
    await editor.command("runTests")  # it may: nothing goes on any more


async def test_a_run_elsewhere_is_shown(wrong: Project, open_editor: OpenEditor) -> None:
    """By another editor here, or in a terminal."""
    editor = await open_editor(wrong.root, explorer=True)
    await editor.ready(wrong.root)
    await _run(wrong, open_editor)
    assert (await shown(editor, wrong.root, lambda explorer: len(explorer.reports) == len(_ALL))).outcomes == _ALL
    assert runs_of(editor) == {}


async def test_each_round_of_continuous_testing_is_a_run_with_the_tests_that_it_ran(
    wrong: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(wrong.root, explorer=True, continuous="onSave")
    first = await run_told(editor)
    assert first.continuous
    assert first.reports.keys() == _ALL.keys()
    wrong.file().write_text(SHOP.replace("return 0", "return 1"))
    second = await run_told(editor, lambda run: len(run.reports) < len(_ALL))
    # Those that failed before run each time.
    assert {test: report.outcome for test, report in second.reports.items()} == {
        "test_shop.py::test_nothing_to_refund": "failed",
        _FAILING: "failed",
    }
    found = await shown(editor, wrong.root, lambda explorer: explorer.places)
    assert found.reports == {}, "what a run has told is not told again"


async def test_a_run_that_is_cancelled_is_told_to_have_ended(wrong: Project, open_editor: OpenEditor) -> None:
    wrong.write({"test_z.py": "import time\n\ndef test_slow():\n    time.sleep(60)\n"})
    editor = await open_editor(wrong.root, explorer=True)
    await editor.ready(wrong.root)
    await editor.command("runTests")
    await editor.status(wrong.root, lambda status: status.done == len(_ALL))
    await editor.command("cancelRun")
    run = await run_told(editor)
    assert {test: report.outcome for test, report in run.reports.items()} == _ALL
    assert ("started", "test_z.py::test_slow") in run.happened


async def test_an_editor_without_an_explorer_is_told_nothing(wrong: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(wrong.root)
    await editor.ready(wrong.root)
    await editor.command("runTests")
    await editor.status(wrong.root, lambda status: status.state == "ready" and status.percent)
    assert (editor.said["testlens/tests"], editor.said["testlens/testRun"]) == ([], [])


async def test_nothing_is_found_or_debugged_in_a_workspace_that_is_not_trusted(
    wrong: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(wrong.root, explorer=True, trusted=False)
    await editor.ready(wrong.root)
    with pytest.raises(JsonRpcException, match="not trusted"):
        await editor.request("testlens/findTests", folder=wrong.root.as_uri())
    target = await editor.request("testlens/debugTarget", folder=wrong.root.as_uri())
    assert (target.python, "not trusted" in target.note) == (None, True)
    assert explorer_of(editor, wrong.root).places == {}


async def test_pytest_is_debugged_in_the_projects_interpreter_as_it_runs_there(
    wrong: Project, open_editor: OpenEditor
) -> None:
    """With the settings' arguments, and in one process."""
    editor = await open_editor(wrong.root, explorer=True, pytestArgs=["-q"])
    await editor.ready(wrong.root)
    target = await editor.request("testlens/debugTarget", folder=wrong.root.as_uri())
    assert (target.python, target.note) == (sys.executable, "")
    first, *others = target.args
    options = {"pytest_cov": "--no-cov", "xdist": "-n0"}
    installed = {option for module, option in options.items() if importlib.util.find_spec(module)}
    assert (first, set(others)) == ("-q", installed)
