"""A project of all that is hard to measure, and what two ways to measure it found."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

from coverage import CoverageData

from testlens.domain.coverage import Arc, ParsedSource, Trace, combine
from testlens.sources.coverage_parse import Parsed, decode, parse

CODE = '''
"""Ways through code of every kind."""

import asyncio
import contextlib
import functools
import types


def if_without_else(value):
    if value:
        value = 1
    return value


def if_at_the_end(values, value):
    if value:
        values.append(value)


def chained(a, b, c):
    if (
        a
        and b
        or
        c
    ):
        return "all"
    elif a or \\
            b:
        return "some"
    else:
        result = "none"
    return result


def one_liners(value):
    if value > 2: return "big"
    if value > 1: value += 1
    while value > 100: value -= 1
    for part in range(value): value += part
    total = [part for part in range(value) if part % 2]; total += [1]
    return (value if value
            else None), total


def loops(values):
    for value in values:
        if value == 1:
            continue
        if value == 2:
            break
        value += 1
    else:
        value = "no break"
    while values:
        if values.pop() == 7:
            break
    else:
        values = "empty"
    return value, values


def nested_loops(rows):
    found = []
    for row in rows:
        for cell in row:
            if cell:
                found.append(cell)
    return found


def hot(values):
    for value in values:
        if (value is not None and
                value != 3) or (
                value == 4):
            value = str(value)
        if value == 5:
            value = 6
    if values:
        return 1


def endless(values):
    while True:
        if not values:
            return "end"
        values.pop()


def handlers(action):
    try:
        result = action()
    except ValueError:
        result = "value"
    except (KeyError, IndexError) as error:
        result = type(error).__name__
    except TypeError:
        raise
    else:
        result = "else"
    finally:
        action = None
    return result


def leaving_try(kind):
    for step in range(3):
        try:
            if kind == "return":
                return step
            if kind == "break":
                break
            if kind == "continue":
                continue
            if kind == "raise":
                raise ValueError(kind)
        finally:
            step += 1
    return kind


def raises_in_condition(action):
    if action():
        return "yes"
    if action(): raise KeyError(1)
    for _ in action():
        action = list


def caught_raise(value):
    try:
        if value: raise ValueError(value)
        if value is None:
            raise KeyError
    except ValueError:
        return "caught"
    return "passed"


def with_blocks(kind):
    with contextlib.suppress(KeyError):
        if kind == "key":
            raise KeyError
        if kind == "return":
            return kind
    with contextlib.ExitStack() as stack, \\
            contextlib.suppress(ValueError):
        stack.callback(str)
        if kind == "value":
            raise ValueError
    with contextlib.ExitStack():
        if kind:
            kind = "last"


def matching(value):
    match value:
        case 1 | 2:
            result = "small"
        case [first, *_] if first:
            result = "list"
        case {"key": inner}:
            result = inner
        case str():
            pass
        case _:
            return "other"
    return result if value != "" else None


def generate(values):
    """Yield."""
    for value in values:
        if value:
            yield value
        else:
            try:
                yield from [value]
            finally:
                value = 0
    received = yield "end"
    if received:
        yield received


def generate_and_clean_up(values):
    for value in values:
        try:
            if value == 3:
                return
            yield value
        finally:
            value += 1
    yield "end"


def delegate(values):
    try:
        yield from generate(values)
    except Exception:
        yield "handled"


def recursive(depth):
    if depth:
        recursive(depth - 1)
    return depth


def compare(a, b):
    return a < b < 10 and \\
        a or \\
        b


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        if not args:
            return function()
        return [function(arg) for arg in args
                if arg]
    return wrapper


@decorated
@functools.lru_cache(
    maxsize=None,
)
def shout(
    word="hi",
):
    return word.upper()


class Thing:
    """A class."""

    kind = "thing" if shout() else "none"
    if kind == "none":
        other = 1
    sizes = {size: size * 2 for size in range(3) if size}

    def documented(self):
        """Nothing else."""

    def empty(self): ...

    @property
    def size(self): return len(
        self.kind
    )


key = lambda item: item or \\
    0
pick = lambda item: (item
                     if item else None)


def call_over_lines(first, second):
    value = max(
        first(),
        second(
            1
        ),
    )
    assert value, (
        "message"
    )
    return {
        "a": value,
        **({"b": 1} if value > 1
           else {}),
    }


class Ticks:
    def __init__(self, count):
        self.count = count

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.count:
            raise StopAsyncIteration
        self.count -= 1
        await asyncio.sleep(0)
        return self.count


@contextlib.asynccontextmanager
async def opened():
    try:
        yield "open"
    finally:
        await asyncio.sleep(0)


async def asynchronous(count, broken):
    total = 0
    async for tick in Ticks(count):
        if tick == 2:
            continue
        total += tick
    async with opened() as state:
        if broken:
            raise ValueError(state)
        total += 1
    pairs = [tick async for tick in Ticks(count) if tick]
    await asyncio.gather(*(asyncio.sleep(0) for _ in range(2)))
    return total, pairs


def dead_code(value):
    if value:
        return 1
        value = 2
    while 0:
        value = 3
    if False:
        value = 4
    return value


def groups(error):
    try:
        raise ExceptionGroup("all", [error])
    except* ValueError:
        return_value = "value"
    except* KeyError:
        return_value = "key"
    return return_value


exec("def made(value):\\n    if value:\\n        return 1\\n    return 2\\n")


def in_turns(begin, end, count):
    for number in range(count):
        begin.get()
        if number % 2:
            kind = "odd"
        else:
            kind = "even"
        end.put(kind)


def imports_late():
    before = 1
    from imported_late import VALUE
    if VALUE != before:
        return VALUE


def asks(get, name):
    before = name
    value = get(name)
    return value or before


def to_be_replaced(value):
    if value:
        return 2 * value
    return 0


replaced = types.FunctionType(to_be_replaced.__code__.replace(co_name="replaced"), globals())


async def waits_inside(handles):
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        if not handles:
            raise
    return handles


async def waits(handles):
    value = await waits_inside(handles)
    value = not value
    return value
'''

LATE = """
def double(value):
    return 2 * value


