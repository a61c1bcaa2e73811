"""Which code keeps what it has computed for longer than the call, and who may have a share in that."""

from __future__ import annotations

from textwrap import dedent

import pytest

from testlens.analysis.kept_values import module_values
from testlens.analysis.reach import Callers


def _kept(source: str) -> list[tuple[str, str, str]]:
    found = module_values(dedent(source)).keepings
    return [(one.kind, one.routine, one.container) for one in found if not one.package]


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("known = {}\ndef f(key):\n    known[key] = g(key)\n", ("shared", "f", "known")),
        ("known = []\ndef f(key):\n    known.append(g(key))\n", ("shared", "f", "known")),
        ("known = {}\ndef f(key):\n    return known.setdefault(key, g(key))\n", ("shared", "f", "known")),
        ("def f():\n    global known\n    known = g()\n", ("shared", "f", "known")),
        ("def f():\n    global known\n    if (known := g()):\n        pass\n", ("shared", "f", "known")),
        ("import local\nlocal_data = local.data()\ndef f(value):\n    local_data.stack = value\n",
         ("shared", "f", "stack")),
        ("def f(value):\n    _local.__dict__.setdefault('stack', []).append(value)\n", ("shared", "f", "_local")),
        ("import os\ndef f():\n    os.environ['TOKEN'] = g()\n", ("shared", "f", "environ")),
        ("class A:\n    def f(self):\n        A.known = g()\n", ("shared", "A.f", "known")),
        ("class A:\n    known = {}\n    def f(self):\n        self.known['a'] = g()\n", ("shared", "A.f", "known")),
        ("class A:\n    @classmethod\n    def f(cls):\n        cls.known = g()\n", ("shared", "A.f", "known")),
        ("import functools\n@functools.lru_cache(maxsize=3)\ndef f():\n    return g()\n", ("result", "f", "f")),
        ("class A:\n    @cached_property\n    def f(self):\n        return g()\n", ("result", "A.f", "f")),
        ("class A:\n    def f(self):\n        if self._a is None:\n            self._a = g()\n        return self._a\n",
         ("instance", "A.f", "_a")),
        ("class A:\n    def f(self, key):\n        if key not in self.known:\n            self.known[key] = g()\n",
         ("instance", "A.f", "known")),
        ("class A:\n    def f(self):\n        try:\n            self.a()\n        except E: self.a = g()\n",
         ("instance", "A.f", "a")),
        ("class A:\n    def f(self):\n        if not hasattr(self, 'a'):\n            self.a = g()\n",
         ("instance", "A.f", "a")),
        ("class A:\n    def f(self):\n        self.__class__.known = g()\n", ("shared", "A.f", "known")),
        ("class A:\n    def f(self):\n        type(self).known = g()\n", ("shared", "A.f", "known")),
        ("class A:\n    __a = None\n    @classmethod\n    def f(klass):\n        klass.__a = g()\n",
         ("shared", "A.f", "__a")),
        ("class M(type):\n    def __call__(self):\n        self.made[1] = super().__call__()\n",
         ("shared", "M.__call__", "made")),
        ("class B:\n    known = []\nclass A(B):\n    def f(self):\n        self.known.append(g())\n",
         ("shared", "A.f", "known")),
        ("class A:\n    def f(self):\n        value = self.a\n        if value is None:\n            self.a = g()\n",
         ("instance", "A.f", "a")),
        ("known = {}\ndef f(key):\n    found = known\n    found[key] = g(key)\n", ("shared", "f", "known")),
        ("known = {}\ndef f(key):\n    (known[key], (a, *b)) = g(key)\n", ("shared", "f", "known")),
        ("from functools import cache as once\n@once\ndef f():\n    return g()\n", ("result", "f", "f")),
        ("@cachetools.cached(cache={})\ndef f():\n    return g()\n", ("result", "f", "f")),
        ("def memo(f):\n    known = {}\n    def inner(key):\n        known[key] = f(key)\n    return inner\n",
         ("enclosed", "memo.inner", "known")),
    ],
)  # fmt: skip
def test_what_outlives_a_call_is_kept(source: str, kept: tuple[str, str, str]) -> None:
    """In a variable or container of a module or class, by a decorator, or by an instance."""
    assert set(_kept(source)) == {kept}


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    known = {}\n    known['a'] = g()\n    return known\n",
        "def f(known):\n    known['a'] = g()\n",
        "def f():\n    found = [g() for _ in range(3)]\n    found.append(g())\n",
        "class A:\n    def __init__(self):\n        self.a = g()\n",
        "class A:\n    def f(self):\n        self.a = g()\n",
        "class A:\n    known: list = field(default_factory=list)\n    def f(self):\n        self.known.append(g())\n",
        # What is put back at the end.
        "mode = {}\ndef f():\n    try:\n        mode['a'] = g()\n    finally:\n        mode['a'] = None\n",
        # Attributes of other people's modules stand in for something, as a stream does.
        "import sys\ndef f():\n    sys.stdout = g()\n",
        # A function that is called, and not handed on, ends with the one around it.
        "def f():\n    known = []\n    def note():\n        known.append(g())\n    note()\n    return known\n",
        "def f(function):\n    function.__doc__ = g()\n",
        # What was just made.
        "def f():\n    Builder().add(g())\n",
        "def f():\n    made = builder()\n    made.add(g())\n",
        "import hashlib\ndef f():\n    hashlib.md5().update(g())\n",
        "class A(list):\n    def f(self):\n        super().append(g())\n",
        "def f(names):\n    match names:\n        case [*x]:\n            x.append(g())\n",
        "f = lambda x: x.append(1)\n",
        "",
    ],
)
def test_what_ends_with_a_call_is_not(source: str) -> None:
    """Or with the instance that a method of it was called on, as far as that tells."""
    assert _kept(source) == []


