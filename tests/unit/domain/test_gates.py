"""How percentages of gates read, and which way back is the shortest."""

from __future__ import annotations

import pytest

from testlens.domain.gates import Gate, in_percent
from testlens.domain.globs import matches
from testlens.domain.plan import shortest_way


@pytest.mark.parametrize(
    ("percent", "shown"),
    [(84.999, "84.99 %"), (85.0, "85 %"), (99.9999, "99.99 %"), (100.0, "100 %"), (0.0, "0 %"), (51.351351, "51.35 %")],
)
def test_a_percentage_is_cut_and_never_rounded_up(percent: float, shown: str) -> None:
    assert in_percent(percent) == shown


def test_two_decimals_are_shown_as_they_are_whatever_the_binary_fraction() -> None:
    shown = {hundredths: in_percent(hundredths / 100) for hundredths in range(10_001)}
    assert {n: text for n, text in shown.items() if text != f"{n / 100:g} %"} == {}


@pytest.mark.parametrize(
    ("actual", "required", "shown"),
    [
        (64.7512, 64.7567, "coverage: 64.7512 %, at least 64.7567 % required"),
        (84.9999999, 85.0, "coverage: 84.99 %, at least 85 % required"),
        (51.351351351, 51.351351352, "coverage: 51.351351351 %, at least 51.351351352 % required"),
        (60.0, 61.0, "coverage: 60 %, at least 61 % required"),
    ],
)
def test_a_gate_that_fails_never_shows_the_same_number_twice(actual: float, required: float, shown: str) -> None:
    """`64.75 %, at least 64.75 % required` would read as a lie."""
    assert Gate("coverage", required, actual, passed=False).summary == shown


def test_the_way_back_takes_what_gains_most_first() -> None:
    gains = {("a.py", "small"): 1.0, ("b.py", "large"): 5.0, ("c.py", "middle"): 3.0}
    steps = shortest_way(gains, 80.0, 87.0)
    assert steps is not None
    assert [(step.function, step.reached) for step in steps] == [("large", 85.0), ("middle", 88.0)]


def test_there_is_no_way_where_all_functions_do_not_suffice() -> None:
    assert shortest_way({("a.py", "f"): 1.0}, 80.0, 87.0) is None


@pytest.mark.parametrize(
    ("path", "pattern", "is_match"),
    [
        ("src/pay/card.py", "src/pay/**", True),
        ("src/pay/eu/card.py", "src/pay/**", True),
        ("src/pay/card.py", "src/pay", True),
        ("src/pay/card.py", "./src/pay/", True),
        ("pay.py", "**/pay.py", True),
        ("src/payment/card.py", "src/pay/**", False),
        ("src/pay.py", "src/pay/**", False),
    ],
)
def test_a_glob_means_a_folder_with_all_in_it(path: str, pattern: str, is_match: bool) -> None:
    assert matches(path, pattern) is is_match