VALUE = double(1)
"""

TESTS = """
import asyncio
import contextlib
import queue
import threading
import time

import pytest

import code_of_all_kinds as code


def fail(error):
    def action():
        raise error
    return action


@pytest.mark.parametrize("value", [0, 1])
def test_if(value):
    code.if_without_else(value)
    code.if_at_the_end([], value)
    code.recursive(value * 3)
    code.compare(value, 1)
    code.dead_code(value)
    code.made(value)


@pytest.mark.parametrize("values", [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1)])
def test_chained(values):
    code.chained(*values)


@pytest.mark.parametrize("value", [0, 1, 2, 3, 200])
def test_one_liners(value):
    code.one_liners(value)


@pytest.mark.parametrize("values", [[], [1], [2, 7], [3], [7, 2, 3], [1, 3, 2]])
def test_loops(values):
    code.loops(list(values))
    code.endless(list(values))
    code.nested_loops([values, []])


@pytest.mark.parametrize("values", [[1] * 100, [3] * 100, [5, None] * 50, [4] * 30 + [3] * 30, []])
def test_hot(values):
    code.hot(values)


@pytest.mark.parametrize("error", [ValueError, KeyError, IndexError, TypeError, OSError, None])
def test_handlers(error):
    with contextlib.suppress(TypeError, OSError):
        code.handlers(fail(error) if error else int)
    with contextlib.suppress(Exception):
        code.raises_in_condition(fail(error) if error else int)


def test_conditions():
    for answers in ([True], [False, True], [False, False, [1]], [False, False, []]):
        with contextlib.suppress(KeyError):
            code.raises_in_condition(lambda answers=list(answers): answers.pop(0))


@pytest.mark.parametrize("kind", ["return", "break", "continue", "raise", ""])
def test_leaving_try(kind):
    with contextlib.suppress(ValueError):
        code.leaving_try(kind)


