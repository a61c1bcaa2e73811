"""A baseline beside what is now, as JSON values: what `testlens baseline --json` prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from testlens.domain.coverage import Numbers
from testlens.domain.problems import Problem
from testlens.report.plan_json import VERSION, coverage_json, problems_json


def baseline_json(
    file: str, before: Numbers | None, held: Numbers, now: Numbers, problems: Iterable[Problem]
) -> dict[str, Any]:
    """What the baseline held `before` (None where there was none), what it holds, and what the tests cover `now`."""
    return {
        "version": VERSION,
        "baseline": file,
        "before": None if before is None else coverage_json(before),
        "held": coverage_json(held),
        "now": coverage_json(now),
        "problems": problems_json(problems),
    }


def no_baseline_json(problems: Iterable[Problem]) -> dict[str, Any]:
    """The same where nothing came of it."""
    return {
        "version": VERSION,
        "baseline": None,
        "before": None,
        "held": None,
        "now": None,
        "problems": problems_json(problems),
    }
