"""What the project's interpreter knows of a function: how a test reaches it, calls it, and with which values."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from agent.exploring import Exploration, exploring, line_of
from agent.interpreters import environment_with
from agent.projects import Project
from testlens.domain.expressions import Expression
from testlens.domain.trials import FunctionDescription

REACHED = """
    import contextlib
    import functools
    import sys
    import typing

    def plain(a, /, b, *rest, c=1, **more): pass

    class Thing:
        def __init__(self, name: str): self.name = name
        def method(self, a): pass
        @classmethod
        def made(cls, a): return cls("x")
        @staticmethod
        def helper(a): pass
        @property
        def shown(self): return 1
        @shown.setter
        def shown(self, value): pass
        @functools.cached_property
        def kept(self): return 1
        def __len__(self): return 0
        def __secret(self): pass
        class Inner:
            def deep(self): pass
        def __init_subclass__(cls): pass
        @functools.singledispatchmethod
        def dispatched(self, a): pass
        @dispatched.register
        def _(self, a: int): return 1

    def wraps(function):
        @functools.wraps(function)
        def inner(*args, **kwargs):
            return function(*args, **kwargs)
        return inner

    def blind(function):
        def inner(*args, **kwargs):
            return function(*args, **kwargs)
        return inner

    class Command:
        def __init__(self, callback): self.callback = callback
        def __call__(self): raise SystemExit

    class Meta(type):
        def registered(cls): return 1

    class WithMeta(metaclass=Meta): pass

    @wraps
    @wraps
    def wrapped(a): pass

    @blind
    def hidden(a): pass

    @functools.lru_cache(maxsize=None)
    def cached(a): pass

    @contextlib.contextmanager
    def managing(a):
        yield a

    @contextlib.asynccontextmanager
    async def managing_later(a):
        yield a

    @Command
    def command(a): pass

    @functools.singledispatch
    def chosen(a): pass

    @chosen.register
    def _(a: int): return 1

    def generating(): yield 1

    async def coroutine(): pass

    async def generating_later(): yield 1

    def outer():
        def inside(): pass
        return inside

    @typing.overload
    def loaded(a: int) -> int: ...
    def loaded(a): pass

    def rebound(): pass
    rebound = 1

    def gone(): pass
    del gone

    if sys.version_info < (3,):
        def never(): pass
    """

# By a text on the line of the `def`: the dotted name, kind, callee, parameters, and what else is so.
DESCRIBED = {
    "def plain": ("plain", "function", "reached:plain", ["a", "b", "rest", "c", "more"], ""),
    "def __init__(self, name": ("Thing.__init__", "class", "reached:Thing", ["name"], ""),
    "def method": ("Thing.method", "method", "reached:Thing", ["a"], ""),
    "def made": ("Thing.made", "class method", "reached:Thing.made", ["a"], ""),
    "def helper": ("Thing.helper", "static method", "reached:Thing.helper", ["a"], ""),
    "def shown(self):": ("Thing.shown", "property", "reached:Thing", [], ""),
    "def shown(self, value)": ("Thing.shown", "property", "reached:Thing", ["value"], ""),
    "def kept": ("Thing.kept", "property", "reached:Thing", [], ""),
    "def __len__": ("Thing.__len__", "method", "reached:Thing", [], ""),
    "def deep": ("Thing.Inner.deep", "method", "reached:Thing.Inner", [], ""),
    "def __init_subclass__": ("Thing.__init_subclass__", "class method", "reached:Thing.__init_subclass__", [], ""),
    "def dispatched": ("Thing.dispatched", "method", "reached:Thing", ["a"], ""),
    "def registered": ("Meta.registered", "method", "reached:Meta", [], ""),
    "def wrapped": ("wrapped", "function", "reached:wrapped", ["a"], ""),
    "def hidden": ("hidden", "function", "reached:hidden", ["a"], ""),
    "def cached": ("cached", "function", "reached:cached", ["a"], ""),
    "def managing(": ("managing", "function", "reached:managing", ["a"], "manager"),
    "def managing_later": ("managing_later", "function", "reached:managing_later", ["a"], "async manager"),
    "def command": ("command", "function", "reached:command.callback", ["a"], ""),
    "def chosen": ("chosen", "function", "reached:chosen", ["a"], ""),
    "def _(a": ("_", "function", "reached:chosen", ["a"], ""),
    "def generating(": ("generating", "function", "reached:generating", [], "generator"),
    "def coroutine": ("coroutine", "function", "reached:coroutine", [], "async"),
    "def generating_later": ("generating_later", "function", "reached:generating_later", [], "async generator"),
}
UNREACHABLE = {
    "def inside": ("outer.inside", "it lives inside `outer`"),
    "def loaded(a: int)": ("loaded", "it is an overload, which only type checkers look at"),
    "def rebound": ("rebound", "`rebound` is something else once the module is loaded"),
    "def gone": ("gone", "`gone` is not there once the module is loaded"),
    "def never": ("never", "`never` is not there once the module is loaded"),
}


def plain(code: str) -> str:
    """Marked source, its marks as they read."""
    return re.sub("\x01([^\x02]*)\x02", r"\1", code)


def codes(values: Iterable[Expression]) -> list[str]:
    """What the values are, readable."""
    return [plain(value.code) for value in values]


def nature(description: FunctionDescription) -> str:
    """Which of the three it is."""
    named = {
        "async": description.is_async,
        "generator": description.is_generator,
        "manager": description.is_context_manager,
    }
    return " ".join(name for name, holds in named.items() if holds)


async def test_every_kind_of_function_is_found_where_a_test_finds_it(project: Project) -> None:
    project.write({"reached.py": REACHED})
    found = {}
    async with exploring(project) as exploration:
        for text, (name, *_) in DESCRIBED.items():
            one = await exploration.description(name, line_of(project, text, "reached.py"), "reached.py")
            parameters = [parameter.name for parameter in one.parameters]
            found[text] = (one.name, one.kind, plain(one.callee), parameters, nature(one))
            assert (one.module, one.unreachable) == ("reached", None)

    assert found == DESCRIBED


async def test_what_cannot_be_called_says_why(project: Project) -> None:
    project.write({"reached.py": REACHED})
    found = {}
    async with exploring(project) as exploration:
        for text, (name, _) in UNREACHABLE.items():
            one = await exploration.description(name, line_of(project, text, "reached.py"), "reached.py")
            found[text] = (one.name, one.unreachable)
            assert one.kind == "unreachable"

    assert found == UNREACHABLE


async def test_a_private_method_is_named_as_a_test_has_to_call_it(project: Project) -> None:
    project.write({"reached.py": REACHED})
    async with exploring(project) as exploration:
        line = line_of(project, "def __secret", "reached.py")
        one = await exploration.description("Thing.__secret", line, "reached.py")

    assert one.name == "Thing._Thing__secret"


MODULES = {
    "broken.py": (
        "import nothing_like_this\ndef f(): pass\n",
        "importing broken raises ModuleNotFoundError: ",
    ),
    "leaving.py": ("raise SystemExit(1)\ndef f(): pass\n", "importing leaving raises SystemExit: 1"),
    "ending.py": ("import os\nos._exit(0)\ndef f(): pass\n", "importing its module ends the process"),
    "hanging.py": ("while True: pass\ndef f(): pass\n", "importing its module takes more than"),
    "wrong.py": ("def g(): pass\ndef f(: pass\n", "its file cannot be read"),
    "not-a-name.py": ("import os\ndef f(): pass\n", "no import leads to not-a-name.py"),
}


async def test_a_module_that_cannot_be_imported_says_why(project: Project) -> None:
    project.write({name: text for name, (text, _) in MODULES.items()})
    found = {}
    async with exploring(project, seconds=0.4) as exploration:
        for name in MODULES:
            found[name] = (await exploration.description("f", 2 if name != "ending.py" else 3, name)).unreachable or ""

    assert not {name: reason for name, reason in found.items() if MODULES[name][1] not in reason}


LAYOUTS = {
    "src/pkg/__init__.py": "",
    "src/pkg/inner/__init__.py": "def here(): pass\n",
    "src/pkg/inner/mod.py": "from . import here\ndef f(): pass\n",
    "flat.py": "def f(): pass\n",
    "space/mod.py": "def f(): pass\n",
    "pytest.ini": "[pytest]\npythonpath = src\n",
}


async def test_a_module_is_named_as_tests_import_it(project: Project) -> None:
    project.write(LAYOUTS)
    async with exploring(project) as exploration:
        named = {
            path: (await exploration.description("f" if "__" not in path else "here", line, path)).module
            for path, line in (
                ("src/pkg/inner/mod.py", 2),
                ("src/pkg/inner/__init__.py", 1),
                ("flat.py", 1),
                ("space/mod.py", 1),
            )
        }

    assert list(named.values()) == ["pkg.inner.mod", "pkg.inner", "flat", "space.mod"]


TYPES = """
    from __future__ import annotations

    import abc
    import collections
    import dataclasses
    import datetime
    import decimal
    import enum
    import io
    import logging
    import os
    import pathlib
    import re
    import typing
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, Generic, IO, Literal, NamedTuple, NewType, Optional, Protocol, TypedDict, TypeVar, Union

    if typing.TYPE_CHECKING:
        from decimal import Decimal
        from nothing_like_this import Missing

    T = TypeVar("T")
    Text = TypeVar("Text", str, bytes)
    Code = NewType("Code", str)

    class Colour(enum.Enum):
        RED = 1
        BLUE = 2

    @dataclasses.dataclass
    class Point:
        x: int
        y: int = 0

    class Pair(NamedTuple):
        left: int
        right: str

    class Settings(TypedDict):
        name: str
        size: int

    class Shape(abc.ABC):
        @abc.abstractmethod
        def area(self): ...

    class Square(Shape):
        def __init__(self, side: float): self.side = side
        def area(self): return self.side

    class Alone(Protocol):
        def act(self) -> None: ...

    class Plain:
        def __init__(self, point: Point, path, callback): pass

    class Picky:
        def __init__(self, level: int, mode: str):
            if not 20 <= level <= 30 or mode not in ("fast", "slow"):
                raise ValueError

    class Loop:
        def __init__(self, inner: Optional[Loop] = None): pass

    class Hidden:
        def __init__(self): raise RuntimeError
        @classmethod
        def create(cls, name: str) -> Hidden:
            return object.__new__(cls)

    class Service:
        def __init__(self, name: str, *, client: Any = None):
            if client is None:
                raise OSError("nobody answers")
            self.client = client
        def ask(self): return self.client.ask()

    class Slow:
        def __init__(self):
            while True: pass

    def f(
        flag: bool,
        count: int,
        share: float,
        word: str,
        raw: bytes,
        maybe: str | None,
        either: Union[int, str],
        choice: Literal["a", 2],
        items: list[int],
        mapping: Mapping[str, int],
        pair: tuple[int, str],
        many: tuple[int, ...],
        call: Callable[[int], str],
        path: pathlib.Path,
        stream: IO[str],
        moment: datetime.datetime,
        kind: type[Point],
        colour: Colour,
        point: Point,
        named: Pair,
        settings: Settings,
        shape: Shape,
        alone: Alone,
        text: Text,
        code: Code,
        pattern: re.Pattern[str],
        logger: logging.Logger,
        error: ValueError,
        amount: Decimal,
        missing: Missing,
        listed: Sequence[Missing],
        anything: Any,
        bare,
        plain: Plain,
        picky: Picky,
        loop: Loop,
        hidden: Hidden,
        slow: Slow,
        given: int = 7,
        tail: collections.deque[int] = collections.deque(),
    ): pass
    """

VALUES = {
    "flag": ["True", "False"],
    "count": ["1", "0", "-1", "100"],
    "share": ["0.5", "0.0", "-1.0"],
    "word": ['"name"', '""'],
    "raw": ['b"data"', 'b""'],
    "maybe": ['"name"', "None", '""'],
    "either": ["1", '"name"', "0"],
    "choice": ["'a'", "2"],
    "items": ["[]", "[1]"],
    "mapping": ["{}", '{"name": 1}'],
    "pair": ['(1, "name")'],
    "many": ["()", "(1,)"],
    "call": ['lambda *args, **kwargs: "name"', "lambda *args, **kwargs: None"],
    "path": ['tmp_path / "name"'],
    "stream": ['io:StringIO("name")'],
    "moment": ["datetime:datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime:timezone.utc)"],
    "kind": ["typed:Point"],
    "colour": ["typed:Colour.RED", "typed:Colour.BLUE"],
    "point": ["typed:Point(1)", "typed:Point(0)", "typed:Point(1, y=1)"],
    "named": ['typed:Pair(1, "name")'],
    "settings": ['{"name": "name", "size": 1}'],
    "shape": ["typed:Square(0.5)", "unittest.mock:MagicMock(spec=typed:Shape)"],
    "alone": ["unittest.mock:MagicMock(spec=typed:Alone)"],
    "text": ['"name"', 'b"data"'],
    "code": ['"name"'],
    "pattern": ['re:compile("name")'],
    "logger": ['logging:getLogger("name")'],
    "error": ['ValueError("name")', "ValueError()"],
    "amount": ['decimal:Decimal("1.5")'],
    "missing": [],
    "listed": ["[]", '["name"]'],
    "anything": [],
    "bare": [],
    "plain": ['typed:Plain(typed:Point(1), tmp_path / "name", lambda *args, **kwargs: None)'],
    "picky": ["typed:Picky(25, 'fast')", "typed:Picky(25, 'slow')"],
    "loop": ["typed:Loop()"],
    "hidden": ['typed:Hidden.create("name")'],
    "slow": ["unittest.mock:MagicMock(spec=typed:Slow)"],
    "given": ["7", "1", "0"],
    "tail": ["collections:deque()", "collections:deque([1])"],
}


async def test_values_suit_the_annotations(project: Project) -> None:
    project.write({"typed.py": TYPES})
    async with exploring(project) as exploration:
        one = await exploration.description("f", line_of(project, "def f(", "typed.py"), "typed.py")

    found = {parameter.name: codes(parameter.values) for parameter in one.parameters}
    assert not {name: values for name, values in found.items() if not set(VALUES[name]) <= set(values)}
    assert not [name for name, values in found.items() if values and not VALUES[name]]
    assert found.keys() == VALUES.keys()
    by_name = {parameter.name: parameter for parameter in one.parameters}
    assert by_name["path"].values[0].fixtures == ("tmp_path",)
    assert by_name["given"].values[0].origin == "default"
    assert by_name["shape"].values[-1].origin == "mock"
    assert by_name["maybe"].annotation == "str | None"


RECEIVERS = {
    "Square.area": ["typed:Square(0.5)", "typed:Square(0.0)"],
    "Shape.area": ["typed:Square(0.5)", "unittest.mock:MagicMock(spec=typed:Shape)"],
    "Service.ask": ['typed:Service("name", client=unittest.mock:MagicMock())'],
    "Alone.act": ["unittest.mock:MagicMock(spec=typed:Alone)"],
}


@pytest.fixture
async def typed(project: Project) -> AsyncIterator[Exploration]:
    """An explorer of the types above."""
    project.write({"typed.py": TYPES, "reached.py": REACHED})
    async with exploring(project) as exploration:
        yield exploration


async def test_receivers_are_built_by_their_constructors(project: Project, typed: Exploration) -> None:
    lines = {
        "Square.area": "def area(self): return",
        "Shape.area": "def area(self): ...",
        "Alone.act": "def act",
        "Service.ask": "def ask",
    }
    for name, receivers in RECEIVERS.items():
        one = await typed.description(name, line_of(project, lines[name], "typed.py"), "typed.py")
        assert set(receivers) <= set(codes(one.receivers)), name
        assert codes(one.receivers)[0] == receivers[0]


async def test_the_methods_of_a_metaclass_are_called_on_its_classes(project: Project, typed: Exploration) -> None:
    one = await typed.description("Meta.registered", line_of(project, "def registered", "reached.py"), "reached.py")

    assert codes(one.receivers) == ["reached:WithMeta"]


MODELS = """
    import attrs
    import pydantic

    @attrs.define
    class Attributes:
        _size: int
        name: str = "x"

    class Model(pydantic.BaseModel):
        size: int = pydantic.Field(gt=10, lt=1000)
        tags: list[str] = []

    def f(attributes: Attributes, model: Model): pass
    """


async def test_models_of_attrs_and_pydantic_are_built(project: Project) -> None:
    packages = ("pytest", "coverage", "attrs", "pydantic")
    equipped = Project(project.root, environment_with("models", Path(sys.executable), packages))
    equipped.write({"models.py": MODELS})
    async with exploring(equipped) as exploration:
        one = await exploration.description("f", line_of(project, "def f(", "models.py"), "models.py")

    attributes, model = one.parameters
    assert codes(attributes.values)[0] == "models:Attributes(1)"
    assert codes(model.values)[0] == "models:Model(size=100)"


SEALED = """
    import re
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Sealed:
        code: str

        def __post_init__(self):
            if not re.fullmatch("[A-Z]{3}-[0-9]", self.code):
                raise ValueError(self.code)

    def f(sealed: Sealed): pass
    """
REGISTERED = """
    from hypothesis import strategies

    from sealed import Sealed

    strategies.register_type_strategy(Sealed, strategies.builds(Sealed, strategies.just("ABC-1")))
    """


async def test_a_type_that_the_project_taught_hypothesis_is_drawn_by_it(project: Project) -> None:
    packages = ("pytest", "coverage", "hypothesis")
    equipped = Project(project.root, environment_with("strategies", Path(sys.executable), packages))
    equipped.write({"sealed.py": SEALED, "conftest.py": REGISTERED})
    async with exploring(equipped) as exploration:
        one = await exploration.description("f", line_of(project, "def f(", "sealed.py"), "sealed.py")

    assert codes(one.parameters[0].values)[0] == "sealed:Sealed(code='ABC-1')"


async def test_each_value_can_be_used_in_a_test(project: Project, typed: Exploration) -> None:
    """What is suggested is suggested as it was evaluated: no other value is needed to try it."""
    one = await typed.description("f", line_of(project, "def f(", "typed.py"), "typed.py")
    used = [value for parameter in one.parameters for value in parameter.values]
    modules = sorted({found[1] for value in used for found in re.finditer("\x01([^:]*):", value.code)})
    texts = [re.sub("\x01([^:]*):([^\x02]*)\x02", lambda m: f"{m[1]}.{m[2]}", value.code) for value in used]
    body = "\n".join(f"    {text}" for text in dict.fromkeys(texts))
    text = "".join(f"import {module}\n" for module in modules) + f"def test_it(tmp_path):\n{body}\n"
    trial = await typed.trial(text, watch="typed.py")

    assert (trial.outcome, trial.message) == ("passed", "")
