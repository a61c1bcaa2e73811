"""What the history of a file says of one function in it."""

from __future__ import annotations

from array import array

from testlens.domain.history import NOT_COMMITTED, Change, FileHistory, change_of

DAY = 86_400
NOW = 1_780_000_000.0
HISTORY = FileHistory(
    NOW,
    times=array("q", [int(NOW) - 800 * DAY, int(NOW) - 30 * DAY, int(NOW) - 400 * DAY, int(NOW)]),
    authors=array("i", [0, 1, 0, NOT_COMMITTED]),
    commits=3,
)


def test_it_takes_the_newest_code_line_and_the_share_of_recent_ones() -> None:
    assert change_of(HISTORY, 1, 3, [1, 2, 3]) == Change(30.0, 1 / 3, 2, 3)


def test_only_code_lines_within_the_function_count() -> None:
    assert change_of(HISTORY, 1, 3, [1, 3, 4]) == Change(400.0, 0.0, 1, 3)


def test_uncommitted_lines_are_new_and_by_no_further_author() -> None:
    assert change_of(HISTORY, 3, 4, [3, 4]) == Change(0.0, 0.5, 1, 3)
    assert change_of(HISTORY, 4, 4, [4]) == Change(0.0, 1.0, 1, 3)


def test_lines_that_the_history_does_not_reach_give_nothing() -> None:
    assert change_of(HISTORY, 5, 9, [5, 6]) is None
    assert change_of(HISTORY, 1, 3, []) is None


def test_a_commit_from_the_future_is_new_and_not_newer_than_that() -> None:
    history = FileHistory(NOW, array("q", [int(NOW) + DAY]), array("i", [0]), 1)
    change = change_of(history, 1, 1, [1])
    assert change is not None
    assert change.age_days == 0.0
