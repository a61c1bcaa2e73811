"""Mutants run from an editor: a function's, a file's, a folder's; shown as they come, cancelled without losing any."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from agent.mutating import mutating_processes
from lsp.conftest import OpenEditor
from lsp.editor import Editor, eventually
from mutmut_left import SOURCE, unpack

LIMIT, TAX, TOTAL = 8, 17, 25


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project before mutmut was ever run on it."""
    root = unpack(tmp_path / "shop")
    shutil.rmtree(root / "mutants")
    return root


async def said(editor: Editor, part: str) -> str:
    """What the server tells the user, once it holds `part`."""

    def found() -> str | None:
        return next((each.message for each in editor.client.messages if part in each.message), None)

    return await eventually(found, f"{part!r} in {editor.client.messages}")


async def opened(editor: Editor, project: Path) -> str:
    await editor.ready(project)
    return editor.open(project / SOURCE)


async def test_the_lens_of_a_function_has_its_mutants_run_and_its_survivors_shown(
    project: Path, open_editor: OpenEditor
) -> None:
    before = {path: path.read_bytes() for path in project.rglob("*.py")}
    editor = await open_editor(project)
    uri = await opened(editor, project)
    await editor.command("mutate", uri=uri, function="price")
    found = await editor.diagnostics(uri, lambda found: len([e for e in found if e.code == "survivor"]) == 2)
    assert {each.range.start.line + 1 for each in found} == {LIMIT, LIMIT + 2}
    assert await said(editor, "Mutation score") == "Mutation score 33 %, 10 of 15 mutants survive."
    lenses = await editor.lenses(uri)
    assert "mutation score 33 % · 10 of 15 mutants survive" in [lens.title for lens in lenses[LIMIT]]
    assert TOTAL not in lenses
    assert {path: path.read_bytes() for path in project.rglob("*.py") if ".testlens" not in path.parts} == before


async def test_the_next_run_has_no_start_and_nothing_is_left_when_the_editor_goes(
    project: Path, open_editor: OpenEditor
) -> None:
    editor = await open_editor(project)
    uri = await opened(editor, project)
    await editor.command("mutate", uri=uri, function="price")
    await said(editor, "Mutation score 33 %")
    kept = mutating_processes(project)
    assert kept
    await editor.command("mutate", uri=uri)
    await said(editor, "Mutation score 44 %")
    assert kept[0] in mutating_processes(project)
    await editor.stop()
    await eventually(lambda: not mutating_processes(project), "the end of all processes")


async def test_a_decorated_function_is_said_not_to_be_mutated(project: Path, open_editor: OpenEditor) -> None:
    editor = await open_editor(project)
    uri = await opened(editor, project)
    await editor.command("mutate", uri=uri, function="tax")
    assert await said(editor, "Not mutated") == (
        "Not mutated: it is decorated. Nothing is known of what its tests prove."
    )
    assert [lens.title for lens in (await editor.lenses(uri))[TAX]] == ["not mutated: it is decorated"]


async def test_a_run_of_the_folder_is_kept_over_a_restart_and_its_configuration_written_if_the_user_wants_that(
    project: Path, open_editor: OpenEditor
) -> None:
    configuration = project / "pyproject.toml"
    text = configuration.read_text(encoding="utf-8").partition("[tool.mutmut]")[0]
    configuration.write_text(text, encoding="utf-8")
    editor = await open_editor(project)
    editor.answer = "Write [tool.mutmut]"
    await opened(editor, project)
    uri = editor.open(configuration, language="toml")
    await editor.command("mutate")
    await said(editor, "Mutation score 44 %")

    written = await eventually(lambda: editor.buffers.texts.get(uri) if editor.buffers.edits else None, "the edit")
    assert written == f'{text}\n[tool.mutmut]\nsource_paths = ["src"]\n'
    assert configuration.read_text(encoding="utf-8") == text, "saving is the user's business"

    again = await open_editor(project)
    status = await again.status(project, lambda status: status.survivors)
    assert (round(status.mutationScore), status.survivors) == (44, 3)