@pytest.mark.parametrize("value", [None, 0, 1])
def test_caught_raise(value):
    with contextlib.suppress(KeyError):
        code.caught_raise(value)


@pytest.mark.parametrize("kind", ["key", "return", "value", "", "x"])
def test_with(kind):
    code.with_blocks(kind)


@pytest.mark.parametrize("value", [1, [1], [0], {"key": 2}, "", 2.5])
def test_matching(value):
    with contextlib.suppress(UnboundLocalError):
        code.matching(value)


def test_generator_to_its_end():
    assert list(code.generate([1, 0])) == [1, 0, "end"]


def test_generator_that_is_closed_and_sent_to():
    one = code.generate([0])
    next(one)
    one.close()
    other = code.generate([])
    next(other)
    other.send("x")
    thrown = code.generate([0])
    next(thrown)
    with pytest.raises(KeyError):
        thrown.throw(KeyError())


def suspend(function, values):
    made = function(values)
    next(made)
    return made


LEFT = {
    "closed": suspend(code.generate_and_clean_up, [1, 2]),
    "deleted": suspend(code.generate_and_clean_up, [0]),
    "thrown": suspend(code.generate_and_clean_up, [5]),
    "at the end": suspend(code.generate_and_clean_up, []),
    "in yield from": suspend(code.generate, [0]),
    "in yield from that handles": suspend(code.delegate, [0]),
}


@pytest.mark.parametrize("name", LEFT)
def test_generator_that_waits_since_the_import(name):
    made = LEFT.pop(name)
    if name == "thrown":
        with pytest.raises(KeyError):
            made.throw(KeyError())
    elif name != "deleted":
        made.close()


@pytest.mark.parametrize("values", [[1, 3], [3], [2]])
def test_generator_that_cleans_up(values):
    assert code.generate_and_clean_up(values) is not None
    list(code.generate_and_clean_up(values))


@pytest.fixture
def suspended():
    made = code.generate([1, 0, 2])
    yield next(made)
    for _ in made:
        pass


def test_generator_over_phases(suspended):
    assert suspended == 1


def test_functions_of_one_line():
    for _ in range(2):
        code.Thing().documented()
        code.Thing().empty()
        assert code.Thing().size
    assert code.key(1) and not code.key(0)
    assert code.pick(1)


def test_a_function_of_one_line_again():
    code.Thing().documented()
    assert code.key(0) == 0


@pytest.mark.parametrize("value", [1, 2])
def test_calls_over_lines(value):
    code.call_over_lines(lambda: value, lambda one: one)
    code.shout("a", "")
    code.shout()


def test_assertion_over_lines():
    with pytest.raises(AssertionError):
        code.call_over_lines(lambda: 0, lambda one: 0)


@pytest.mark.parametrize("count", [0, 1, 4])
@pytest.mark.parametrize("broken", [False, True])
def test_asynchronous(count, broken):
    with contextlib.suppress(ValueError):
        asyncio.run(code.asynchronous(count, broken))


@pytest.mark.parametrize("error", [ValueError(), KeyError()])
def test_groups(error):
    code.groups(error)


