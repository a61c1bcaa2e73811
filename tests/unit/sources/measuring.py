"""Measures the sample project with coverage.py in a process of its own."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLE = Path(__file__).parent / "sample"

# One context a test and phase, named as pytest-cov names them; import time has none.
MEASURE = """
import os, sys
import coverage
sys.path.insert(0, "src")
cov = coverage.Coverage(branch=sys.argv[1] == "branch", source=["src"])
cov.start()
import shop.orders
cov.switch_context("tests/test_orders.py::test_total|setup")
shop.orders.empty()
cov.switch_context("tests/test_orders.py::test_total|run")
shop.orders.total([3, 12])
cov.switch_context("tests/test_orders.py::test_label[a|b]|run")
shop.orders.label(5)
shop.orders.Order("x").describe()
cov.switch_context("tests/test_orders.py::test_first|run")
shop.orders.first([1], 1)
cov.stop()
cov.save()
cov.json_report(outfile="coverage.json")
cov.xml_report(outfile="coverage.xml")
cov.lcov_report(outfile="coverage.lcov")
"""


@dataclass(frozen=True)
class Measured:
    """A project with data and all reports made from it."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / ".coverage"

    @property
    def orders(self) -> str:
        """The name under which coverage.py recorded the module."""
        return str((self.root / "src/shop/orders.py").resolve())

    @property
    def report(self) -> dict[str, Any]:
        """What `coverage json` says: the truth that everything is compared with."""
        report: dict[str, Any] = json.loads((self.root / "coverage.json").read_text())
        return report


def measure(root: Path, mode: str) -> Measured:
    shutil.copytree(SAMPLE, root)
    command = [sys.executable, "-c", MEASURE, mode]
    subprocess.run(command, cwd=root, check=True, capture_output=True, timeout=60)
    return Measured(root)
