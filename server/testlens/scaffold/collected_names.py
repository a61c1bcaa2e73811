"""Names of tests and classes, such that pytest collects them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from testlens.scaffold.style import Style, matches


def function_name(name: str, style: Style) -> str:
    """The name of the test for a case of this name."""
    core = re.sub(r"\W+", "_", name).strip("_")
    return _matching(f"test_{core}", core, style.function_patterns)


def class_name(group: str, is_scenario: bool, style: Style) -> str:
    """The name of the class for the tests of a group."""
    core = re.sub(r"\W+", "", group) + ("Scenarios" if is_scenario else "")
    return _matching(f"Test{core}", core, style.class_patterns)


def unused(name: str, used: Collection[str]) -> str:
    """The name, with a number after it where it is used already."""
    found, number = name, 1
    while found in used:
        number += 1
        found = f"{name}_{number}"
    return found


def _matching(usual: str, core: str, patterns: Sequence[str]) -> str:
    """The usual name where pytest collects it, else one that follows its first pattern."""
    if not patterns or matches(usual, patterns):
        return usual
    return patterns[0].replace("*", core) if "*" in patterns[0] else patterns[0] + core
