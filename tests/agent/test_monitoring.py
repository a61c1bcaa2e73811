"""What sys.monitoring measures is what coverage.py's C tracer would; where it might not be, that one measures."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.interpreters import environment, found, in_order
from agent.projects import Project
from agent.tortured import PROJECT, differences, measured

VERSIONS = [version for version in in_order(found()) if int(version.partition(".")[2]) >= 12]


@pytest.fixture(params=VERSIONS)
def torture(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    root = tmp_path / "project"
    root.mkdir()
    project = Project(root, environment(request.param, found()[request.param]))
    project.write(PROJECT)
    return project


@pytest.mark.parametrize("beside", ["nobody", "a tool that watches all lines"])
async def test_every_kind_of_code_is_measured_as_by_the_c_tracer(
    torture: Project, monkeypatch: pytest.MonkeyPatch, beside: str
) -> None:
    if beside != "nobody":
        torture.write({"tests/conftest.py": _WATCHES_ALL_LINES})
    fast = await torture.run("-p", "no:randomly")
    assert not fast.result.problems, fast.messages
    assert fast.result.data_file is not None
    by_monitoring = measured(fast.result.data_file)
    monkeypatch.setenv("COVERAGE_CORE", "ctrace")
    slow = await torture.run("-p", "no:randomly")
    assert slow.result.data_file is not None
    by_tracer = measured(slow.result.data_file)

    assert fast.outcomes == slow.outcomes
    assert differences(by_monitoring, by_tracer) == []


async def test_the_c_tracer_measures_where_the_user_asks_for_it_or_needs_it(
    torture: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await _tool_while_testing(torture) == "testlens coverage"
    for setting in ("concurrency = multiprocessing", "sigterm = true", "timid = true", "patch = _exit"):
        (torture.root / ".coveragerc").write_text(f"[run]\nsource = .\n{setting}\n")
        assert await _tool_while_testing(torture) == "None", setting
    (torture.root / ".coveragerc").write_text("[run]\nsource = .\n")
    monkeypatch.setenv("COVERAGE_CORE", "ctrace")
    assert await _tool_while_testing(torture) == "None"


async def test_what_tests_ran_before_one_kills_the_process_is_kept(torture: Project) -> None:
    torture.write(
        {
            "tests/test_all.py": """
                import os, signal, code_of_all_kinds as code

                def test_first():
                    assert code.if_without_else(0) == 0

                def test_killing():
                    code.recursive(1)
                    os.kill(os.getpid(), signal.SIGKILL)

                def test_last():
                    code.loops([7])
                """
        }
    )

    run = await torture.run("-p", "no:randomly")

    code = torture.root / "code_of_all_kinds.py"
    assert run.outcomes == {"test_first": "passed", "test_killing": "error", "test_last": "passed"}
    assert run.contexts(code, _line(code, "return value")) >= {"tests/test_all.py::test_first|run"}
    assert run.contexts(code, _line(code, "for value in values:")) >= {"tests/test_all.py::test_last|run"}


async def test_a_test_that_comes_back_from_a_fork_twice_is_measured_once_for_each(torture: Project) -> None:
    torture.write(
        {
            "tests/test_all.py": """
                import os, code_of_all_kinds as code

                def test_forking():
                    child = os.fork()
                    if child:
                        os.waitpid(child, 0)
                        code.recursive(0)
                    else:
                        code.if_without_else(1)
                """
        }
    )

    run = await torture.run("-p", "no:randomly")

    code = torture.root / "code_of_all_kinds.py"
    context = {"tests/test_all.py::test_forking|run"}
    assert run.outcomes == {"test_forking": "passed"}
    assert run.contexts(code, _line(code, "value = 1")) == context
    assert run.contexts(code, _line(code, "return depth")) == context


async def test_a_test_may_use_monitoring_coverage_and_tracing_itself(torture: Project) -> None:
    torture.write(
        {
            "tests/test_all.py": """
                import sys, coverage, code_of_all_kinds as code

                def test_own_monitoring():
                    code.loops([1])
                    seen = []
                    tool = next(tool for tool in range(6) if sys.monitoring.get_tool(tool) is None)
                    sys.monitoring.use_tool_id(tool, "own")
                    events = sys.monitoring.events
                    sys.monitoring.register_callback(tool, events.LINE, lambda code, line: seen.append(line))
                    sys.monitoring.set_local_events(tool, code.recursive.__code__, events.LINE)
                    code.recursive(1)
                    sys.monitoring.restart_events()
                    code.recursive(1)
                    sys.monitoring.set_local_events(tool, code.recursive.__code__, 0)
                    sys.monitoring.free_tool_id(tool)
                    assert len(seen) == 10

                def test_own_coverage(tmp_path):
                    own = coverage.Coverage(data_file=str(tmp_path / "own"))
                    own.start()
                    code.loops([7])
                    own.stop()
                    assert own.get_data().lines(code.__file__)
                    code.loops([1])

                def test_own_tracing():
                    seen = []
                    code.loops([1])
                    sys.settrace(lambda frame, event, arg: seen.append(event))
                    code.if_without_else(1)
                    sys.settrace(None)
                    assert seen

                def test_after():
                    code.if_without_else(0)
                """
        }
    )

    code = torture.root / "code_of_all_kinds.py"
    named = "tests/test_all.py::test_{}|run".format
    used = {"own_monitoring": "return depth", "own_coverage": "return value, values", "own_tracing": "value = 1"}
    for name, line in used.items():  # each in a process that it is the first in
        run = await torture.run("-p", "no:randomly", "-k", f"{name} or after")

        assert set(run.outcomes.values()) == {"passed"}, [test.longrepr for test in run.result.results]
        assert not run.result.problems, run.messages
        assert run.contexts(code, _line(code, line)) == {named(name)}
        assert run.contexts(code, _line(code, "continue")) == {named(name)}, "what ran before or after it is lost"
        assert named("after") in run.contexts(code, _line(code, "return value"))


async def test_a_source_that_is_read_for_a_busy_branch_does_not_count_as_opened_by_the_test(torture: Project) -> None:
    run = await torture.run("-p", "no:randomly", "-k", "test_hot")

    assert {test.outcome for test in run.result.results} == {"passed"}
    assert {file for test in run.result.results for file in test.uses.opened} == set()


async def test_nothing_of_it_trips_a_project_that_turns_warnings_into_errors(torture: Project) -> None:
    torture.write({"pytest.ini": "[pytest]\nfilterwarnings =\n    error\n"})

    run = await torture.run("-p", "no:randomly")

    assert [name for name, outcome in run.outcomes.items() if outcome != "passed"] == ["test_wrong"]
    assert not run.result.problems, run.messages


_WATCHES_ALL_LINES = """
    import sys

    sys.monitoring.use_tool_id(5, "watcher")
    sys.monitoring.register_callback(5, sys.monitoring.events.LINE, lambda code, line: None)
    sys.monitoring.set_events(5, sys.monitoring.events.LINE)
"""


async def _tool_while_testing(project: Project) -> str:
    project.write(
        {
            "tests/test_all.py": """
                import sys, code_of_all_kinds
                from pathlib import Path

                def test_tool():
                    tools = [str(sys.monitoring.get_tool(tool)) for tool in range(6)]
                    Path("tool.txt").write_text(next((tool for tool in tools if "coverage" in tool), "None"))
                """
        }
    )
    run = await project.run("-p", "no:randomly")
    assert set(run.outcomes.values()) == {"passed"}, run.result.output + run.messages
    return (project.root / "tool.txt").read_text()


def _line(path: Path, text: str) -> int:
    """The first line that reads like this."""
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if line.strip() == text)
