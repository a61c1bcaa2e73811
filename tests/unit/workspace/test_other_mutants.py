"""Results that someone else made: what `mutmut run` left, whatever its state, and reports of other engines."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from mutmut_left import META, SOURCE, VERSIONS, unpack
from testlens.domain.changed_text import mutated_text, text_in
from testlens.domain.mutants import FileMutants, MutationResults
from testlens.domain.snapshot import Snapshot
from testlens.report.mutation_html import render_mutation_html, render_mutation_json
from testlens.workspace.views import look_at_mutants
from testlens.workspace.watcher import Change, Watcher
from testlens.workspace.workspace import Workspace

SCHEMA = Path(__file__).resolve().parents[2] / "mutation-testing-report-schema.json"


@pytest.fixture(params=VERSIONS)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return unpack(tmp_path, request.param)


@pytest.fixture
def newest(tmp_path: Path) -> Path:
    return unpack(tmp_path)


def refreshed(root: Path) -> Snapshot:
    with closing(Workspace(root)) as workspace:
        return workspace.refresh()


def mutants(snapshot: Snapshot) -> FileMutants:
    return snapshot.mutants.files[SOURCE]


def verdicts(root: Path) -> dict[str, int | None]:
    codes: dict[str, int | None] = json.loads((root / META).read_text(encoding="utf-8"))["exit_code_by_key"]
    return codes


def edit_verdicts(root: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    meta = json.loads((root / META).read_text(encoding="utf-8"))
    edit(meta)
    (root / META).write_text(json.dumps(meta), encoding="utf-8")


def test_every_verdict_of_mutmut_is_read(project: Path) -> None:
    words = {0: "survived", 1: "killed", 33: "no tests"}
    found = {mutant.name: mutant.status for mutant in mutants(refreshed(project)).mutants}
    assert found == {name: words[code or 0] for name, code in verdicts(project).items()}


def test_every_mutant_is_at_the_place_where_replacing_gives_mutmuts_own_function(project: Path) -> None:
    text = (project / SOURCE).read_text(encoding="utf-8")
    theirs = {
        node.name: ast.dump(ast.Module(node.body, []))
        for node in ast.walk(ast.parse((project / "mutants" / SOURCE).read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    for mutant in mutants(refreshed(project)).mutants:
        assert text_in(text, mutant.span) == mutant.original
        tree = ast.parse(mutated_text(text, mutant.span, mutant.replacement))
        bodies = {ast.dump(ast.Module(n.body, [])) for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
        assert theirs[mutant.name.rpartition(".")[2]] in bodies


def test_the_tests_that_ran_a_function_are_named(project: Path) -> None:
    price = next(mutant for mutant in mutants(refreshed(project)).mutants if mutant.function == "price")
    assert price.tests == ("tests/test_prices.py::test_basket", "tests/test_prices.py::test_price")


def test_what_mutmut_passes_over_is_not_mutated_and_never_proved(project: Path) -> None:
    snapshot = refreshed(project)
    assert mutants(snapshot).not_mutated["tax"] == "it is decorated"
    proof = {proof.name: proof for proof in snapshot.survivors[SOURCE].functions}["tax"]
    assert (proof.score, proof.not_mutated) == (None, "it is decorated")


def test_half_written_verdicts_leave_what_was_read_before_and_are_read_when_they_are_whole(newest: Path) -> None:
    with closing(Workspace(newest)) as workspace:
        before = workspace.refresh()
        whole = (newest / META).read_text(encoding="utf-8")
        (newest / META).write_text(whole[: len(whole) // 2], encoding="utf-8")
        during = workspace.read_mutants()
        assert during.mutants == before.mutants
        assert [problem.path for problem in during.problems if problem.path] == [META]
        (newest / META).write_text(whole, encoding="utf-8")
        assert not [problem for problem in workspace.read_mutants().problems if problem.path]


@pytest.mark.parametrize("content", ["", "[]", "null", '{"exit_code_by_key": 3}', "{" * 10_000, '{"a": 1'])
def test_damaged_verdicts_are_a_problem_and_nothing_more(newest: Path, content: str) -> None:
    (newest / META).write_text(content, encoding="utf-8")
    snapshot = refreshed(newest)
    assert SOURCE not in snapshot.mutants.files
    assert META in [problem.path for problem in snapshot.problems]


def test_verdicts_of_odd_kinds_are_suspicious_or_unknown(newest: Path) -> None:
    names = list(verdicts(newest))[:6]
    odd = dict(zip(names, [77, -11, None, 2, 36, "what"], strict=True))
    edit_verdicts(newest, lambda meta: meta["exit_code_by_key"].update(odd))
    found = {mutant.name: mutant.status for mutant in mutants(refreshed(newest)).mutants}
    assert [found.get(name) for name in names] == [
        *("suspicious", "suspicious", "not checked", "not checked", "timeout", None)
    ]


def test_orphans_and_renamed_files_are_passed_over(newest: Path) -> None:
    (newest / SOURCE).rename(newest / "src/shop/costs.py")
    snapshot = refreshed(newest)
    assert SOURCE not in snapshot.mutants.files
    assert not snapshot.survivors.get(SOURCE)


def test_a_source_outside_of_the_folder_is_never_read(newest: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "prices.py"
    (newest / SOURCE).rename(outside)
    (newest / SOURCE).symlink_to(outside)
    assert SOURCE not in refreshed(newest).mutants.files


def test_survivors_of_an_edited_function_are_out_of_date_and_those_of_others_follow_their_lines(newest: Path) -> None:
    text = (newest / SOURCE).read_text(encoding="utf-8")
    edited = "# one\n# two\n" + text.replace("amount > limit", "amount > limit + 1")
    (newest / SOURCE).write_text(edited, encoding="utf-8")
    with closing(Workspace(newest)) as workspace:
        snapshot = workspace.refresh()
        shown = look_at_mutants(workspace, snapshot.survivors[SOURCE], edited).survivors
    assert {gap.gap.region.function for gap in shown} == {"Basket.total"}
    for gap in shown:
        assert gap.span is not None
        assert gap.gap.survivor is not None
        assert text_in(edited, gap.span) == gap.gap.survivor.mutant.original
    assert any("price in src/shop/prices.py" in problem.message for problem in snapshot.problems)


def test_mutants_without_their_text_are_a_problem(newest: Path) -> None:
    (newest / "mutants" / SOURCE).write_text("def broken(:\n", encoding="utf-8")
    (newest / "mutants" / f"{SOURCE}.spans").unlink()
    assert f"mutants/{SOURCE}" in [problem.path for problem in refreshed(newest).problems]


def test_an_index_of_other_lines_is_not_believed(newest: Path) -> None:
    good = mutants(refreshed(newest)).mutants
    file = newest / "mutants" / f"{SOURCE}.spans"
    index = json.loads(file.read_text(encoding="utf-8"))
    index["spans"] = {name: [first + 3, last + 3] for name, (first, last) in index["spans"].items()}
    file.write_text(json.dumps(index), encoding="utf-8")
    os.utime(newest / "mutants" / SOURCE)
    assert mutants(refreshed(newest)).mutants == good


def test_new_verdicts_are_noticed_while_mutmut_runs(newest: Path) -> None:
    told: list[Change] = []
    noticed = threading.Event()

    def on_change(change: Change) -> None:
        told.append(change)
        noticed.set()

    with closing(Workspace(newest)) as workspace:
        workspace.refresh()
        watcher = Watcher(workspace, on_change)
        watcher.start()
        try:
            edit_verdicts(newest, lambda meta: meta["exit_code_by_key"].update(dict.fromkeys(verdicts(newest), 1)))
            assert noticed.wait(5)
        finally:
            watcher.stop()
        assert told == ["mutants"]
        assert workspace.read_mutants().survivors[SOURCE].gaps == ()


@pytest.fixture
def report(newest: Path) -> Iterator[dict[str, Any]]:
    with closing(Workspace(newest)) as workspace:
        workspace.refresh()
        yield json.loads(render_mutation_json(workspace.mutated_files.values()))


def test_the_report_is_one_after_the_published_schema(report: dict[str, Any]) -> None:
    fastjsonschema.compile(json.loads(SCHEMA.read_text(encoding="utf-8")))(report)
    assert len(report["files"][SOURCE]["mutants"]) == 25


def test_a_report_of_another_engine_says_what_it_was_made_from(newest: Path, report: dict[str, Any]) -> None:
    before = mutants(refreshed(newest))
    (newest / META).unlink()
    (newest / "mutation-report.json").write_text(json.dumps(report), encoding="utf-8")
    after = refreshed(newest)
    assert after.mutants.source == "mutation-report.json"
    both = [
        [(m.name, m.function, m.span, m.original, m.replacement, m.status, len(m.tests)) for m in file.mutants]
        for file in (before, mutants(after))
    ]
    assert both[0] == both[1]


@pytest.mark.parametrize(
    "damage",
    [
        lambda report: report.pop("files"),
        lambda report: report.pop("schemaVersion"),
        lambda report: report["files"].update({SOURCE: {"mutants": "none"}}),
        lambda report: [m.update(location={"start": {"line": 900}}) for m in report["files"][SOURCE]["mutants"]],
        lambda report: [m.update(status="Undead") for m in report["files"][SOURCE]["mutants"]],
        lambda report: report["files"].update({"../elsewhere.py": report["files"].pop(SOURCE)}),
    ],
)
def test_a_damaged_report_shows_nothing_wrong(
    newest: Path, report: dict[str, Any], damage: Callable[[dict[str, Any]], object]
) -> None:
    damage(report)
    (newest / META).unlink()
    (newest / "mutation-report.json").write_text(json.dumps(report), encoding="utf-8")
    assert not [gap for file in refreshed(newest).survivors.values() for gap in file.gaps]


def test_the_page_is_one_file_that_asks_no_other_host(newest: Path) -> None:
    (newest / SOURCE).write_text(
        (newest / SOURCE).read_text(encoding="utf-8") + '\nEND = "</script><script>alert(1)</script>"\n',
        encoding="utf-8",
    )
    with closing(Workspace(newest)) as workspace:
        workspace.refresh()
        page = render_mutation_html("<shop>", workspace.mutated_files.values())
    assert "default-src 'none'" in page
    assert page.count("</script>") == 2
    assert "&lt;shop&gt;" in page


def test_a_function_that_testlens_ran_again_leaves_what_mutmut_said_of_the_others(newest: Path) -> None:
    with closing(Workspace(newest)) as workspace:
        theirs = mutants(workspace.refresh())
        price = tuple(replace(m, status="killed") for m in theirs.mutants if m.function == "price")
        own = FileMutants(theirs.path, theirs.text_digest, price)
        snapshot = workspace.take_mutants(MutationResults({SOURCE: own}, "a test"))
    assert len(mutants(snapshot).mutants) == len(theirs.mutants)
    assert {gap.region.function for gap in snapshot.survivors[SOURCE].gaps} == {"Basket.total"}
    assert snapshot.mutants.source == "mutants/ and Testlens' own run"


def test_a_run_of_mutmut_is_followed_from_its_beginning(newest: Path) -> None:
    shutil.rmtree(newest / "mutants")
    told: list[float] = []
    with closing(Workspace(newest)) as workspace:
        workspace.refresh()
        watcher = Watcher(workspace, lambda _change: told.append(time.time()))
        watcher.start()
        try:
            command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1"]
            done = subprocess.run(command, cwd=newest, capture_output=True, text=True, check=False, timeout=120)
            assert done.returncode == 0, done.stdout + done.stderr
            written, until = (newest / META).stat().st_mtime, time.monotonic() + 10
            while not told or told[-1] < written:
                assert time.monotonic() < until, "nobody was told of the last verdict"
                time.sleep(0.05)
            assert len(list(workspace.read_mutants().survivor_gaps)) == 3
        finally:
            watcher.stop()
        assert workspace.snapshot.mutants.score == pytest.approx(44.0)