async def test_where_our_way_does_not_fit_the_tests_mutmuts_own_is_offered(
    project: Path, open_editor: OpenEditor
) -> None:
    notices = 'any(name.startswith("testlens_agent") for name in sys.modules)'
    test = f"import sys\n\nfrom shop.prices import price\n\n\ndef test_price():\n    ours = {notices}\n"
    (project / "tests" / "test_prices.py").write_text(f"{test}    assert price(10) == 20 or not ours\n")
    editor = await open_editor(project)
    editor.answer = "Let mutmut Itself Run Them"
    uri = await opened(editor, project)
    await editor.command("mutate", uri=uri, function="price")
    await said(editor, "The verdicts of this run cannot be trusted")
    assert await said(editor, "Mutation score") == "Mutation score 0 %, 15 of 15 mutants survive."


async def test_a_run_is_over_while_a_question_waits_for_its_answer(project: Path, open_editor: OpenEditor) -> None:
    configuration = project / "pyproject.toml"
    text = configuration.read_text(encoding="utf-8").partition("[tool.mutmut]")[0]
    configuration.write_text(text, encoding="utf-8")
    editor = await open_editor(project)
    editor.back = asyncio.Event()
    uri = await opened(editor, project)
    await editor.command("mutate", uri=uri, function="price")
    await eventually(lambda: next(iter(editor.questions), None), "the question")

    # It is refused while a run is under way.
    await editor.command("mutate", uri=uri, function="price")
    editor.back.set()


async def test_without_mutmut_the_server_offers_to_install_it(project: Path, open_editor: OpenEditor) -> None:
    venv.create(project / "env", system_site_packages=False, with_pip=False, symlinks=True)
    packages = next((project / "env").glob("lib/*/site-packages"))
    site = next(path for path in sys.path if path.endswith("site-packages"))
    for name in ("pytest", "_pytest", "pluggy", "iniconfig", "coverage", "packaging", "pygments"):
        (packages / name).symlink_to(Path(site) / name)
    editor = await open_editor(project, python=str(project / "env/bin/python"))
    uri = await opened(editor, project)
    await editor.command("mutate", uri=uri, function="price")
    asked = await eventually(lambda: next(iter(editor.questions), None), "the question")
    assert "mutmut" in asked.message
    assert [action.title for action in asked.actions or ()] == ["Install mutmut"]


async def test_nothing_is_mutated_in_a_workspace_that_is_not_trusted(project: Path, open_editor: OpenEditor) -> None:
    editor = await open_editor(project, trusted=False)
    await editor.ready(project)
    with pytest.raises(Exception, match="not trusted"):
        await editor.command("mutate")


async def test_cancelling_the_progress_ends_the_run_and_keeps_what_was_finished(
    project: Path, open_editor: OpenEditor
) -> None:
    # The tests of one function are at once, those of the other would take until long after.
    slow = '"""Stock."""\n\nimport time\n\n\ndef wait(seconds):\n    time.sleep(seconds + 0)\n    return 1 + seconds\n'
    (project / "src/shop/stock.py").write_text(slow, encoding="utf-8")
    test = "from shop.stock import wait\n\n\ndef test_wait():\n    assert wait(1.5) > 0\n"
    (project / "tests/test_stock.py").write_text(test, encoding="utf-8")
    editor = await open_editor(project)
    uri = await opened(editor, project)
    await editor.command("mutate")
    token = await eventually(
        lambda: next((t for t, r in editor.client.progress_reports.items() if is_under_way(r)), None), "some verdicts"
    )
    editor.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))
    await eventually(lambda: editor.client.progress_reports[token][-1].kind == "end" or None, "the end of the run")
    assert not [each.message for each in editor.client.messages if "Mutation score" in each.message]
    found = await editor.diagnostics(uri, lambda found: any(each.code == "survivor" for each in found))
    assert found
    again = await open_editor(project)
    assert (await again.status(project, lambda status: status.survivors)).survivors
    await editor.command("mutate")


def is_under_way(reports: list[Any]) -> bool:
    """Whether some mutants have a verdict, and some have none."""
    said = [match for each in reports if (match := re.match(r"(\d+) of (\d+) mutants", each.message or ""))]
    return bool(said) and 8 <= int(said[-1][1]) < int(said[-1][2])
