"""A percentage reads as in coverage.py's own reports."""

from __future__ import annotations

import pytest
from coverage.results import display_covered

from testlens.domain.coverage import percent_text


@pytest.mark.parametrize("decimals", [0, 1])
@pytest.mark.parametrize("percent", [0.0, 0.004, 0.04, 0.4, 1.0, 49.96, 64.75942, 99.4, 99.6, 99.94, 99.96, 100.0])
def test_a_percentage_reads_as_coverage_py_writes_it(percent: float, decimals: int) -> None:
    assert percent_text(percent, decimals) == display_covered(percent, decimals)


def test_what_is_not_all_is_never_shown_as_all() -> None:
    assert percent_text(100 * 2999 / 3000) == "99.9"
    assert percent_text(100 * 1 / 3000) == "0.1"
