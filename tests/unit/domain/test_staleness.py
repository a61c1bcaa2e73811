"""Marks follow the text, and never lie on a line that says something else."""

from __future__ import annotations

import random
from collections.abc import Set

import pytest

from testlens.domain.coverage import FileCoverage
from testlens.domain.staleness import UNCHANGED, anchor, place

OLD = "a\nb\nc\nd\ne\n"


def coverage(missing: Set[int] = frozenset(), arcs: Set[tuple[int, int]] = frozenset()) -> FileCoverage:
    return FileCoverage(frozenset(range(1, 6)), frozenset(), frozenset(missing), {}, frozenset(arcs))


def test_an_unchanged_text_keeps_every_mark() -> None:
    assert anchor(OLD, OLD) is UNCHANGED
    marks = place(coverage({5}, {(2, 4)}), (), UNCHANGED)
    assert (marks.covered, marks.partial, marks.uncovered, marks.stale) == ((1, 3, 4), (2,), (5,), ())


def test_lines_inserted_above_move_the_marks_down() -> None:
    marks = place(coverage({3}), (), anchor(OLD, "new\n\n" + OLD))
    assert (marks.covered, marks.uncovered, marks.stale) == ((3, 4, 6, 7), (5,), ())


def test_a_changed_line_is_stale_and_its_neighbours_keep_their_marks() -> None:
    marks = place(coverage({3}), (), anchor(OLD, "a\nb\nC\nd\ne\n"))
    assert (marks.covered, marks.uncovered, marks.stale) == ((1, 2, 4, 5), (), (3,))


def test_a_deleted_line_takes_its_mark_with_it() -> None:
    marks = place(coverage({3}), (), anchor(OLD, "a\nb\nd\ne\n"))
    assert (marks.covered, marks.uncovered, marks.stale) == ((1, 2, 3, 4), (), ())


def test_lines_that_only_failing_tests_ran_are_told_apart() -> None:
    marks = place(coverage({3}), {1, 3}, UNCHANGED)
    assert (marks.failing, marks.covered, marks.uncovered) == ((1,), (2, 4, 5), (3,))


@pytest.mark.parametrize("seed", range(200))
def test_no_mark_is_ever_on_a_line_with_other_text(seed: int) -> None:
    chance = random.Random(seed)
    lines = ["x = 1", "", "return", f"call({chance.randint(0, 9)})"]
    old = [chance.choice(lines) for _ in range(chance.randint(0, 30))]
    new = list(old)
    for _ in range(chance.randint(1, 6)):
        place_ = chance.randint(0, len(new))
        if chance.random() < 0.5:
            new[place_:place_] = ["inserted", "return"][: chance.randint(1, 2)]
        else:
            del new[place_ : place_ + chance.randint(1, 4)]
    anchors = anchor("\n".join(old), "\n".join(new))
    for line, text in enumerate(old, 1):
        moved = anchors.current(line)
        assert moved is None or "\n".join(new).split("\n")[moved - 1] == text
    landed = [anchors.current(line) for line in range(1, len(old) + 1) if anchors.current(line) is not None]
    assert landed == sorted(set(landed))
