"""Tables that Testlens writes: a row on each side of each condition, with the result that was seen."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from real.scaffold_ground import make_project, write_tests

pytestmark = pytest.mark.real

SHIPPING = """
    from dataclasses import dataclass

    MAX_WEIGHT = 30
    COUNTRIES = frozenset({"DE", "FR"})


    def price(weight: float, country: str = "DE", express: bool = False) -> float:
        if weight <= 0:
            raise ValueError("nothing to ship")
        if weight > MAX_WEIGHT:
            raise ValueError(f"{weight} kg is too heavy")
        base = 4.5 if weight < 2 else 9.5
        if country not in COUNTRIES:
            base *= 2
        return base + 5 if express else base


    @dataclass(frozen=True)
    class Parcel:
        name: str
        weight: int

        def __post_init__(self) -> None:
            if not self.name:
                raise ValueError("a parcel needs a name")
            if not 1 <= self.weight <= 30:
                raise ValueError("no such weight")
    """


def test_each_side_of_each_condition_is_a_row(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"shipping.py": SHIPPING})
    written = write_tests(project, sys.executable, "shipping.py", "price", "parametrize")

    assert written.verdict.outcome == "passed", written.verdict
    assert written.verdict.missing == ()
    for row in ('(1, "DE", False, 4.5)', '(2, "DE", False, 9.5)', '(30, "DE", False, 9.5)', '(1, "other", False, 9.0)'):
        assert row in written.tests
    assert '("weight", "message")' in written.tests
    assert '(31, "31 kg is too heavy")' in written.tests
    assert "with pytest.raises(ValueError, match=message):" in written.tests


def test_a_constructor_accepts_what_lies_within_its_bounds(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"shipping.py": SHIPPING})
    written = write_tests(project, sys.executable, "shipping.py", "Parcel.__post_init__", "parametrize")

    assert written.verdict.outcome == "passed", written.verdict
    assert written.verdict.missing == ()
    assert "assert result.weight == weight" in written.tests
    assert "30" in written.tests
    assert "31" in written.tests
