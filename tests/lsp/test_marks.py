"""An open file shows what the tests ran, line by line, and never on a wrong line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from textwrap import dedent

import pytest
import pytest_asyncio

from lsp.conftest import OpenEditor
from lsp.editor import Editor, painted
from lsp.project import SHOP, Project, line_of


async def test_opening_a_file_paints_exactly_what_coverage_py_reports(
    measured: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root)
    marks = await editor.marks(editor.open(measured.file()))
    assert painted(marks) == measured.expected_marks()
    assert marks.percent == pytest.approx(measured.verdicts["files"]["shop.py"]["summary"]["percent_covered"])


async def test_marks_move_with_their_lines_when_lines_are_inserted_above(
    measured: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root)
    uri = editor.open(measured.file())
    before = painted(await editor.marks(uri))
    edited = "# one\n# two\n" + SHOP
    editor.type(uri, edited)
    after = painted(await editor.marks(uri))
    assert after == {line + 2: state for line, state in before.items()}


async def test_a_line_that_was_changed_turns_stale_and_its_neighbours_keep_their_marks(
    measured: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root)
    uri = editor.open(measured.file())
    before = painted(await editor.marks(uri))
    line = line_of(SHOP, "amount *= 0.9")
    editor.type(uri, SHOP.replace("amount *= 0.9", "amount *= 0.8"))
    after = painted(await editor.marks(uri, lambda marks: marks.stale))
    assert after == {**before, line: "stale"}


async def test_undoing_an_edit_brings_the_marks_back(measured: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(measured.root)
    uri = editor.open(measured.file())
    before = painted(await editor.marks(uri))
    editor.type(uri, SHOP.replace("amount *= 0.9", "amount *= 0.8"))
    await editor.marks(uri, lambda marks: marks.stale)
    editor.type(uri, SHOP)
    assert painted(await editor.marks(uri)) == before


async def test_a_gap_moves_with_its_text_and_goes_when_one_of_its_lines_changes(
    measured: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root)
    uri = editor.open(measured.file())
    handler = line_of(SHOP, "total = 0") - 1
    assert handler in (await editor.marks(uri)).gaps[::2]
    editor.type(uri, "#\n" + SHOP)
    assert handler + 1 in (await editor.marks(uri)).gaps[::2]
    editor.type(uri, SHOP.replace("total += line", "total += 2 * line"))
    assert handler not in (await editor.marks(uri)).gaps[::2]


BODY = dedent(
    """\
    def chosen(flag):
        if flag:
            return "yes"
        return "no"


    def never():
        value = 1
        return value
    """
)
AWKWARD = {
    "windows line ends": BODY.replace("\n", "\r\n").encode(),
    "old mac line ends": BODY.replace("\n", "\r").encode(),
    "byte order mark": b"\xef\xbb\xbf" + BODY.encode(),
    "tabs": BODY.replace("    ", "\t").encode(),
    "form feeds": BODY.replace("\n\n\n", "\n\f\n\n").encode(),
    "vertical tabs and odd separators": BODY.replace('"no"', '"n\x0b\x1c\u2028o"').encode(),
    "characters beyond the basic plane": BODY.replace('"no"', '"\U0001f600\U0001f600" + "no"').encode(),
    "latin-1": b"# -*- coding: latin-1 -*-\n# caf\xe9\n" + BODY.encode(),
    "no last line end": BODY.rstrip().encode(),
    "a line continued": BODY.replace('"no"', '(\n        "n" +\n        "o"\n    )').encode(),
}


@pytest.fixture(scope="module")
def odd_files(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One module for each unusual text, all measured together."""
    project = Project(tmp_path_factory.mktemp("odd"))
    names = [f"odd{number}" for number in range(len(AWKWARD))]
    project.write({f"{name}.py": content for name, content in zip(names, AWKWARD.values(), strict=True)})
    calls = "".join(f"    {name}.chosen(True)\n" for name in names)
    project.write({"test_odd.py": f"import {', '.join(names)}\n\ndef test_all():\n{calls}"})
    project.write({".coveragerc": "[run]\nbranch = true\n[report]\ninclude = odd*\n"})
    project.measure()
    return project


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def odd_editor(odd_files: Project) -> AsyncIterator[Editor]:
    """One server for all of them."""
    editor = await Editor.start(odd_files.root)
    yield editor
    await editor.stop()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("number", range(len(AWKWARD)), ids=AWKWARD.keys())
async def test_unusual_text_is_painted_on_the_right_lines_and_follows_edits(
    number: int, odd_files: Project, odd_editor: Editor
) -> None:
    path = odd_files.file(f"odd{number}.py")
    text = path.read_bytes().decode("latin-1" if b"latin-1" in path.read_bytes() else "utf-8-sig")
    uri = odd_editor.open(path, text)
    before = painted(await odd_editor.marks(uri))
    assert before == odd_files.expected_marks(path.name)
    end = "\r\n" if "\r\n" in text else "\r" if "\r" in text else "\n"
    odd_editor.type(uri, text.replace("def never", f"# new{end}def never"))
    new = line_of(text, "def never")
    after = painted(await odd_editor.marks(uri))
    assert after == {line + (line >= new): state for line, state in before.items()}


async def test_a_file_edited_since_it_was_measured_has_no_marks_and_says_why(
    measured: Project, open_editor: OpenEditor
) -> None:
    measured.write({"shop.py": SHOP.replace("0.9", "0.8")})
    editor = await open_editor(measured.root)
    marks = await editor.marks(editor.open(measured.file()), lambda marks: "edited" in (marks.note or ""))
    assert painted(marks) == {}


async def test_a_file_nobody_measured_has_no_marks_and_says_why(measured: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(measured.root)
    measured.write({"other.py": "x = 1\n"})
    await editor.ready(measured.root)
    marks = await editor.marks(editor.open(measured.file("other.py")), lambda marks: marks.note)
    assert painted(marks) == {}
    assert ".coverage" in marks.note


async def test_documents_that_are_no_python_file_of_the_folder_are_left_alone(
    measured: Project, open_editor: OpenEditor, tmp_path: Path
) -> None:
    editor = await open_editor(measured.root)
    outside = tmp_path / "outside.py"
    outside.write_text(SHOP)
    left_alone = [
        editor.open("untitled:Untitled-1", SHOP),
        editor.open(outside),
        editor.open(measured.file("notes.txt"), "x = 1\n", language="plaintext"),
    ]
    for uri in left_alone:
        editor.type(uri, "x = 2\n")
        assert await editor.hover(uri, 1) == ""
        assert await editor.lenses(uri) == {}
    await editor.marks(editor.open(measured.file()))
    assert {marks.uri for marks in editor.said["testlens/marks"]}.isdisjoint(left_alone)
    assert editor.client.messages == []
