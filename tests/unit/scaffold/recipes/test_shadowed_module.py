"""A package that shows something else under the name of one of its modules."""

from __future__ import annotations

from pathlib import Path

from unit.scaffold.recipes.writing import Bench

RETRY = """
class only_on:
    def __init__(self, message=None, match=None):
        if message and match:
            raise TypeError("one of the two")
        if not message and not match:
            raise TypeError("none of the two")
        self.wanted = message or match

    def __call__(self, error):
        return self.wanted in str(error)


def retry(function):
    return function
"""


def test_what_a_hidden_module_holds_is_imported_from_where_it_is_shown(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    files = {
        "again/__init__.py": "from again.retry import only_on, retry\n",
        "again/retry.py": RETRY,
        "test_weather.py": "import again\n\n\ndef test_it():\n    assert again.retry(1) == 1\n",
    }
    with Bench(tmp_path, "", files, budget=5.0) as bench:
        verdicts = bench.verdicts("again/retry.py")

    assert verdicts.keys() == {"only_on.__init__", "only_on.__call__"}
    assert {outcome for outcome, _ in verdicts.values()} == {"passed"}, verdicts
