"""Tests pass with the recorder as without it, whatever they do, and the record stays small and whole."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from agent.interpreters import environment, found, in_order
from agent.projects import Project, Run
from testlens.domain.calls import SeenCalls
from testlens.runners.pytest_runner import run_tests
from testlens.sources.seen_calls import load_seen_calls

# One that is watched by profiling and one that is watched by monitoring, where the machine has both.
VERSIONS = sorted({in_order(found())[0], in_order(found())[-1]})

CORE = """
    class Hostile:
        def refuse(self, *args, **kwargs):
            raise SystemExit("touched")
        __repr__ = __str__ = __eq__ = __bool__ = __len__ = __iter__ = __getattr__ = __reduce__ = __format__ = refuse
        __hash__ = refuse
        __class__ = property(refuse)

    def hostile_class():  # pytest itself looks at the classes of a test file
        class Meta(type):
            def refuse(cls, *args):
                raise SystemExit("touched")
            __repr__ = __eq__ = __hash__ = __getattribute__ = __instancecheck__ = refuse

        class HostileClass(metaclass=Meta):
            def touch(self):
                return take(self)

        return HostileClass

    class HostileError(Exception):
        def __str__(self):
            raise SystemExit("touched")
        args = property(__str__)

    class Thing:
        pass

    def take(*things, **more):
        return things[0] if things else None

    def fail(error):
        raise error

    def swallow(error):
        try:
            fail(error)
        except Exception:
            pass

    def descend(depth):
        return 0 if depth == 0 else 1 + descend(depth - 1)

    def spin(times):
        for number in range(times):
            step(number)

    def step(number):
        return number
    """
TEST = "from pkg.core import take\ndef test(): take()"
HARMLESS = """
    import cProfile, gc, os, shutil, sys, threading, weakref
    import pytest
    from pkg.core import *

    def test_special_methods_that_raise():
        take(Hostile(), a=[Hostile()])
        cls = hostile_class()
        take(cls, [cls], cls().touch(), token=cls())
        with pytest.raises(HostileError):
            fail(HostileError())
        swallow(HostileError())

    def test_objects_die_when_they_should():
        thing, argument = Thing(), Thing()
        references = [weakref.ref(thing), weakref.ref(argument)]
        assert take(thing, more=argument) is thing
        del thing, argument
        assert [reference() for reference in references] == [None, None]

    def test_errors_free_what_they_held():
        thing = Thing()
        reference = weakref.ref(thing)
        error = ValueError(thing)
        with pytest.raises(ValueError):
            fail(error)
        del thing, error
        gc.collect()
        assert reference() is None

    def test_own_profile_function():
        seen = []
        def own(frame, event, value):
            seen.append(frame.f_code.co_name)
        sys.setprofile(own)
        take(1)
        assert sys.getprofile() is own
        sys.setprofile(None)
        assert "take" in seen

    def test_profiler_of_the_standard_library():
        profile = cProfile.Profile()
        profile.enable()
        take(2)
        profile.disable()
        assert any(getattr(entry.code, "co_name", "") == "take" for entry in profile.getstats())

    def test_own_monitoring():
        if sys.version_info < (3, 12):
            return
        seen = []
        for tool in range(6):
            if sys.monitoring.get_tool(tool) is None:
                sys.monitoring.use_tool_id(tool, "own")
                break
        event = sys.monitoring.events.PY_START
        sys.monitoring.register_callback(tool, event, lambda code, offset: seen.append(code.co_name))
        sys.monitoring.set_events(tool, event)
        take(3)
        sys.monitoring.set_events(tool, 0)
        sys.monitoring.free_tool_id(tool)
        assert "take" in seen

    def test_deep_recursion():
        with pytest.raises(RecursionError):
            descend(1_000_000)
        limit = sys.getrecursionlimit()
        assert descend(limit // 2) == limit // 2

    def test_threads():
        threads = [threading.Thread(target=spin, args=(2000,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        spin(2000)
        for thread in threads:
            thread.join()

    def test_many_events():
        spin(100_000)

    def test_replaced_functions(monkeypatch):
        for name in ("open", "write", "close", "getpid"):
            monkeypatch.setattr(os, name, None)
        take("patched")

    def test_lost_folder(tmp_path, monkeypatch):
        folder = tmp_path / "gone"
        folder.mkdir()
        os.chdir(folder)
        shutil.rmtree(folder)
        take("lost")

    def test_locals_are_left_alone():
        def local(value):
            before = dict(locals())
            take(value)
            value += 1
            return before, locals()
        assert local(1) == ({"value": 1}, {"value": 2, "before": {"value": 1}})
    """


@pytest.fixture(scope="module", params=VERSIONS)
def harmless(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Run]:
    """A run of tests that would notice a recorder that is in the way, and turn warnings into errors."""
    root = tmp_path_factory.mktemp("harmless") / "project"
    root.mkdir()
    project = Project(root, environment(request.param, found()[request.param]))
    project.write({"pkg/__init__.py": "", "pkg/core.py": CORE, "test_it.py": HARMLESS})
    return project, asyncio.run(project.run("-W", "error"))


def seen_by(project: Project) -> SeenCalls:
    seen, problems = load_seen_calls(project.data_file.with_name("calls.json"))
    assert problems == ()
    return seen


def test_no_test_notices_the_recorder(harmless: tuple[Project, Run]) -> None:
    run = harmless[1]
    assert {name: outcome for name, outcome in run.outcomes.items() if outcome != "passed"} == {}, run.result.output
    assert len(run.outcomes) == HARMLESS.count("def test_")
    assert not run.result.problems, run.messages


def test_the_tests_around_a_hostile_one_are_recorded(harmless: tuple[Project, Run]) -> None:
    calls = seen_by(harmless[0])["pkg/core.py", "take"]
    assert len({call.test for call in calls}) > 1


def test_a_function_that_is_called_often_is_known_by_a_few_calls(harmless: tuple[Project, Run]) -> None:
    seen = seen_by(harmless[0])
    assert 1 <= len(seen["pkg/core.py", "step"]) <= 6
    assert harmless[0].data_file.with_name("calls.json").stat().st_size < 20_000


async def test_a_run_of_some_tests_renews_their_calls_and_keeps_those_of_others(project: Project) -> None:
    test = "from pkg.core import take\ndef test_a(): take({a!r})\ndef test_b(): take('b')\n"
    project.write({"pkg/__init__.py": "", "pkg/core.py": CORE, "test_it.py": test.format(a="old")})
    await project.run()
    assert arguments(project) == {"('old',)", "('b',)"}

    project.write({"test_it.py": test.format(a="new")})
    await project.run(tests=("test_it.py::test_a",))
    assert arguments(project) == {"('new',)", "('b',)"}

    await project.run("--deselect", "test_it.py::test_b")
    assert arguments(project) == {"('new',)"}


def arguments(project: Project) -> set[str]:
    calls = seen_by(project)["pkg/core.py", "take"]
    return {things.code for call in calls if (things := call.arguments["things"]) is not None}


async def test_what_ran_before_a_test_ended_the_process_is_known(project: Project) -> None:
    tests = """
        import os
        from pkg.core import take

        def test_1():
            take("before")

        def test_2():
            os.kill(os.getpid(), 9)

        def test_3():
            take("after")
        """
    project.write({"pkg/__init__.py": "", "pkg/core.py": CORE, "test_it.py": tests})
    await project.run("-p", "no:randomly")
    assert arguments(project) == {"('before',)", "('after',)"}


async def test_a_damaged_record_is_replaced_by_what_is_seen(project: Project) -> None:
    project.write({"pkg/__init__.py": "", "pkg/core.py": CORE, "test_it.py": TEST})
    record = project.data_file.with_name("calls.json")
    for damage in ("{", '{"version": 1, "functions": {"pkg/core.py": {"take": [{}]}}}'):
        record.write_text(damage)
        run = await project.run(tests=("test_it.py::test",))
        assert not run.result.problems, run.messages
        assert arguments(project) == {"()"}


async def test_a_folder_that_refuses_the_record_is_a_problem_and_nothing_else(project: Project) -> None:
    project.write({"pkg/__init__.py": "", "pkg/core.py": CORE, "test_it.py": TEST})
    record = project.data_file.with_name("calls.json")
    record.mkdir()
    run = await project.run()
    (problem,) = run.result.problems
    assert problem.path == str(record)
    assert "could not be kept" in problem.message
    assert (run.outcomes, run.result.data_file) == ({"test": "passed"}, project.data_file)
    assert [path.name for path in sorted(record.parent.iterdir())] == ["calls.json", "coverage.db"]


async def test_nothing_is_recorded_where_that_is_not_wanted(project: Project) -> None:
    project.write({"pkg/__init__.py": "", "pkg/core.py": CORE, "test_it.py": TEST})
    await run_tests(replace(project.request(), record_values=False), lambda event: None)
    assert not project.data_file.with_name("calls.json").exists()


def test_a_record_of_many_functions_stays_within_its_bounds(project: Project) -> None:
    text = "x" * 300
    functions = "\n".join(f"def f{number}(value): return value" for number in range(2000))
    calls = "\n".join(f"    core.f{number}(str(turn) + {text!r})" for number in range(2000))
    test = (
        f"import pytest\nfrom pkg import core\n@pytest.mark.parametrize('turn', range(9))\ndef test(turn):\n{calls}\n"
    )
    project.write({"pkg/__init__.py": "", "pkg/core.py": functions, "test_it.py": test})
    run = asyncio.run(project.run())
    assert set(run.outcomes.values()) == {"passed"}
    record = project.data_file.with_name("calls.json")
    assert 1_000_000 < record.stat().st_size <= 4_000_000
    assert json.loads(record.read_bytes())["functions"]
