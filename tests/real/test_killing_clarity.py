"""In the example, accepting the fixes for the survivors of a function raises its mutation score."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from real.accepting import accept_all, checked, run_all_tests
from real.test_example_clarity import EXAMPLE, example_python
from testlens.workspace.mutation_targets import MutationTarget
from testlens.workspace.workspace import Workspace

pytestmark = pytest.mark.real

# Of the whole example `python bench/accepting.py` says the same; it takes a quarter of an hour.
TARGET = MutationTarget(file="src/clarity/services/sns_service.py", function="reasons_for_concern")
POINTS = 20


async def test_accepting_the_fixes_raises_the_mutation_score_by_at_least_20_points(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns(".venv", ".testlens", "mutants", "__pycache__")
    root = Path(shutil.copytree(EXAMPLE, tmp_path / "clarity", ignore=ignored))
    python = example_python()
    workspace = Workspace(root)
    try:
        await run_all_tests(workspace, python)
        before = await checked(workspace, python, TARGET)
        await accept_all(workspace, python, before)
        after = await checked(workspace, python, TARGET)
    finally:
        workspace.close()

    assert before.score is not None
    assert after.score is not None
    assert after.score - before.score >= POINTS
