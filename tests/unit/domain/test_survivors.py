"""Survivors: how a change is put into words, which are shown, and what they weigh beside other gaps."""

from __future__ import annotations

import pytest

from testlens.domain.changed_text import change_in_words, diff_of, mutated_text, text_in
from testlens.domain.coverage import Numbers
from testlens.domain.gaps import Region
from testlens.domain.history import Change
from testlens.domain.mutants import FileMutants, Mutant, MutantStatus, Span, merged
from testlens.domain.outline import Function
from testlens.domain.plan import make_plan
from testlens.domain.risk import Evidence, Risk, assess
from testlens.domain.snapshot import Gap
from testlens.domain.survivors import NOT_COVERED, SAME_LINE, Judged, Survivor, choose, proofs

TEXT = "def f(a):\n    x = 1\n    if a > 2:\n        return 3\n    return x\n"


def mutant(
    line: int = 3, column: int = 7, original: str = "a > 2", status: MutantStatus = "survived", function: str = "f"
) -> Mutant:
    span = Span(line, column, line, column + len(original))
    return Mutant("m.x_f__mutmut_1", "m.py", function, "d", span, original, "a >= 2", status, ("t::a", "t::b", "t::c"))


@pytest.mark.parametrize(
    ("original", "replacement", "words"),
    [
        ("a > b", "a >= b", "`>` changed to `>=`"),
        ("f(a, b)", "f(a, None)", "`b` changed to `None`"),
        ("f(a, b)", "f(a, )", "`b` removed"),
        ("not x", "x", "`not` removed"),
        ('"x"', '"XXxXX"', '`"x"` changed to `"XXxXX"`'),
        ("x = f(1)", "x = None", "`f(1)` changed to `None`"),
        ("a and b", "a or b", "`and` changed to `or`"),
        ("x", "", "`x` removed"),
    ],
)
def test_a_change_is_named_by_what_differs(original: str, replacement: str, words: str) -> None:
    assert change_in_words(original, replacement) == words


def test_a_survivor_says_how_many_tests_ran_it() -> None:
    assert Survivor(mutant(), "").title == "`>` changed to `>=`: 3 tests ran it, none failed"


def test_the_diff_of_a_mutant_is_one_that_patch_would_take() -> None:
    span = mutant().span
    assert diff_of("m.py", TEXT, span, "a >= 2").split("\n") == [
        "--- m.py",
        "+++ m.py",
        "@@ -1,5 +1,5 @@",
        " def f(a):",
        "     x = 1",
        "-    if a > 2:",
        "+    if a >= 2:",
        "         return 3",
        "     return x",
    ]
    assert text_in(TEXT, span) == "a > 2"
    assert mutated_text(TEXT, span, "a >= 2") == TEXT.replace("a > 2", "a >= 2")


def test_calm_shows_one_survivor_a_line_and_counts_the_others() -> None:
    judged = [
        Judged(mutant(3), looks_equivalent=True),
        Judged(mutant(3, 11, "2")),
        Judged(mutant(4), arid="logging"),
        Judged(mutant(5), is_covered=False),
    ]
    calm = choose(judged, "calm")
    assert [one.mutant.span.first_column for one in calm.shown] == [11]
    assert calm.hidden == {"logging": 1, NOT_COVERED: 1, SAME_LINE: 1}
    everything = choose(judged, "all")
    assert len(everything.shown) == 4
    assert everything.hidden == {}


def test_a_function_without_mutants_is_not_called_proved() -> None:
    statuses: list[MutantStatus] = ["killed", "survived", "timeout", "skipped"]
    file = FileMutants("m.py", "d", tuple(mutant(status=s) for s in statuses), {"g": "it is decorated"})
    f, g = proofs(file, [Function("f", 1, 1, 5, 2), Function("g", 9, 9, 10, 1), Function("never seen", 20, 20, 21, 1)])
    assert (f.name, f.checked, f.survived, round(f.score or 0, 1), f.not_mutated) == ("f", 3, 1, 66.7, None)
    assert (g.name, g.score, g.not_mutated) == ("g", None, "it is decorated")


def test_new_results_of_a_function_stand_in_the_place_of_its_old_ones_alone() -> None:
    old = FileMutants("m.py", "d", (mutant(3), mutant(9, function="g")), {"h": "it is decorated"})
    new = FileMutants("m.py", "d", (mutant(3, status="killed"),))
    both = merged(old, new)
    assert [(m.function, m.status) for m in both.mutants] == [("f", "killed"), ("g", "survived")]
    assert both.not_mutated == {"h": "it is decorated"}
    assert merged(old, FileMutants("m.py", "another text", ())).mutants == ()


def survivor_gap(score: float) -> Gap:
    region = Region("survivor", "f", 1, 3, 3, (), (), "")
    return Gap("m.py", region, Risk(score, {}), Survivor(mutant(), ""))


def test_a_survivor_has_its_place_in_the_plan_and_buys_no_coverage() -> None:
    made = make_plan((), Numbers(10, 2), 90, [survivor_gap(50.0)])
    assert [(planned.gap.region.kind, planned.gain, planned.cumulative) for planned in made.gaps] == [
        ("survivor", 0.0, 80.0)
    ]
    assert made.shortest is None
    assert make_plan((), Numbers(10, 1), 90, [survivor_gap(50.0)]).shortest == ()


def test_a_covered_function_full_of_survivors_outranks_a_trivial_one_that_nothing_runs() -> None:
    for change in (None, Change(30, 0.5, 2, 6), Change(900, 0.0, 1, 1)):
        trivial = assess(Evidence("uncovered", 1, 1.0, frozenset(), change))
        full = assess(Evidence("survivor", 6, 0.8, frozenset(), change))
        assert full.score > trivial.score


def test_survivors_that_look_equivalent_come_last() -> None:
    plain = Evidence("survivor", 2, 0.1, frozenset(), Change(900, 0.0, 1, 1))
    equivalent = Evidence("survivor", 40, 1.0, frozenset({"critical"}), Change(900, 0.0, 1, 1), looks_equivalent=True)
    assert assess(equivalent).score < assess(plain).score
    assert assess(equivalent).score == pytest.approx(sum(assess(equivalent).factors.values()))
