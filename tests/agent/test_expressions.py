"""A value that a test saw can be built again in another test: what is written of it is that value and no other."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock

import pytest

from agent.interpreters import environment, found, in_order
from agent.self_made import DoublesItself, SortsItself
from agent.written_values import evaluated
from testlens.domain.expressions import Reference, references, resolve
from testlens_agent.expressions import Expr, ExpressionWriter

SERVER = Path(__file__).resolve().parents[2] / "server"
PROGRAM = Path(__file__).with_name("written_values.py")

IMPORTS = """
    import datetime, enum, functools, io, math, os, pathlib, re, types, uuid, zoneinfo
    from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
    from dataclasses import dataclass, field
    from datetime import date, time, timedelta, timezone
    from decimal import Decimal
    from fractions import Fraction
    from typing import NamedTuple, Optional
    from unittest.mock import AsyncMock, MagicMock, Mock
    """
SHOP = """
    import functools
    from dataclasses import dataclass, field
    from collections import namedtuple
    from enum import Enum, Flag, IntEnum, IntFlag
    from typing import NamedTuple

    class Colour(Enum):
        RED = "red"
        DARK_RED = 2

    class Size(IntEnum):
        SMALL = 1

    Odd = Enum("Odd", [("not an identifier", 1)], module=__name__)

    class Access(Flag):
        READ = 1
        WRITE = 2
        BOTH = 3

    class Mode(IntFlag):
        A = 1
        B = 4

    @dataclass
    class Item:
        name: str
        price: float = 1.0
        tags: list = field(default_factory=list)

        @functools.cached_property
        def label(self):
            return self.name.upper()

    @dataclass(frozen=True)
    class Checked:
        amount: int

        def __post_init__(self):
            if self.amount < 0:
                raise ValueError

    @dataclass
    class Order(Item):
        customer: "Customer" = None

        class Line(NamedTuple):
            product: str
            count: int = 1

    class Customer(NamedTuple):
        name: str
        age: int = 0

    Point = namedtuple("Point", "x y")

    class ShopError(Exception):
        pass

    class Till:
        @classmethod
        def opened(cls):
            return cls()

        @staticmethod
        def count(coins):
            return len(coins)

    class _Unset:
        pass

    UNSET = _Unset()
    missing = _Unset()

    @functools.lru_cache
    def price(name):
        return 1

    item_with_label = Item("a")
    item_with_label.label
    """
VALUES = (
    "None", "True", "...", "NotImplemented",
    "0", "-1", "10**50", "True + 1",
    "0.1", "-0.0", "1e300", "math.nan", "-math.inf", "complex(1, -0.0)", "complex(math.nan, 2)",
    "''", "'it\\'s \"quoted\"'", "'\\n\\x00\\x01shop:Item\\x02'", "'\\ud800'", "'caf\u00e9 \U0001f600'",
    "b''", "b'\\x00\\xff'", "bytearray()", "bytearray(b'ab')",
    "()", "(1,)", "(1, (2,))", "[]", "[[], [1, [2, None]]]", "{}", "{'a': {1: [2]}, (1, 2): 'b'}",
    "set()", "{1}", "{'b', 'a', (1,)}", "frozenset()", "frozenset({1, 2})", "[{1: {2: {3: [4]}}}]",
    "range(3)", "range(1, 3)", "range(5, 0, -2)", "slice(None, 3, None)",
    "date(2024, 2, 29)", "time(12, 30)", "time(0, 0, tzinfo=timezone.utc)", "datetime.datetime(2024, 1, 2)",
    "datetime.datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=1), 'x'), fold=1)",
    "timedelta()", "timedelta(days=-1, microseconds=5)", "timezone.utc", "timezone(timedelta(hours=-3))",
    "datetime.datetime(2024, 1, 2, tzinfo=zoneinfo.ZoneInfo('UTC'))",
    "Decimal('1.10')", "Decimal('-Infinity')", "Decimal('1E+5')", "Fraction(-3, 7)",
    "uuid.UUID(int=5)", "pathlib.Path('a/b')", "pathlib.PurePosixPath('/x')", "pathlib.PureWindowsPath('c:/x')",
    "re.compile('a+')", "re.compile(b'a', re.I)", "re.compile('(?x) a', re.I | re.M | re.S | re.A)",
    "OrderedDict()", "OrderedDict([('b', 1), ('a', 2)])", "defaultdict(list)", "defaultdict(None, {1: 2})",
    "Counter()", "Counter('abca')", "deque()", "deque([1, 2], maxlen=3)", "deque(maxlen=0)",
    "types.MappingProxyType({'a': 1})", "types.SimpleNamespace()", "types.SimpleNamespace(a=1, b=[2])",
    "io.StringIO()", "io.StringIO('a\\nb')", "io.BytesIO(b'ab')", "functools.partial(int, '10', base=2)",
    "len", "dict", "math.sin", "os.path.join", "datetime.datetime", "io.StringIO", "pathlib.Path", "OrderedDict", "os",
    "os.path", "price", "Till.opened", "Till.count", "Order.Line", "ShopError", "datetime.datetime.now",
    "Colour.RED", "Colour.DARK_RED", "Size.SMALL", "Odd(1)", "[Size.SMALL, 1]",
    "Access.READ", "Access.BOTH", "Access(0)", "Mode.A | Mode.B", "Mode(8)", "Mode(0)", "re.I", "re.I | re.M",
    "Item('a')", "Item('a', 2.0, ['x'])", "Item('a', 1, [])", "Checked(3)", "item_with_label",
    "Order('a', customer=Customer('b', 3))", "Order.Line('p')", "Point(1, y=[2])", "{'k': (Item('a'), Colour.RED)}",
    "ValueError()", "KeyError('a')", "ShopError('x', 1)", "OSError(2, 'gone')", "FileNotFoundError(2, 'gone', 'f')",
    "UnicodeDecodeError('utf-8', b'a', 0, 1, 'why')", "SystemExit(3)", "StopIteration()", "UNSET", "missing",
    "ChainMap({1: 2}, {})", "ChainMap()", "iter([1, [2]])",
    "Mock()", "MagicMock()", "AsyncMock()", "{'client': MagicMock()}",
)  # fmt: skip


def judged(python: Path, folder: Path, modules: Mapping[str, str], values: tuple[str, ...]) -> dict[str, Any]:
    """What is wrong with the expressions of values that an interpreter makes, None for each that is right."""
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
    request = {"server": str(SERVER), "folder": str(folder), "modules": list(modules), "values": values}
    done = subprocess.run(
        [str(python), str(PROGRAM)], input=json.dumps(request), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    verdicts: dict[str, Any] = json.loads(done.stdout)
    return verdicts


@pytest.mark.parametrize("version", in_order(found()))
def test_a_value_seen_in_a_test_can_be_built_again_in_another(version: str, tmp_path: Path) -> None:
    python = environment(version, found()[version])
    verdicts = judged(python, tmp_path, {"imports": IMPORTS, "shop": SHOP}, VALUES)
    assert verdicts == dict.fromkeys(VALUES)


GENERATED = """
    import attr, attrs, pydantic
    from typing import Annotated, Optional

    @attrs.define
    class Point:
        x: int
        _y: int = 2
        tags: list = attrs.field(factory=list, converter=list)

    @attr.s(frozen=True)
    class Old:
        x = attr.ib(converter=int)

    class Address(pydantic.BaseModel):
        street: str = ""

    class Person(pydantic.BaseModel):
        name: str = pydantic.Field(alias="fullName")
        age: int = 3
        born: list[str] = pydantic.Field(default_factory=list)
        address: Optional[Address] = None
    """


def test_models_of_attrs_and_pydantic_are_written_as_calls_of_their_class(tmp_path: Path) -> None:
    values = (
        "Point(1)", "Point(1, 3, ['a'])", "Old('4')", "Address()", "Person(fullName='a')",
        "Person(fullName='a', age=4, born=['x'], address=Address(street='s'))", "[Address(street='s')]",
    )  # fmt: skip
    verdicts = judged(Path(sys.executable), tmp_path, {"models": GENERATED}, values)
    assert verdicts == dict.fromkeys(values)


INEXACT = """
    import attrs, enum, io, pydantic
    from collections import UserDict, namedtuple
    from dataclasses import InitVar, dataclass, field

    class Loud(str):
        def __repr__(self):
            return "'quiet'"

    class Count(int):
        pass

    class MyDict(dict):
        pass

    class Local:
        pass

    class Filled:
        pass

    filled = Filled()
    filled.x = 1

    def local():
        class Inner(enum.Enum):
            A = 1
        return Inner.A

    @dataclass
    class Growing:
        amount: int

        def __post_init__(self):
            self.amount += 1

    @dataclass
    class Numbered:
        number: int = field(init=False, default_factory=iter([1, 2]).__next__)

    @dataclass
    class WithVariable:
        seed: InitVar[int]

    @dataclass
    class Plain:
        x: int = 1

    extended = Plain()
    extended.more = 1

    class Doubling(namedtuple("Base", "x")):
        def __new__(cls, x):
            return super().__new__(cls, 2 * x)

    @attrs.define
    class Converted:
        x: int = attrs.field(converter=lambda given: given + 1)

    class Validated(pydantic.BaseModel):
        x: int

        @pydantic.field_validator("x")
        @classmethod
        def grow(cls, x):
            return x + 1

    class Coded(Exception):
        def __init__(self, code):
            super().__init__(f"code {code}")

    half_read = io.StringIO("abcd")
    half_read.read(2)
    closed = io.StringIO()
    closed.close()
    endless = []
    endless.append(endless)
    wide = [0]
    for _ in range(40):
        wide = [wide, wide]
    deep = []
    for _ in range(1000):
        deep = [deep]
    """


def test_what_no_text_rebuilds_exactly_has_no_expression(tmp_path: Path) -> None:
    values = (
        "Loud('x')", "Count(3)", "MyDict()", "Local()", "filled", "local()", "lambda: 1", "object()", "[object()]",
        "iter({})",
        "Growing(1)", "Numbered()", "WithVariable(1)", "extended", "Doubling(1)", "Converted(1)", "Validated(x=1)",
        "Coded(3)", "half_read", "closed", "endless", "wide", "deep", "'long' * 200", "list(range(1000))",
        "open(__file__)", "UserDict()", "10 ** 5000",
    )  # fmt: skip
    verdicts = judged(Path(sys.executable), tmp_path, {"inexact": INEXACT}, values)
    assert verdicts == dict.fromkeys(values, "it has no expression")


def test_what_may_be_a_secret_has_no_expression(tmp_path: Path) -> None:
    secrets = """
        from dataclasses import dataclass
        from types import SimpleNamespace

        @dataclass
        class Login:
            user: str
            password: str
        """
    values = (
        "{'password': 'hunter2'}", "{'a': [{'API_KEY': b'x'}]}", "Login('me', 'hunter2')",
        "SimpleNamespace(auth_token='x')", "'AKIA' + 'IOSFODNN7EXAMPLE'", "'ghp_' + 'a1B2c3D4' * 4",
        "'Bearer eyJhbGciOiJIUzI1NiJ9.' + 'e30.x'", "'-----BEGIN RSA ' + 'PRIVATE KEY-----'", "'sk-' + 'a1b2c3d4' * 4",
        "b'9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'", "'postgres://me:hunter2@db/x'",
        "'q7Zx2LmPf9Kd4WvT8sRb1NcYh6GjE3uA'",
    )  # fmt: skip
    harmless = (
        "{'password': None}", "{'password': ''}", "{'max_tokens': 100}", "Login('me', '')", "'monkey'",
        "'8-4-4-4-12: 123e4567-e89b-12d3-a456-426614174000'", "'http://example.com/a?b=c'", "'a' * 64",
        "'a_rather_long_name_of_some_function_in_a_module'",
    )  # fmt: skip
    verdicts = judged(Path(sys.executable), tmp_path, {"secret_things": secrets}, values + harmless)
    assert verdicts == {**dict.fromkeys(values, "it has no expression"), **dict.fromkeys(harmless)}


def test_what_only_this_machine_or_run_knows_has_no_expression(tmp_path: Path) -> None:
    values = (
        "__file__", "os.path.expanduser('~/x')", "os.getcwd() + '/x'", "tempfile.mkdtemp()", "repr(object())",
        "pathlib.Path('/tmp/pytest-of-me/pytest-0/test_x0')", "Helper", "Helper()",
    )  # fmt: skip
    machine = "import os, pathlib, tempfile\nclass Helper:\n    pass"
    verdicts = judged(Path(sys.executable), tmp_path, {"test_machine": machine}, values)
    assert verdicts == dict.fromkeys(values, "it has no expression")


HOSTILE = """
    def refuse(self, *args, **kwargs):
        raise SystemExit("touched")

    methods = (
        "__repr__ __str__ __eq__ __hash__ __bool__ __len__ __iter__ __getattr__ __getattribute__ __class_getitem__ "
        "__reduce__ __reduce_ex__ __format__ __contains__ __getitem__ __instancecheck__ __call__ __dir__ __sizeof__"
    ).split()
    space = dict.fromkeys(methods, refuse)
    Hostile = type("Hostile", (), {**space, "__class__": property(refuse), "__dict__": property(refuse)})
    Meta = type("Meta", (type,), {name: refuse for name in methods if name != "__call__"})
    HostileClass = Meta("HostileClass", (), {})
    HostileList = type("HostileList", (list,), space)
    HostileText = type("HostileText", (str,), space)
    HostileError = type("HostileError", (Exception,), {**space, "args": property(refuse)})
    """


def test_the_agent_touches_no_special_method_of_an_object_that_it_writes(tmp_path: Path) -> None:
    values = (
        "Hostile()", "[Hostile()]", "HostileClass()", "HostileList()", "HostileText()", "HostileError([object()])",
    )  # fmt: skip
    verdicts = judged(Path(sys.executable), tmp_path, {"hostile": HOSTILE}, values)
    assert verdicts == dict.fromkeys(values, "it has no expression")


def test_an_object_that_is_known_is_written_as_the_tests_come_by_it() -> None:
    client = object()
    known = {id(client): Expr("client", ("client",))}
    writer = ExpressionWriter(lambda value: known.get(id(value)))
    assert writer.write(client) == Expr("client", ("client",))
    assert writer.write({"a": [client], "b": client}) == Expr("{'a': [client], 'b': client}", ("client",))
    assert writer.write([object()]) is None


def test_a_stand_in_is_written_with_what_it_was_told_to_answer() -> None:
    client = MagicMock(spec=Path)
    client.read_text.return_value = "hello"
    client.stat.return_value.st_size = 3
    client.open.side_effect = [1, OSError(2, "gone")]
    client.__enter__.return_value = 5
    client.glob("*")
    client.local = lambda: 1
    for stand_in in (client, Mock(return_value=None), AsyncMock(return_value=[1]), Mock(a=1, b=Mock(c=MagicMock()))):
        expression = ExpressionWriter().write(stand_in)
        assert expression is not None
        again = evaluated(expression.code)
        assert ExpressionWriter().write(again) == expression
        client = again if stand_in is client else client
    assert (client.read_text(), client.stat().st_size, client.open()) == ("hello", 3, 1)
    with client as entered, pytest.raises(OSError, match="gone"):
        client.open()
    assert entered == 5
    with pytest.raises(AttributeError):
        client.no_such_method()


def test_a_stand_in_keeps_its_secrets() -> None:
    expression = ExpressionWriter().write(Mock(password="hunter2", user="ada"))
    assert expression == Expr("\x01unittest.mock:Mock\x02(user='ada')")


def test_a_class_that_works_out_its_values_is_written_only_where_building_it_again_gives_the_same() -> None:
    checking = ExpressionWriter(rebuild=lambda cls, arguments: cls(**arguments))
    sorted_names, doubled = SortsItself(("b", "a")), DoublesItself(2)
    assert ExpressionWriter().write(sorted_names) is None
    assert checking.write(sorted_names) == Expr("\x01agent.self_made:SortsItself\x02(names=('a', 'b'))")
    assert checking.write(doubled) is None


def test_a_name_is_marked_with_the_public_module_that_has_it() -> None:
    writer = ExpressionWriter()
    assert writer.type_name(3) == "int"
    assert references(writer.type_name(Path())) == (Reference("pathlib", "PosixPath"),)
    assert writer.type_name(json.JSONDecodeError("x", "", 0)) == "\x01json.decoder:JSONDecodeError\x02"
    assert writer.type_name(type("Local", (ValueError,), {})()) == "ValueError"
    module = writer.write(json)
    assert module is not None
    assert resolve(module.code, lambda reference: f"{reference.module}|{reference.qualname}") == "json|"
