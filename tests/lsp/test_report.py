"""The report in a panel of an editor, under the panel's own policy, and the way to the target."""

from __future__ import annotations

import json
import time

import pytest

from lsp.conftest import OpenEditor
from lsp.project import Project
from report_page import read_page

NONCE = "c29tZSBsZXR0ZXJzIG9mIGJhc2U2NA=="
DAY = 86_400


async def test_the_page_is_that_of_the_folder_and_runs_what_bears_the_nonce(
    measured: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root)
    await editor.ready(measured.root)
    answer = await editor.request("testlens/report", folder=measured.root.as_uri(), nonce=NONCE)
    page = read_page(answer.page)
    assert f"{measured.verdicts['totals']['percent_covered']:.1f}" in page.text
    assert "".join(page.files["shop.py"].lines) == measured.file().read_text(encoding="utf-8").replace("\n", "")
    (policy,) = [value for _, value in page.attributes if "default-src" in value]
    assert policy.startswith(f"default-src 'none'; script-src 'nonce-{NONCE}'; style-src 'nonce-{NONCE}'")
    assert [value for name, value in page.attributes if name == "nonce"] == [NONCE, NONCE]


@pytest.mark.parametrize("nonce", ["", "short", "x'; script-src *; y-abcdefgh", "abcdefghijklmnopq\n"])
async def test_a_nonce_that_says_more_than_a_nonce_gets_no_page(
    measured: Project, open_editor: OpenEditor, nonce: str
) -> None:
    editor = await open_editor(measured.root)
    await editor.ready(measured.root)
    answer = await editor.request("testlens/report", folder=measured.root.as_uri(), nonce=nonce)
    assert answer.page is None
    assert "base 64" in answer.note


async def test_without_coverage_the_note_says_what_to_do(shop: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(shop.root)
    await editor.status(shop.root, until=lambda status: status.state == "noData")
    answer = await editor.request("testlens/report", folder=shop.root.as_uri(), nonce=NONCE)
    assert answer.page is None
    assert "run the tests" in answer.note


async def test_status_and_plan_say_how_far_the_target_is_at_the_pace_of_the_runs(
    measured: Project, open_editor: OpenEditor
) -> None:
    percent = measured.verdicts["totals"]["percent_covered"]
    trend = measured.root / ".testlens" / "trend.jsonl"
    trend.parent.mkdir()
    trend.write_text(json.dumps({"time": time.time() - 10 * DAY, "percent": percent - 10}) + "\n")
    editor = await open_editor(measured.root, target=percent + 2)
    status = await editor.ready(measured.root)
    assert status.outlook.startswith(f"{percent:.1f} % -> {percent + 2:g} %: 1 function left, at this month's pace ")
    assert status.outlook.endswith(" 2 days.") or status.outlook.endswith(" 3 days.")
    assert (await editor.plan(measured.root)).outlook == status.outlook


async def test_a_run_in_the_editor_adds_to_the_trend(shop: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(shop.root)
    await editor.status(shop.root, until=lambda status: status.state == "noData")
    await editor.command("runTests")
    status = await editor.ready(shop.root)
    (line,) = (shop.root / ".testlens/trend.jsonl").read_text().splitlines()
    assert json.loads(line)["percent"] == pytest.approx(status.percent)
