"""Decides how a test refers to what it needs: which imports are reused, which are new, and under which name."""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from testlens.domain.expressions import Reference
from testlens.scaffold.host import Host
from testlens.scaffold.style import Style, matches

_CUSTOMARY = """
__future__ anyio asyncio base64 builtins contextlib copy csv functools gc glob gzip hashlib hmac importlib inspect io
itertools json logging math numpy operator os os.path pandas pickle platform pytest random re secrets select shutil
signal socket sqlite3 ssl stat string struct subprocess sys tempfile textwrap threading time tomllib traceback trio
types uuid warnings weakref zlib
"""
_CUSTOMARILY_WHOLE = frozenset(_CUSTOMARY.split())
"""Modules that are imported whole unless the project's tests do otherwise."""
_HOOKS = """
collect_ignore collect_ignore_glob load_tests pytest_plugins pytestmark setUpModule setup setup_function setup_module
tearDownModule teardown teardown_function teardown_module
"""
_SPECIAL = frozenset(_HOOKS.split())
"""Names to which pytest gives a meaning of its own when a test module has them."""


@dataclass(frozen=True, slots=True)
class NeededImport:
    """`from module import name as alias`; without `name` the module itself, without `alias` under its own name."""

    module: str
    name: str = ""
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Naming:
    """How each reference is written, and the imports that the module lacks for that."""

    texts: Mapping[Reference, str]
    needed: tuple[NeededImport, ...]


def choose_names(references: Iterable[Reference], host: Host, local_names: Collection[str], style: Style) -> Naming:
    """Names for the references that mean the same in every test: `local_names` are those that the tests give a meaning
    of their own (variables, fixtures, the tests themselves)."""
    chooser = _Chooser(host, frozenset(local_names), style)
    texts = {reference: chooser.text(reference) for reference in references}
    return Naming(texts, tuple(chooser.needed))


class _Chooser:
    def __init__(self, host: Host, local_names: frozenset[str], style: Style) -> None:
        self._host = host
        self._bindings = dict(host.bindings)
        self._known = {reference: name for name, reference in self._bindings.items() if name not in local_names}
        self._packages = _imported_packages(host)
        self._refused = host.taken | local_names | frozenset(style.fixtures)
        self._style = style
        # Two statements that import from one module are what linters merge unless they are told otherwise.
        self._one_name_each = style.single_imports and not host.has_single_imports
        self.needed: list[NeededImport] = []

    def text(self, reference: Reference) -> str:
        module, qualname = reference.module, reference.qualname
        if not qualname:
            return self._module(module)
        top, *inner = qualname.split(".")
        names = [self._top(module, top)]
        for owner, name in pairwise((top, *inner)):
            # A private name of a class is another outside of it.
            names.append(f"_{owner.lstrip('_')}{name}" if _is_mangled(name) else name)
        return ".".join(names)

    def _top(self, module: str, name: str) -> str:
        """How a name of a module is written."""
        if module in self._host.module_names and name in self._host.bound:
            return name
        known = self._known.get(Reference(module, name))
        if known is not None:
            return known
        return f"{self._module(module)}.{name}" if self._is_whole(module, name) else self._from(module, name)

    def _is_whole(self, module: str, name: str) -> bool:
        if _is_mangled(name):
            return False
        if self._is_imported_whole(module) or module in self._style.whole:
            return True
        is_imported_from = any(known.module == module for known in self._known if known.qualname)
        return self._one_name_each if is_imported_from else module in _CUSTOMARILY_WHOLE

    def _is_imported_whole(self, module: str) -> bool:
        parent, _, last = module.rpartition(".")
        if Reference(module, "") in self._known or Reference(parent, last) in self._known:
            return True
        return module in self._packages and self._is_known_package(module)

    def _is_known_package(self, module: str) -> bool:
        top = module.split(".", maxsplit=1)[0]
        return self._known.get(Reference(top, "")) == top

    def _module(self, module: str) -> str:
        whole = Reference(module, "")
        if whole in self._known:
            return self._known[whole]
        parent, _, last = module.rpartition(".")
        if Reference(parent, last) in self._known:
            return self._known[Reference(parent, last)]
        if module in self._packages and self._is_known_package(module):
            return module
        return self._import_whole(module)

    def _import_whole(self, module: str) -> str:
        top, _, rest = module.partition(".")
        parent, _, last = module.rpartition(".")
        if rest and self._is_imported_from_parent(module) and self._may_be_bound(last):
            self._add(NeededImport(parent, last), last, Reference(parent, last))
            return last
        is_its_package = self._bindings.get(top) == Reference(top, "") and top not in self._refused
        if is_its_package or self._may_be_bound(top):
            self._add(NeededImport(module), top, Reference(top, ""))
            self._packages.add(module)
            return module
        alias = self._free_name(module.replace(".", "_"), f"{module.replace('.', '_')}_module")
        self._add(NeededImport(module, alias=alias), alias, Reference(module, ""))
        return alias

    def _from(self, module: str, name: str) -> str:
        if self._may_be_bound(name) and not _is_mangled(name):
            self._add(NeededImport(module, name), name, Reference(module, name))
            return name
        alias = self._free_name(f"{module.rpartition('.')[2].strip('_')}_{name.lstrip('_')}")
        self._add(NeededImport(module, name, alias), alias, Reference(module, name))
        return alias

    def _add(self, needed: NeededImport, name: str, reference: Reference) -> None:
        self.needed.append(needed)
        self._bindings[name] = reference
        self._known[reference] = name

    def _is_imported_from_parent(self, module: str) -> bool:
        """Whether a module of a package is customarily imported by `from package import module`."""
        is_of_library = module.split(".", maxsplit=1)[0] in sys.stdlib_module_names
        return module == "unittest.mock" or not (is_of_library or self._one_name_each)

    def _may_be_bound(self, name: str) -> bool:
        """Whether the module may give the name a meaning that it does not have for anybody yet."""
        if name in self._refused or name in self._bindings or name in _SPECIAL or hasattr(builtins, name):
            return False
        return not matches(name, self._style.function_patterns) and not matches(name, self._style.class_patterns)

    def _free_name(self, *candidates: str) -> str:
        numbered = (f"{candidates[0]}_{number}" for number in range(2, sys.maxsize))
        hidden = (f"_{candidate}" for candidate in candidates)
        for names in (candidates, hidden, numbered):
            for name in names:
                if self._may_be_bound(name):
                    return name
        raise AssertionError(candidates)


def _is_mangled(name: str) -> bool:
    """Whether Python would rename the name inside of a class."""
    return name.startswith("__") and not name.endswith("__")


def _imported_packages(host: Host) -> set[str]:
    """The dotted names that `import a.b` makes usable, with their parents."""
    dotted = [a.name for node in host.tree.body if isinstance(node, ast.Import) for a in node.names if not a.asname]
    return {".".join(name.split(".")[:size]) for name in dotted for size in range(1, name.count(".") + 2)}
