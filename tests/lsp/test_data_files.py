"""Coverage data that appears, changes, breaks or goes is followed without anybody asking."""

from __future__ import annotations

import pytest

from lsp.conftest import OpenEditor
from lsp.editor import eventually, lines_of, painted
from lsp.project import SHOP, Project


def fresh_name(project: Project, name: str, temporary: str = "elsewhere") -> None:
    """Let a file appear whole, as one that is renamed into place does."""
    project.file(temporary).replace(project.file(name))


async def test_a_data_file_that_appears_paints_the_open_file(measured: Project, open_editor: OpenEditor) -> None:
    measured.file(".coverage").rename(measured.file("elsewhere"))
    editor = await open_editor(measured.root)
    uri = editor.open(measured.file())
    assert (await editor.ready(measured.root)).state == "noData"
    fresh_name(measured, ".coverage")
    marks = await editor.marks(uri)
    assert painted(marks) == measured.expected_marks()
    assert (await editor.status(measured.root, lambda status: status.state == "ready")).source == ".coverage"


async def test_a_later_measurement_replaces_the_marks(measured: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(measured.root)
    uri = editor.open(measured.file())
    before = await editor.marks(uri)
    await editor.ready(measured.root)
    measured.write({"test_more.py": "import shop\n\ndef test_refund():\n    assert shop.refund([1]) == 1\n"})
    measured.measure()
    after = await editor.marks(uri, lambda marks: marks.percent > before.percent)
    assert painted(after) == measured.expected_marks()


async def test_each_data_file_is_left_byte_for_byte_as_it_was(measured: Project, open_editor: OpenEditor) -> None:
    data = measured.file(".coverage")
    before, time = data.read_bytes(), data.stat().st_mtime_ns
    editor = await open_editor(measured.root)
    await editor.marks(editor.open(measured.file()))
    await editor.ready(measured.root)
    assert (data.read_bytes(), data.stat().st_mtime_ns) == (before, time)


@pytest.mark.parametrize(
    ("report", "file"), [("json", "coverage.json"), ("xml", "coverage.xml"), ("lcov", "lcov.info")]
)
async def test_a_report_that_another_tool_left_is_shown_without_the_data_file(
    report: str, file: str, measured: Project, open_editor: OpenEditor
) -> None:
    missing = set(measured.verdicts["files"]["shop.py"]["missing_lines"])
    measured.coverage(report, "-o", file)
    measured.file(".coverage").unlink()
    editor = await open_editor(measured.root)
    marks = await editor.marks(editor.open(measured.file()))
    assert lines_of(marks.uncovered) == missing
    assert (await editor.ready(measured.root)).source == file


async def test_a_data_file_that_breaks_takes_its_marks_away_and_is_reported_once(
    measured: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root)
    uri = editor.open(measured.file())
    await editor.marks(uri)
    await editor.ready(measured.root)
    measured.write({"elsewhere": b"this is no database" * 100})
    fresh_name(measured, ".coverage")
    assert painted(await editor.marks(uri, lambda marks: not marks.covered)) == {}
    said = await eventually(lambda: [m for m in _all_messages(editor) if ".coverage" in m] or None, "a word about it")
    await editor.command("refresh")
    await editor.ready(measured.root)
    assert [m for m in _all_messages(editor) if ".coverage" in m] == said
    assert len(said) == 1


async def test_data_that_is_deleted_takes_its_marks_away(measured: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(measured.root)
    uri = editor.open(measured.file())
    await editor.marks(uri)
    await editor.ready(measured.root)
    measured.file(".coverage").unlink()
    marks = await editor.marks(uri, lambda marks: not marks.covered)
    assert marks.note == "no coverage data"


async def test_a_data_file_in_a_folder_that_is_made_later_is_found(measured: Project, open_editor: OpenEditor) -> None:
    measured.coverage("xml", "-o", "elsewhere")
    measured.file(".coverage").unlink()
    editor = await open_editor(measured.root)
    uri = editor.open(measured.file())
    await editor.ready(measured.root)
    measured.file("reports").mkdir()
    fresh_name(measured, "reports/coverage.xml")
    assert (await editor.marks(uri)).uncovered


async def test_a_change_of_the_configuration_takes_effect_at_once(measured: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(measured.root)
    assert (await editor.ready(measured.root)).target == 85
    measured.write({"pyproject.toml": "[tool.testlens]\ntarget = 70\n"})
    await editor.status(measured.root, lambda status: status.target == 70)


async def test_a_mistake_in_the_configuration_is_shown_on_its_line(measured: Project, open_editor: OpenEditor) -> None:
    measured.write({"pyproject.toml": "[project]\nname = 'x'\n[tool.testlens]\ntarget = 'high'\n"})
    editor = await open_editor(measured.root)
    (found,) = await editor.diagnostics(measured.file("pyproject.toml").as_uri())
    assert found.range.start.line == 3
    assert "target" in found.message


async def test_a_file_is_judged_again_by_data_older_than_its_last_edit_only_if_nothing_changed(
    measured: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root)
    uri = editor.open(measured.file())
    before = painted(await editor.marks(uri))
    await editor.ready(measured.root)
    # Saved with other text: known from the server's memory, so unchanged lines keep their marks.
    measured.write({"shop.py": "# new\n" + SHOP})
    editor.type(uri, "# new\n" + SHOP)
    await editor.command("refresh")
    after = painted(await editor.marks(uri))
    assert after == {line + 1: state for line, state in before.items()}


def _all_messages(editor: object) -> list[str]:
    client = editor.client  # type: ignore[attr-defined]
    return [message.message for message in (*client.messages, *client.log_messages)]