_CLIENTS = """\
import json
from shop import regions
from shop.retry import again

_known = {}

def client(name):
    if name not in _known:
        _known[name] = Client(name)
    return _known[name]

class Base:
    def __init__(self, name):
        self.address = regions.address(name)

class Client(Base):
    def __len__(self):
        return size()

    def send(self, text):
        return json.dumps(text)

    def ping(self):
        return self.send("")

def size():
    return 1

def dumps(text):
    return text

@again
def sent(text):
    return Client("eu").ping()
"""
_REGIONS = """\
def address(name):
    return name

def other():
    return 2
"""
_RETRY = """\
def again(function):
    def inner(text):
        return function(text)
    return inner
"""


@pytest.fixture(scope="module")
def callers() -> Callers:
    """Of a small project."""
    sources = {"src/shop/clients.py": _CLIENTS, "src/shop/regions.py": _REGIONS, "src/shop/retry.py": _RETRY}
    callers = Callers(sources)
    for path, source in sources.items():
        callers.take(path, module_values(source))
    return callers


@pytest.mark.parametrize(
    ("module", "function", "reaching"),
    [
        # By way of another module, of a class that is made, and of its base.
        (
            "regions",
            "address",
            {"address", "Base.__init__", "Base", "Client", "client", "sent", "again.inner", "again"},
        ),
        ("regions", "other", {"other"}),
        # Special methods are called by what they are for.
        ("clients", "size", {"size", "Client.__len__", "Client", "client", "sent", "again.inner", "again"}),
        # A decorator calls what it decorates; a method is called by others of its class.
        ("clients", "Client.send", {"Client.send", "Client.ping", "sent", "again.inner", "again"}),
        # A function of another package has the same name.
        ("clients", "dumps", {"dumps"}),
    ],
)  # fmt: skip
def test_a_function_is_reached_by_what_mentions_it(
    callers: Callers, module: str, function: str, reaching: set[str]
) -> None:
    """Directly or not."""
    path = f"src/shop/{module}.py"
    (routine,) = callers.named(path, function)
    assert {name for _, name in callers.reaching(path, function, routine.first)} == reaching


def test_an_edited_module_takes_the_place_of_what_it_was() -> None:
    """What it mentioned before counts no more."""
    callers = Callers(("a.py", "b.py"))
    callers.take("a.py", module_values("def f():\n    return 1\n"))
    callers.take("b.py", module_values("from a import f\ndef g():\n    return f()\n"))
    assert callers.reaching("a.py", "f", 2) == {("a.py", "f"), ("b.py", "g")}
    callers.take("b.py", module_values("def g():\n    return 2\n"))
    assert callers.reaching("a.py", "f", 2) == {("a.py", "f")}


def test_functions_in_functions_are_called_there_only() -> None:
    """However many others have the same name."""
    callers = Callers(("a.py",))
    nested = "def {0}():\n    def inner():\n        return 1\n    return inner()\n"
    callers.take("a.py", module_values(nested.format("f") + nested.format("g")))
    assert callers.reaching("a.py", "f.inner", 3) == {("a.py", "f.inner"), ("a.py", "f")}
