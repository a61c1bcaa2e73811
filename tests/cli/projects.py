"""Small real projects, their coverage as coverage.py measures it, and the command `testlens` run on them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from testlens.cli import app

SERVER = Path(__file__).resolve().parents[2] / "server"

ORDERS = '''\
"""Orders of a shop."""

import json


def total(prices, member=False, voucher=None):
    amount = sum(prices)
    if member:
        amount *= 0.9
    if voucher is not None:
        amount -= voucher
    return amount


def load(path):
    try:
        with open(path) as file:
            return json.load(file)
    except OSError:
        return []


class Basket:
    def __init__(self):
        self.items = []

    def add(self, item, count):
        for _ in range(count):
            self.items.append(item)

    def clear(self):
        while self.items:
            self.items.pop()
'''
STOCK = '''\
"""Stock of a shop."""


def missing(wanted, there):
    if wanted > there:
        return wanted - there
    return 0
'''
TESTS = """\
from shop.orders import Basket, total


def test_members_pay_less():
    assert total([10, 10], member=True) == 18


def test_a_basket_counts():
    basket = Basket()
    basket.add("tea", 2)
    assert basket.items == ["tea", "tea"]
"""
HOSTILE = """\
def f(x):
    if x:
        return "</span></pre><script>alert(1)</script><img src=x onerror=alert(2)>"
    return 0
"""
CONFIG = """\
[tool.pytest.ini_options]
pythonpath = ["."]

[tool.coverage.run]
branch = true
source = ["shop"]
"""


@dataclass(frozen=True, slots=True)
class Project:
    """A project in a folder of its own."""

    root: Path

    def write(self, path: str, text: str) -> Path:
        """Write one file of the project."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def measure(self) -> None:
        """Run the tests under coverage.py, as a developer or CI does, which leaves a `.coverage`."""
        self.python("-m", "coverage", "run", "-m", "pytest", "-q", "-p", "no:cacheprovider")

    def coverage_json(self) -> dict[str, Any]:
        """What `coverage json` says about the data."""
        report: dict[str, Any] = json.loads(self.python("-m", "coverage", "json", "-q", "-o", "-"))
        return report

    def python(self, *arguments: str) -> str:
        """Run the project's interpreter in the project."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
        # These projects need no plugin, and those that happen to be here would take longer than their tests.
        environment |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        done = subprocess.run(
            [sys.executable, *arguments], cwd=self.root, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout

    def files(self) -> dict[str, bytes]:
        """The content of every file, Testlens' own aside."""
        return {
            file.relative_to(self.root).as_posix(): file.read_bytes()
            for file in self.root.rglob("*")
            if file.is_file() and ".testlens" not in file.parts
        }


def make_shop(root: Path) -> Project:
    """A shop: one module in parts proven by its tests, another that nothing runs."""
    project = Project(root)
    project.write("pyproject.toml", CONFIG)
    project.write("shop/__init__.py", "")
    project.write("shop/orders.py", ORDERS)
    project.write("shop/stock.py", STOCK)
    project.write("tests/test_orders.py", TESTS)
    return project


def run_testlens(
    *arguments: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the real command; its output is decoded as UTF-8."""
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=command_environment(env),
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )


def run_here(*arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command as `run_testlens` does, in this process: most of the time goes into starting another one."""
    output, errors = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(command_environment(env))
    try:
        with redirect_stdout(output), redirect_stderr(errors), pytest.raises(SystemExit) as ended:
            app.run([str(argument) for argument in arguments])
    finally:
        os.environ.clear()
        os.environ.update(before)
    texts = []
    for stream in (output, errors):
        stream.seek(0)
        texts.append(stream.read())
    return subprocess.CompletedProcess(command(*arguments), int(ended.value.code or 0), *texts)


def command(*arguments: str | Path) -> Sequence[str]:
    """The argument list of `testlens` with these arguments."""
    return [sys.executable, "-m", "testlens", *map(str, arguments)]


def command_environment(more: dict[str, str] | None = None) -> dict[str, str]:
    """The environment in which this checkout's `testlens` is found, without a terminal's habits."""
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR", "NO_COLOR")}
    return {**kept, "PYTHONPATH": str(SERVER), "PYTHONDONTWRITEBYTECODE": "1", **(more or {})}


def json_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one object on standard output; fails if there is anything else."""
    value = json.loads(done.stdout)
    assert isinstance(value, dict)
    return value


def write_report(root: Path) -> Path:
    """Write the HTML report of a project beside it."""
    file = root.parent / f"{root.name}.html"
    done = run_testlens("report", root, "--html", file)
    assert done.returncode == 0, done.stderr
    return file
