"""From a live class, function or module to the name that a test imports it under, without running the project's code.

A mark is `\\x01module:qualname\\x02`: what it stands for is written as the project's tests import things. Neither
character occurs in a literal, since `repr` escapes both.
"""

from __future__ import annotations

import builtins
import functools
import re
import sys
import types
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, Callable

_NAMED = (FunctionType, BuiltinFunctionType, functools._lru_cache_wrapper)
_TEST_FILE = re.compile(r"(?:^|[\\/])(?:test_[^\\/]*|[^\\/]*_test|conftest)\.py$")
_QUALNAME = type.__dict__["__qualname__"]
_NAME = type.__dict__["__name__"]
_HASH, _EQUALS = object.__hash__, object.__eq__
_MRO = type.__dict__["__mro__"]


def mark(module: str, qualname: str) -> str:
    """The text that stands for a name of a module in marked source; empty `qualname`: for the module itself."""
    return qualname if module == "builtins" and qualname else f"\x01{module}:{qualname}\x02"


def import_path(value: object) -> str | None:
    """The mark of a module, class or function; None where no import leads to this very object."""
    if type(value) is ModuleType:
        name = value.__name__
        return mark(name, "") if sys.modules.get(name) is value and _may_import(value) else None
    if issubclass(type(value), type):
        return _verified(type.__getattribute__(value, "__module__"), _QUALNAME.__get__(value), value)
    if type(value) in _NAMED:
        named: Any = value
        return _verified(getattr(named, "__module__", None), getattr(named, "__qualname__", None), value)
    return None


def nearest_class(cls: type) -> str:
    """The mark of the class, or of the first of its base classes that can be imported."""
    if cls is types.FunctionType:  # which is imported by another name than its own
        return mark("types", "FunctionType")
    return next(path for base in class_order(cls) if (path := import_path(base)) is not None)


def class_order(cls: type) -> tuple[type, ...]:
    """The class and its bases in the order in which attributes are looked up."""
    order: tuple[type, ...] = _MRO.__get__(cls)
    return order


def class_name(cls: type) -> str:
    """The name that the class was made with."""
    name: str = _NAME.__get__(cls)
    return name


def is_ordinary(cls: type) -> bool:
    """Whether classes can be told apart without code of the project: its metaclass may say what is equal to it."""
    meta = type(cls)
    if meta is type:
        return True
    return class_attribute(meta, "__hash__") is _HASH and class_attribute(meta, "__eq__") is _EQUALS


def is_one_of(value: object, kinds: tuple[type, ...]) -> bool:
    """Whether its class is one of these. By identity: what is equal to a class, its metaclass may say."""
    return any(type(value) is kind for kind in kinds)


def class_attribute(cls: type, name: str) -> Any:
    """What the class has under that name, no descriptor asked; None where it has nothing."""
    return next((vars(base)[name] for base in class_order(cls) if name in vars(base)), None)


def constant_name(value: object, has_state: Callable[[], bool]) -> str | None:
    """The mark of a constant that holds this very object, in the module that has its class.

    A name in capitals says that it is one, and so does an object without any state.
    """
    module = sys.modules.get(str(type.__getattribute__(type(value), "__module__")))
    if module is None or not _may_import(module):
        return None
    for name, held in list(vars(module).items()):
        if held is value and (name.isupper() or not has_state()):
            return mark(module.__name__, name)
    return None


def _verified(module: object, qualname: object, value: object) -> str | None:
    if type(module) is not str or type(qualname) is not str or "<" in qualname:
        return None
    places = (place for place in (*_public_places(module), shown_in(module, qualname), module))
    return next((mark(place, qualname) for place in places if _leads_to(place, qualname, value)), None)


def shown_in(module: str, qualname: str) -> str:
    """The module that a test takes the name from: the package above where that hides the module by its own name.

    `import package.retry` gives the function `retry` where the package has one of that name.
    """
    package, _, name = module.rpartition(".")
    above, own = sys.modules.get(package), sys.modules.get(module)
    if type(above) is not ModuleType or type(own) is not ModuleType or vars(above).get(name) is own:
        return module
    first = qualname.partition(".")[0]
    held = vars(own).get(first)
    return package if held is not None and vars(above).get(first) is held else module


@functools.lru_cache(maxsize=1000)
def _public_places(module: str) -> tuple[str, ...]:
    """The packages that may show in public what a private module of theirs defines: `io` for `_io`."""
    parts = module.split(".")
    private = next((at for at, part in enumerate(parts) if part.startswith("_")), None)
    if private is None:
        return ()
    return (".".join(parts[:private]) or parts[0].lstrip("_"),)


def _leads_to(place: str, qualname: str, value: object) -> bool:
    if place == "builtins":
        return vars(builtins).get(qualname) is value
    module = sys.modules.get(place)
    if type(module) is not ModuleType or not _may_import(module):
        return False
    first, *rest = qualname.split(".")
    found: Any = vars(module).get(first)
    for name in rest:
        if not issubclass(type(found), type):
            return False
        found = class_attribute(found, name)
    if type(found) is staticmethod:
        found = found.__func__
    return found is value


def _may_import(module: ModuleType) -> bool:
    """Whether another test may import it: not what runs as the program, nor a file of tests or fixtures."""
    file = vars(module).get("__file__")
    return module.__name__ != "__main__" and not (type(file) is str and _is_test_file(file))


@functools.lru_cache(maxsize=1000)
def _is_test_file(file: str) -> bool:
    return _TEST_FILE.search(file) is not None
