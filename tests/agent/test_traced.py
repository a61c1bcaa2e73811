"""What the C tracer sees is put into a log, and becomes the very data that coverage.py would have written by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from coverage import CoverageData

from agent.interpreters import CURRENT, environment, environment_with, found, in_order
from agent.projects import Project
from agent.tortured import PROJECT

_OLDER = ("7.4.4", "7.10.7")  # which pack arcs in another way, or have them in another place
# Whose grammar the project needs.
_VERSIONS = [version for version in in_order(found()) if int(version.partition(".")[2]) >= 11]
_INTERPRETERS = [*_VERSIONS, *(f"coverage {version}" for version in _OLDER)]
# With a handler of signals of its own, coverage.py is left to measure by itself.
_BY_ITSELF = "[run]\nsource = .\nsigterm = true\n"


@pytest.fixture(params=_INTERPRETERS)
def torture(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("COVERAGE_CORE", "ctrace")
    root = tmp_path / "project"
    root.mkdir()
    project = Project(root, _python(request.param))
    project.write(PROJECT)
    return project


async def test_the_data_is_that_which_coverage_py_writes_by_itself(torture: Project) -> None:
    (torture.root / ".coveragerc").write_text("[run]\nsource = .\n")
    logged = await torture.run("-p", "no:randomly")
    assert not logged.result.problems, logged.messages
    assert logged.result.data_file is not None
    from_log = _rows(logged.result.data_file)
    (torture.root / ".coveragerc").write_text(_BY_ITSELF)
    by_itself = await torture.run("-p", "no:randomly")
    assert by_itself.result.data_file is not None

    assert from_log == _rows(by_itself.result.data_file)
    assert len(from_log) > 100


async def test_arcs_of_all_threads_and_copies_of_the_process_are_kept(project: Project) -> None:
    project.write(
        {
            "work.py": """
                def in_thread(value):
                    return value + 1

                def in_copy(value):
                    return value + 2
                """,
            "test_work.py": """
                import os, threading, work

                def test_thread():
                    threads = [threading.Thread(target=work.in_thread, args=(n,)) for n in range(20)]
                    [thread.start() for thread in threads]
                    [thread.join() for thread in threads]

                def test_copy():
                    child = os.fork()
                    if child:
                        os.waitpid(child, 0)
                    else:
                        work.in_copy(1)
                """,
        }
    )

    run = await project.run("-p", "no:randomly")

    assert run.contexts(project.root / "work.py", 2) == {"test_work.py::test_thread|run"}
    assert run.contexts(project.root / "work.py", 5) == {"test_work.py::test_copy|run"}


def _python(name: str) -> Path:
    if name.startswith("coverage "):
        version = name.removeprefix("coverage ")
        return environment_with(f"coverage-{version}", found()[CURRENT], ("pytest", f"coverage=={version}"))
    return environment(name, found()[name])


def _rows(data_file: Path) -> set[tuple[str, str, int, int]]:
    """File, context, and both ends of each arc; an empty context and two zeros for a file of which nothing ran."""
    data = CoverageData(str(data_file))
    data.read()
    rows = set()
    for file in data.measured_files():
        rows.add((Path(file).name, "", 0, 0))
        for context in data.measured_contexts():
            data.set_query_context(context)
            rows |= {(Path(file).name, context, start, end) for start, end in data.arcs(file) or ()}
    data.close()
    return rows
