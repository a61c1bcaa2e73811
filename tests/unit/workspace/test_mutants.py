"""What a folder knows of mutants: taken over, kept, followed through edits, and never shown on the wrong line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from testlens.domain.changed_text import text_in
from testlens.domain.mutants import FileMutants, Mutant, MutantStatus, MutationResults, Span
from testlens.workspace.examined import digest
from testlens.workspace.settings import Overrides
from testlens.workspace.views import MutantView, look_at_mutants
from testlens.workspace.workspace import Workspace

CODE = """\
import logging

log = logging.getLogger(__name__)


def price(amount, limit):
    log.info("price of %s", amount)
    if amount > limit:
        return "ärger" + str(amount)
    return amount


def cached(function):
    return function


@cached
def total(numbers):
    return sum(numbers)
"""


def mutant(
    number: int, line: int, original: str, replacement: str, status: MutantStatus = "survived", text: str = CODE
) -> Mutant:
    column = text.split("\n")[line - 1].index(original)
    span = Span(line, column, line, column + len(original))
    name = f"shop.x_price__mutmut_{number}"
    return Mutant(name, "shop.py", "price", "d", span, original, replacement, status, ("t.py::a", "t.py::b"))


def results(*mutants: Mutant, text: str = CODE) -> MutationResults:
    file = FileMutants("shop.py", digest(text), mutants, {"total": "it is decorated"})
    return MutationResults({"shop.py": file}, "a test")


SURVIVOR = mutant(1, 8, "amount > limit", "amount >= limit")
ALL = (
    SURVIVOR,
    mutant(2, 8, "limit", "None"),
    mutant(3, 7, '"price of %s"', "None"),
    mutant(4, 9, "+", "-", "killed"),
)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "shop.py").write_text(CODE, encoding="utf-8")
    with closing(Workspace(tmp_path)) as opened:
        opened.refresh()
        yield opened


def view(workspace: Workspace, text: str) -> MutantView:
    return look_at_mutants(workspace, workspace.snapshot.survivors["shop.py"], text)


def test_survivors_join_the_plan_even_where_nothing_was_measured(workspace: Workspace) -> None:
    snapshot = workspace.take_mutants(results(*ALL))
    (planned,) = workspace.plan().gaps
    assert (planned.gap.region.kind, planned.gap.region.function, planned.gap.region.first) == ("survivor", "price", 8)
    assert planned.gap.title == "`>` changed to `>=`: 2 tests ran it, none failed"
    assert planned.gap.survivor is not None
    assert "+    if amount >= limit:" in planned.gap.survivor.diff
    assert snapshot.survivors["shop.py"].hidden == {"logging": 1, "another survivor of the same line is shown": 1}
    assert snapshot.mutants.score == pytest.approx(25.0)


def test_all_survivors_are_gaps_where_the_user_wants_that(workspace: Workspace) -> None:
    workspace.configure(Overrides(mutants_show="all"))
    workspace.take_mutants(results(*ALL))
    assert len(workspace.plan().gaps) == 3


def test_a_function_that_was_not_mutated_has_no_score(workspace: Workspace) -> None:
    workspace.take_mutants(results(*ALL))
    price, total = view(workspace, CODE).functions
    assert (price.proof.name, price.line, price.proof.score, price.proof.survived) == ("price", 6, 25.0, 3)
    assert (total.proof.name, total.line, total.proof.score) == ("total", 18, None)
    assert total.proof.not_mutated == "it is decorated"


def test_what_is_known_outlives_a_restart(workspace: Workspace, tmp_path: Path) -> None:
    before = workspace.take_mutants(results(*ALL))
    with closing(Workspace(tmp_path)) as again:
        assert again.refresh().mutants.files == before.mutants.files
        assert again.snapshot.survivors == before.survivors
        assert again.snapshot.mutants.source == "Testlens' own run"


def test_a_refresh_keeps_what_is_known_of_mutants(workspace: Workspace) -> None:
    workspace.take_mutants(results(*ALL))
    assert workspace.refresh().survivors["shop.py"].gaps


def test_a_survivor_follows_its_line_to_the_exact_expression(workspace: Workspace) -> None:
    workspace.take_mutants(results(*ALL))
    edited = "# a comment\n" + CODE.replace('    log.info("price of %s", amount)\n', "")
    (placed,) = view(workspace, edited).survivors
    assert placed.span is not None
    assert (placed.first, text_in(edited, placed.span)) == (8, "amount > limit")


@pytest.mark.parametrize(
    "edited",
    [CODE.replace("amount > limit", "amount > 2 * limit"), CODE.replace("    if amount > limit:\n", ""), ""],
)
def test_a_survivor_whose_line_was_edited_is_shown_nowhere(workspace: Workspace, edited: str) -> None:
    workspace.take_mutants(results(*ALL))
    assert view(workspace, edited).survivors == ()


def test_results_for_a_text_that_nobody_knows_are_not_taken(workspace: Workspace) -> None:
    snapshot = workspace.take_mutants(results(*ALL, text=f"{CODE}\n# another\n"))
    assert not snapshot.survivors


def test_a_new_run_of_the_function_takes_its_survivors_away(workspace: Workspace) -> None:
    workspace.take_mutants(results(*ALL))
    snapshot = workspace.take_mutants(results(mutant(1, 8, "amount > limit", "amount >= limit", "killed")))
    assert snapshot.survivors["shop.py"].gaps == ()
    assert snapshot.mutants.score == 100.0
