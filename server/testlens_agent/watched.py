"""Which functions are worth watching while tests run, and for how long each."""

from __future__ import annotations

import os
import re
from types import CodeType

from testlens_agent.frames import parameters_of

_CALLS_KEPT = 6
_CALLS_LOOKED_AT = 24
_CALLS_LOOKED_AT_IN_ONE_TEST = 4
_OBJECTS_LOOKED_AT = 2000
_OBJECTS_LOOKED_AT_IN_ONE_TEST = 3
_OBJECTS_OF_COMMON_CLASSES = 200  # from then on, one in each test

_CO_OPTIMIZED = 0x01
_CO_NESTED = 0x10
_CO_SUSPENDS = 0x20 | 0x80 | 0x200  # generators, coroutines, asynchronous generators
_NOT_PRODUCT = re.compile(
    r"(?:^|[\\/])"
    r"(?:\.[^\\/]*|site-packages|dist-packages|node_modules|tests?|conftest\.py|test_[^\\/]*\.py|[^\\/]*_test\.py)"
    r"(?:[\\/]|$)"
)
# Constructors that are written once for many classes: those of generated classes and of well-known base classes.
_SHARED_CONSTRUCTORS = re.compile(
    r"<string>$|<attrs generated"
    r"|.*[\\/](?:pydantic[\\/]main|sqlalchemy[\\/]orm[\\/]decl_base|django[\\/]db[\\/]models[\\/]base)\.py$"
)
_SHARED_NAMES = frozenset({"__init__", "_declarative_constructor"})


class WatchedFunction:
    """One function to watch. `path` is absolute, None where only what it builds counts, and not its calls.

    What a class is built with is of use beyond the function, so that constructors are watched for longer.
    """

    def __init__(self, code: CodeType, path: str | None) -> None:
        self.code = code
        self.path = path
        self.parameters = parameters_of(code)
        self.suspends = bool(code.co_flags & _CO_SUSPENDS)
        self.builds = code.co_name == "__new__" or code.co_name in _SHARED_NAMES
        self.seen: set[str] = set()
        self._looks = 0
        self._test = 0
        self._looks_in_test = 0

    @property
    def wants_calls(self) -> bool:
        """Whether more of its calls are to be kept."""
        if self.path is None:
            return False
        return len(self.seen) < _CALLS_KEPT and self._looks < _CALLS_LOOKED_AT

    @property
    def is_done(self) -> bool:
        """Whether nothing more is to be learned from it in this run."""
        return not self.wants_calls and not (self.builds and self._looks < _OBJECTS_LOOKED_AT)

    @property
    def _most_in_test(self) -> int:
        if not self.builds:
            return _CALLS_LOOKED_AT_IN_ONE_TEST
        return _OBJECTS_LOOKED_AT_IN_ONE_TEST if self._looks < _OBJECTS_OF_COMMON_CLASSES else 1

    def may_look(self, test: int) -> bool:
        """Whether to look at one more call of it, in the test with this number; counts it."""
        if self._test != test:
            self._test, self._looks_in_test = test, 0
        if self._looks_in_test >= self._most_in_test or self.is_done:
            return False
        self._looks_in_test += 1
        self._looks += 1
        return True


class ProjectCode:
    """Tells the functions to watch from all others: those of files in `root` that are neither tests nor installed.

    Beside them there are constructors from elsewhere that build objects of the project's classes.
    """

    def __init__(self, root: str) -> None:
        self._prefix = root + os.sep
        self._is_product: dict[str, bool] = {}

    def has(self, filename: str) -> bool:
        """Whether the file, by the name that its code objects have, may hold functions to watch."""
        return self._is_own(filename) or _SHARED_CONSTRUCTORS.match(filename) is not None

    def _is_own(self, filename: str) -> bool:
        known = self._is_product.get(filename)
        if known is None:
            known = filename.startswith(self._prefix) and not _NOT_PRODUCT.search(filename[len(self._prefix) :])
            self._is_product[filename] = known
        return known

    def function(self, code: CodeType) -> WatchedFunction | None:
        """The function to watch; None for the code of modules, classes, inner functions and other files."""
        if not self._is_own(code.co_filename):
            is_shared = code.co_name in _SHARED_NAMES and _SHARED_CONSTRUCTORS.match(code.co_filename) is not None
            return WatchedFunction(code, None) if is_shared else None
        if code.co_name.startswith("<"):
            return None
        if not code.co_flags & _CO_OPTIMIZED or code.co_flags & _CO_NESTED:
            return None
        return WatchedFunction(code, code.co_filename)
