"""On every supported version of Python, a trial has the lines and arcs that coverage.py measures in the test's body."""

from __future__ import annotations

from pathlib import Path

import pytest
from coverage import CoverageData

from agent.exploring import exploring
from agent.interpreters import environment, found, in_order
from agent.projects import Project

SAMPLE = """
    import asyncio
    import contextlib
    import functools


    def branches(number):
        if number > 1 and number < 5:
            number += 1
        elif number == 7:
            pass
        else:
            number = 0
        while number:
            number -= 1
            if number == 2:
                break
        else:
            number = -1
        for _ in range(number): pass
        return [one for one in range(3) if one]


    def failures(what):
        try:
            if what:
                raise ValueError(what)
        except (KeyError, ValueError) as error:
            if what == "out":
                raise RuntimeError from error
        finally:
            what = None
        with contextlib.suppress(ZeroDivisionError):
            1 / 0
        return what


    def numbers(count):
        for number in range(count):
            got = yield number
            if got:
                return got
        yield from other()


    def other():
        try:
            yield 1
        finally:
            "closed"


    def resumed(generator):
        next(generator)
        try:
            generator.send(1)
        except StopIteration as end:
            return end.value


    def thrown_into():
        generator = other()
        next(generator)
        try:
            generator.throw(KeyError)
        except KeyError:
            pass


    def decorated(function):
        @functools.wraps(function)
        def inner(*args):
            return function(*args)

        return inner


    @decorated
    def called(
        first,
        second=(
            1,
        ),
    ):
        class Local:
            attribute = first

            def method(self):
                return (
                    self.attribute
                )

        return (lambda: Local().method())()


    @contextlib.contextmanager
    def managed():
        try:
            yield 1
        except ValueError:
            pass


    async def waiting(seconds):
        async with contextlib.AsyncExitStack():
            await asyncio.sleep(seconds)
        return [one async for one in items()]


    async def items():
        for item in range(2):
            await asyncio.sleep(0)
            yield item


    async def together():
        task = asyncio.create_task(waiting(0))
        return await task


    def never():
        return 1
    """
BODY = """
    import asyncio
    import pytest
    import threading
    import sample

    @pytest.fixture(autouse=True)
    def around():
        sample.never()
        yield
        sample.never()

    def test_it():
        for number in (0, 2, 3, 7):
            sample.branches(number)
        sample.failures("in")
        with pytest.raises(RuntimeError):
            sample.failures("out")
        assert list(sample.numbers(2)) == [0, 1, 1]
        sample.resumed(sample.numbers(2))
        sample.thrown_into()
        unfinished = sample.numbers(3)
        next(unfinished)
        sample.called(1)
        with sample.managed():
            raise ValueError
        asyncio.run(sample.waiting(0))
        asyncio.run(sample.together())
        thread = threading.Thread(target=sample.branches, args=(4,))
        thread.start()
        thread.join()
    """


@pytest.fixture(params=in_order(found()))
def example(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """A project run by each version of Python on this machine, whose test is written already."""
    root = tmp_path / "project"
    root.mkdir()
    project = Project(root, environment(request.param, found()[request.param]))
    project.write({"sample.py": SAMPLE, "tests/test_new.py": BODY})
    return project


async def test_a_trial_has_the_arcs_that_coverage_measures(example: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of its C tracer: what sys.monitoring finds in its place is the same only after coverage.py's analysis."""
    monkeypatch.setenv("COVERAGE_CORE", "ctrace")
    run = await example.run()
    async with exploring(example) as exploration:
        trial = await exploration.trial((example.root / "tests/test_new.py").read_text(), watch="sample.py")

    assert run.outcomes == {"test_it": "passed"}
    assert (trial.outcome, trial.message) == ("passed", "")
    data = CoverageData(str(example.data_file), read_only=True)
    data.read()
    data.set_query_context("tests/test_new.py::test_it|run")
    path = str(example.root / "sample.py")
    assert trial.arcs == set(data.arcs(path) or ())
    assert trial.lines == set(data.lines(path) or ())
