"""Mutants of a published project and of the example: where each lies, and whether every verdict is mutmut's."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from agent.interpreters import CURRENT, environment_with, found
from agent.mutating import check, mutmut_statuses
from real.published import ROOT, environment, unpacked
from testlens.analysis.mutant_spans import Change, find_change
from testlens.runners.mutation_runner import Made

pytestmark = pytest.mark.real
PYTHON = ROOT / "examples" / "clarity" / ".venv" / "bin" / "python"
_PACKAGES = ("pytest==9.2.0", "coverage==7.17.3", "mutmut==3.8.1", "freezegun")


@pytest.fixture(scope="module")
def itsdangerous(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The project's folder, and an interpreter with what its tests need and mutmut."""
    environment()
    python = environment_with("mutating-itsdangerous", found()[CURRENT], _PACKAGES)
    return unpacked("itsdangerous", tmp_path_factory.mktemp("its")), python


@pytest.fixture(scope="module")
def clarity(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The example's folder and its interpreter."""
    folder = tmp_path_factory.mktemp("example") / "clarity"
    left_out = shutil.ignore_patterns(".*", "__pycache__", "mutants")
    return Path(shutil.copytree(ROOT / "examples" / "clarity", folder, ignore=left_out)), PYTHON


@pytest.mark.parametrize("name", ["itsdangerous", "clarity"])
def test_every_change_put_in_its_place_gives_mutmuts_mutant(name: str, request: pytest.FixtureRequest) -> None:
    """For all mutants of the project: the text of the function with the change is mutmut's, byte for byte."""
    root, python = request.getfixturevalue(name)
    compared = 0

    def compare(made: Made) -> list[object]:
        nonlocal compared
        for path, functions in made.files.items():
            source = (root / path).read_text()
            for function in functions:
                for mutant, text in function.mutants.items():
                    change = find_change(source, function.key, text)
                    assert change is not None, mutant
                    assert text.strip("\n") in _applied(source, change), mutant
                    compared += 1
        return []

    checked = check(root, python, compare)  # type: ignore[arg-type]
    assert checked.end.trusted, checked.messages
    assert compared > 500


@pytest.mark.parametrize(
    ("name", "only"),
    [("itsdangerous", "src/itsdangerous/url_safe.py"), ("clarity", "src/clarity/retry.py")],
)
def test_every_verdict_is_mutmuts(name: str, only: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Of one file, mutant by mutant; `bench/mutating.py` compares whole projects."""
    original, python = request.getfixturevalue(name)
    root = Path(shutil.copytree(original, tmp_path / name, ignore=shutil.ignore_patterns(".testlens")))
    with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[tool.mutmut]\nonly_mutate = ["{only}"]\n')
    checked = check(root, python)
    assert checked.end.trusted, checked.messages
    assert checked.statuses == mutmut_statuses(root, python)
    assert Counter(checked.statuses.values())["killed"]


def _applied(source: str, change: Change) -> str:
    lines = source.split("\n")
    span = change.span
    start = sum(len(line) + 1 for line in lines[: span.first_line - 1]) + span.first_column
    end = sum(len(line) + 1 for line in lines[: span.last_line - 1]) + span.last_column
    assert source[start:end] == change.original
    return source[:start] + change.replacement + source[end:]
