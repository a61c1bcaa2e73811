"""Small real projects, measured by the coverage.py that is installed, and what coverage.py itself says of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from textwrap import dedent
from typing import Any

SHOP = dedent(
    '''\
    """A shop."""
    import boto3


    def price(amount, member):
        if amount < 0:
            raise ValueError(amount)
        if member:
            amount *= 0.9
        return amount


    def refund(order):
        if order is None:
            return 0
        total = 0
        for line in order:
            total += line
        return total


    class Orders:
        def store(self, table, orders):
            try:
                with table.batch_writer() as batch:
                    for order in orders:
                        batch.put_item(Item=order)
            except RuntimeError:
                print("lost")
                raise
            return len(orders)
    '''
)

TESTS = dedent(
    """\
    import shop


    def test_member_pays_less():
        assert shop.price(10, True) == 9


    def test_guest_pays_all():
        assert shop.price(10, False) == 10


    def test_nothing_to_refund():
        assert shop.refund(None) == 0
    """
)

CONFIGURATION = dedent(
    """\
    [run]
    branch = true
    relative_files = true
    [report]
    omit =
        boto3.py
        test_*.py
        _run.py
    """
)

# The projects run offline and need no boto3: what counts is what the code says.
BOTO3 = "def resource(name):\n    raise NotImplementedError\n"

# Starting pytest takes seconds on a busy machine, and all that is wanted of it are the contexts.
_RUN_EACH_TEST = dedent(
    """\
    import coverage, glob, importlib

    for path in glob.glob("test_*.py"):
        module = importlib.import_module(path[:-3])
        for name in [name for name in vars(module) if name.startswith("test_")]:
            coverage.Coverage.current().switch_context(f"{path}::{name}|run")
            getattr(module, name)()
            coverage.Coverage.current().switch_context("")
    """
)


class Project:
    """A folder with sources and tests."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def shop(cls, root: Path) -> Project:
        """The example that most tests use, not yet measured."""
        project = cls(root)
        project.write({"shop.py": SHOP, "test_shop.py": TESTS, "boto3.py": BOTO3})
        # As a project that looks at its own code only.
        project.write({".coveragerc": CONFIGURATION})
        return project

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files, text as UTF-8 with the line ends it has."""
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def file(self, name: str = "shop.py") -> Path:
        """The path of a file."""
        return self.root / name

    def measure(self) -> None:
        """Run the tests under coverage.py, each in a context of its own, as `pytest --cov-context=test` does."""
        self.write({"_run.py": _RUN_EACH_TEST})
        self.coverage("run", "_run.py")

    def coverage(self, *arguments: str) -> None:
        """Run the coverage command."""
        environment = {**os.environ, "COVERAGE_CORE": "ctrace"}
        # The tests of the project may fail; the data is what we are after.
        subprocess.run(
            [sys.executable, "-m", "coverage", *arguments],
            cwd=self.root,
            env=environment,
            capture_output=True,
            check=False,
        )

    @cached_property
    def verdicts(self) -> dict[str, Any]:
        """What coverage.py says: files with executed_lines, missing_lines and so on, and totals. Asked once."""
        self.coverage("json", "-q", "-o", ".verdict")
        report = json.loads((self.root / ".verdict").read_text())
        (self.root / ".verdict").unlink()
        return dict(report)

    def expected_marks(self, name: str = "shop.py") -> dict[int, str]:
        """How each line is to be painted, from coverage.py's own report."""
        verdict = self.verdicts["files"][name]
        partial = {start for start, _ in verdict["missing_branches"]}
        states = {line: "partial" if line in partial else "covered" for line in verdict["executed_lines"]}
        return states | dict.fromkeys(verdict["missing_lines"], "uncovered")


def line_of(text: str, part: str) -> int:
    """The 1-based line of `text` that contains `part`, as an editor counts."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    (found,) = [number for number, line in enumerate(lines, 1) if part in line]
    return found
