"""A measured shop in a repository of its own, as a checkout of CI is, and ways to change it."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cli.projects import ORDERS, Project, run_here

GIT = ("git", "-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
BASELINE = "testlens-baseline.toml"
UNTESTED = """

def refund(order):
    if order:
        return order.total
    return 0
"""
TESTED = '''

def tax(amount):
    """Nothing is free."""
    return amount * 0.2
'''
TEST_OF_STOCK = """\
from shop.stock import missing


def test_missing():
    assert missing(3, 1) == 2
"""
TEST_OF_LOAD = """\
from shop.orders import load


def test_load(tmp_path):
    assert load(tmp_path / "x") == []
"""
TEST_OF_TAX = """

def test_tax():
    from shop.orders import tax

    assert tax(10) == 2
"""


@dataclass(frozen=True, slots=True)
class Checkout(Project):
    """A project under git."""

    def git(self, *arguments: str) -> str:
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        command = [*GIT, *arguments]
        done = subprocess.run(command, cwd=self.root, env=environment, check=True, capture_output=True, text=True)
        return done.stdout

    def commit(self, message: str = "a change") -> None:
        self.git("add", "--all", ".")
        self.git("commit", "--quiet", "--message", message)

    def append(self, path: str, text: str) -> None:
        file = self.root / path
        file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def check(self, *arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return run_here("check", self.root, *arguments, env=env)

    def update_baseline(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return run_here("baseline", self.root, "--update", *arguments)

    def find_survivor(self) -> None:
        """Leave a mutation report in which one of two mutants of `total` survived, on line 7."""
        mutants = [
            _mutant("1", "amount *= 0.9", "amount *= 1.9", "Killed"),
            _mutant("2", "sum(prices)", "sum(())", "Survived"),
        ]
        files = {"shop/orders.py": {"language": "python", "source": ORDERS, "mutants": mutants}}
        report = {"schemaVersion": "2", "thresholds": {"high": 80, "low": 60}, "files": files}
        self.write("reports/mutation/mutation.json", json.dumps(report))


def _mutant(name: str, original: str, replacement: str, status: str) -> dict[str, object]:
    number, line = next((n, line) for n, line in enumerate(ORDERS.splitlines(), 1) if original in line)
    column = line.index(original) + 1
    end = {"line": number, "column": column + len(original)}
    location = {"start": {"line": number, "column": column}, "end": end}
    entry = {"id": name, "mutatorName": "Operator", "replacement": replacement}
    return {**entry, "status": status, "location": location}
