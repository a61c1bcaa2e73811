"""A problem reads as sentences, whoever worded its parts."""

from __future__ import annotations

import pytest

from testlens.domain.problems import Problem


@pytest.mark.parametrize("message", ["No module named 'shop'", "No module named 'shop'."])
def test_what_happened_ends_before_what_to_do_begins(message: str) -> None:
    problem = Problem(message, "Install it.", "tests/test_shop.py", 3)
    assert str(problem) == "tests/test_shop.py:3: No module named 'shop'. Install it."
