"""A trial comes out as the same test does in the project's own run: tried on the suites of published projects."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from real.conftest import Published
from testlens.domain.problems import Problem
from testlens.runners.explorer import Explorer, ExplorerRequest

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

_TOGETHER = 20


# Changes the time of a file of the project.
REFUSED = {"tests/test_loader.py::TestFileSystemLoader::test_caches_template_based_on_mtime"}


@pytest.mark.parametrize("name", ["itsdangerous", "jinja2"])
def test_what_passes_in_a_run_passes_as_a_trial(name: str, published: Callable[[str], Published]) -> None:
    project = published(name)
    passed = {result.nodeid.partition("[")[0] for result in project.run.results if result.outcome == "passed"}
    outcomes = asyncio.run(_try_all(project, passed))

    assert outcomes.keys() == passed
    assert {test: outcome for test, outcome in outcomes.items() if outcome != "passed"} == dict.fromkeys(
        REFUSED & passed, "blocked"
    )


async def _try_all(project: Published, wanted: set[str]) -> dict[str, str]:
    """The outcome of a trial of each test, by node id without parameters."""
    root = project.root
    request = ExplorerRequest(root, str(project.python), root / "tests", ("-o", "pythonpath=src"), seconds=10.0)
    explorer = await Explorer.start(request)
    assert not isinstance(explorer, Problem), explorer
    outcomes = {}
    try:
        for name in sorted({test.partition("::")[0] for test in wanted}):
            tests = sorted(test.partition("::")[2] for test in wanted if test.startswith(f"{name}::"))
            text = (root / name).read_text(encoding="utf-8")
            for start in range(0, len(tests), _TOGETHER):
                some = tests[start : start + _TOGETHER]
                trials = await explorer.try_tests(root / name, text, some, root / "src/nothing.py")
                outcomes |= {f"{name}::{test}": trial.outcome for test, trial in zip(some, trials, strict=True)}
    finally:
        await explorer.close()
    return outcomes