def test_threads():
    threads = [threading.Thread(target=code.loops, args=([3, 7],)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


BEGIN, END = queue.Queue(), queue.Queue()


def turn():
    BEGIN.put(None)
    END.get()
    time.sleep(0.1)  # until the thread waits again


def test_thread_that_outlives_its_test():
    threading.Thread(target=code.in_turns, args=(BEGIN, END, 3), daemon=True).start()
    turn()


@pytest.mark.parametrize("number", [1, 2])
def test_thread_that_an_earlier_test_has_started(number):
    turn()


def test_import_in_the_midst_of_functions():
    value = code.imports_late()
    assert value == 2
    assert code.imports_late() == 2


@pytest.fixture(scope="module")
def shared():
    return code.made(1)


def test_fixture_in_the_midst_of_a_function(request):
    value = code.asks(request.getfixturevalue, "shared")
    assert value


def test_code_that_is_made_of_other_code():
    assert code.replaced(3) == 6


@pytest.fixture
def loop():
    loop = asyncio.new_event_loop()
    yield loop
    for task in asyncio.all_tasks(loop):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
    loop.close()


def test_task_that_is_cancelled_after_the_test(loop):
    loop.create_task(code.waits(handles=True))
    loop.run_until_complete(asyncio.sleep(0.01))


def test_too_deep():
    with pytest.raises(RecursionError):
        code.recursive(10**6)


def test_wrong():
    assert code.if_without_else(1) == 2
"""

PROJECT = {
    ".coveragerc": "[run]\nsource = .\n",
    "code_of_all_kinds.py": CODE,
    "imported_late.py": LATE,
    "never_imported.py": "def unused():\n    return 1\n",
    "empty/__init__.py": "",
    "tests/test_all.py": TESTS + "\n\nimport empty\n",
}

_NOTHING = "(?!)"  # as a regular expression


class Measured:
    """What a data file says of one file: the arcs that ran, by context."""

    def __init__(self, arcs: Mapping[str, frozenset[Arc]], source: ParsedSource | None) -> None:
        self.arcs = arcs
        self._source = source
        self._branches: dict[Arc, frozenset[Arc]] = {}

    def branches(self, arcs: Iterable[Arc]) -> set[Arc]:
        """Which ways out of lines with several these arcs are to coverage.py's analysis; it takes each by itself."""
        return {branch for arc in arcs for branch in self._branches_of(arc)}

    def _branches_of(self, arc: Arc) -> frozenset[Arc]:
        if self._source is None:
            return frozenset()
        if arc not in self._branches:
            nothing = combine(self._source, Trace(frozenset(), frozenset())).missing_arcs
            this = combine(self._source, Trace(lines_of([arc]), frozenset([arc]))).missing_arcs
            self._branches[arc] = nothing - this
        return self._branches[arc]


def measured(data_file: Path) -> dict[str, Measured]:
    """What a data file says, by file."""
    data = CoverageData(str(data_file), read_only=True)
    data.read()
    with contextlib.closing(sqlite3.connect(data_file)) as database:
        found: dict[str, dict[str, set[Arc]]] = {name: {} for name in data.measured_files()}
        names = "arc join file on file.id = file_id join context on context.id = context_id"
        for name, context, start, end in database.execute(f"select path, context, fromno, tono from {names}"):
            found[name].setdefault(context, set()).add((start, end))
    return {
        name: Measured({context: frozenset(arcs) for context, arcs in contexts.items()}, _source(name))
        for name, contexts in found.items()
    }


def differences(one: Mapping[str, Measured], other: Mapping[str, Measured]) -> list[str]:
    """Where two data files differ, in words: in files, or in a context's lines or branches of one."""
    found = [f"only one of them knows {name}" for name in one.keys() ^ other.keys()]
    for name in one.keys() & other.keys():
        here, there = one[name], other[name]
        for context in here.arcs.keys() | there.arcs.keys():
            ours, theirs = here.arcs.get(context, frozenset()), there.arcs.get(context, frozenset())
            for kind, more, less in (
                ("lines", lines_of(ours) - lines_of(theirs), lines_of(theirs) - lines_of(ours)),
                ("branches", _more(here, ours, theirs), _more(here, theirs, ours)),
            ):
                if more or less:
                    found.append(f"{name}, {context}: {kind} {sorted(more)} - {sorted(less)}")
    return sorted(found)


def lines_of(arcs: Iterable[Arc]) -> frozenset[int]:
    """The lines that ran where these arcs did."""
    return frozenset(line for arc in arcs for line in arc if line > 0)


def _more(file: Measured, arcs: frozenset[Arc], others: frozenset[Arc]) -> set[Arc]:
    more = file.branches(arcs - others)
    return more - file.branches(others) if more else more


def _source(name: str) -> ParsedSource | None:
    try:
        content = Path(name).read_bytes()
    except NotADirectoryError:  # a module in a zip file
        return None
    parsed = parse(decode(content), name, _NOTHING, _NOTHING)
    return parsed.source if isinstance(parsed, Parsed) else None
