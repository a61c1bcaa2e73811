"""Seeded edits of published projects: the tests that Testlens selects fail exactly as the whole suite does."""

from __future__ import annotations

from pathlib import Path
from statistics import mean, median

import pytest

from real.edits import Compared, compare_edits
from real.published import environment

pytestmark = [pytest.mark.real, pytest.mark.timeout(1200)]


@pytest.mark.parametrize(("name", "count"), [("itsdangerous", 30), ("click", 4), ("jinja2", 8)])
def test_nothing_is_missed(name: str, count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every test that an edit breaks is selected, and breaks as well where only the selected ones run."""
    compared = compare_edits(name, tmp_path, environment(), count)
    shares = [one.share for one in compared]
    everything = sum(one.found.everything for one in compared)
    with capsys.disabled():
        print(
            f"\n{name}: {len(compared)} edits, {sum(bool(one.all_failed) for one in compared)} of them break tests;"
            f" selected: {median(shares):.1%} of the tests (median), {mean(shares):.1%} (mean),"
            f" everything {everything} times"
        )
    assert len(compared) == count
    assert any(one.all_failed for one in compared)
    missed = [_told(one) for one in compared if one.all_failed != one.selected_failed]
    assert not missed, "\n".join(missed)


def _told(one: Compared) -> str:
    only_all, only_selected = one.all_failed - one.selected_failed, one.selected_failed - one.all_failed
    return f"{one.edit.path} {one.edit.function}: {sorted(only_all)[:5]} {sorted(only_selected)[:5]} {one.found.why}"
