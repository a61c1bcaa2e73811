"""A small project whose mutants are checked by the real agent, with the real mutmut."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.interpreters import CURRENT, environment_with, found
from testlens.runners.mutation_runner import (
    CheckedMutant,
    Made,
    MutationAgent,
    MutationEnd,
    MutationEvent,
    MutationRequest,
    WantedMutant,
    run_mutants,
)

_PACKAGES = ("pytest==9.2.0", "coverage==7.17.3", "mutmut==3.8.1", "mypy", "pytest-xdist", "pytest-randomly")
# mutmut's own table.
STATUSES = {
    0: "survived",
    1: "killed",
    3: "killed",
    37: "killed",
    5: "no tests",
    33: "no tests",
    24: "timeout",
    -24: "timeout",
}
QUICK = '[tool.mutmut]\nsource_paths = ["src"]\ntimeout_multiplier = 1.0\ntimeout_constant = 2.5\n'
SOURCE = {
    "src/shop/__init__.py": "",
    "src/shop/prices.py": """
        def total(prices, discount=0):
            result = 0
            for price in prices:
                if price > 0:
                    result += price
            return result - discount


        def label(price):
            return "cheap" if price < 10 else "dear"


        def never_called(price):
            return price + 1


        class Basket:
            def __init__(self):
                self.items = []

            def add(self, item):
                self.items.append(item)
                return len(self.items) > 1
    """,
    "tests/test_prices.py": """
        import pytest

        from shop.prices import Basket, label, total


        @pytest.fixture(scope="session")
        def basket():
            return Basket()


        def test_total():
            assert total([1, 2]) == 3


        def test_label():
            assert label(3) == "cheap"


        def test_basket(basket):
            assert not basket.add("apple")
            assert basket.items == ["apple"]
    """,
    "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["src"]\n' + QUICK,
}


@dataclass(frozen=True, slots=True)
class Checked:
    """What a run told."""

    mutants: Mapping[str, CheckedMutant]
    end: MutationEnd

    @property
    def statuses(self) -> dict[str, str]:
        """The status of each mutant by mutmut's name."""
        return {name: mutant.status for name, mutant in self.mutants.items()}

    @property
    def messages(self) -> str:
        """All problems, as the user sees them."""
        return "\n".join(map(str, self.end.problems))


def mutation_python() -> Path:
    """An interpreter with pytest, coverage, mutmut, pytest-xdist and pytest-randomly."""
    return environment_with("mutating", found()[CURRENT], _PACKAGES)


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write files with dedented texts."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")


def everything(made: Made) -> list[WantedMutant]:
    """All mutants, in the order in which they were made."""
    return [
        WantedMutant(name) for functions in made.files.values() for function in functions for name in function.mutants
    ]


def check(
    root: Path,
    python: Path,
    choose: Callable[[Made], list[WantedMutant]] = everything,
    on_event: Callable[[MutationEvent], None] | None = None,
) -> Checked:
    """Check mutants of the project in `root`."""
    mutants: dict[str, CheckedMutant] = {}

    def take(event: MutationEvent) -> None:
        if isinstance(event, CheckedMutant):
            mutants[event.name] = event
        if on_event is not None:
            on_event(event)

    end = asyncio.run(run_mutants(request_for(root, python), choose, take))
    return Checked(mutants, end)


def request_for(root: Path, python: Path, seconds: float | None = None) -> MutationRequest:
    """A run of all mutants of the project in `root`."""
    return MutationRequest(root, str(python), root / ".testlens" / "mutation", memory_mb=512, seconds=seconds)


class Keeping:
    """Checks the mutants of a project again and again with an agent that stays; to be used as a context."""

    def __init__(self, root: Path, python: Path) -> None:
        self._root = root
        self._python = python
        self._agent = MutationAgent(idle_seconds=60)

    async def __aenter__(self) -> Keeping:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._agent.close()

    async def check(self, choose: Callable[[Made], list[WantedMutant]] = everything) -> Checked:
        """Check mutants."""
        mutants: dict[str, CheckedMutant] = {}

        def take(event: MutationEvent) -> None:
            if isinstance(event, CheckedMutant):
                mutants[event.name] = event

        end = await self._agent.run(request_for(self._root, self._python), choose, take)
        return Checked(mutants, end)


def mutmut_statuses(root: Path, python: Path) -> dict[str, str]:
    """The status of each mutant after `mutmut run` in `root`."""
    done = subprocess.run(
        [str(python.with_name("mutmut")), "run", "--max-children", "2"],
        cwd=root,
        env={**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    statuses = {}
    for meta in (root / "mutants").rglob("*.meta"):
        for name, code in json.loads(meta.read_text())["exit_code_by_key"].items():
            statuses[name] = STATUSES.get(code, "suspicious")
    return statuses


def mutating_processes(root: Path) -> list[int]:
    """The ids of the agent's processes for mutants that were started in `root`."""
    return sorted(int(place.name) for place in Path("/proc").glob("[0-9]*") if _makes_mutants(place, root))


def _makes_mutants(place: Path, root: Path) -> bool:
    try:
        command = (place / "cmdline").read_bytes().split(b"\0")
        return b"--mutate" in command and (place / "cwd").resolve().is_relative_to(root.resolve())
    except OSError:
        return False


def state_of(root: Path) -> dict[str, str]:
    """A digest of each file of the user's."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.relative_to(root).parts[0] != ".testlens"
    }
