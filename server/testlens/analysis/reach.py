"""Which functions may be running while another one runs, as far as names tell: it is told rather once too often."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

from testlens.analysis.kept_values import Keeping, ModuleValues
from testlens.analysis.mentions import Routine

Place = tuple[str, str]
"""The path of a module, and the dotted name of a routine in it."""

Found = tuple[str, Routine]
"""The path of a module, and a routine in it."""

_CONSTRUCTORS = ("__init__", "__new__", "__post_init__")
_RECEIVER = "self."


class Callers:
    """Who may call whom in the modules of a project with these `paths`, of which each is taken up by `take`."""

    def __init__(self, paths: Collection[str]) -> None:
        self.modules: dict[str, ModuleValues] = {}
        self._packages = frozenset(part for path in paths for part in PurePosixPath(path).with_suffix("").parts)
        self._mentioning: dict[str, dict[str, list[Routine]]] = {}
        self._named: dict[str, dict[str, list[Routine]]] = {}
        self._decorated: dict[str, dict[str, list[Routine]]] = {}
        self._known_classes: _Classes | None = None

    def take(self, path: str, values: ModuleValues) -> None:
        """Know this of a module, in the place of what was known of it."""
        for index in (self._mentioning, self._named, self._decorated):
            for by_path in self._of(path, index):
                by_path.pop(path, None)
        self.modules[path] = values
        self._known_classes = None
        for routine in values.routines:
            _put(self._named, routine.simple_name, path, routine)
            for decorator in routine.decorators:
                _put(self._decorated, decorator, path, routine)
            for mention in routine.mentions:
                for key in self._keys(mention):
                    _put(self._mentioning, key, path, routine)

    def is_own(self, package: str) -> bool:
        """Whether a package is one of the project's."""
        return package in self._packages

    def reaching(self, path: str, name: str, line: int) -> frozenset[Place]:
        """What may call the function or class, directly or not, and itself.

        `name` is its dotted name, and `line` one of its body, which tells apart those of one name.
        """
        simple = name.rpartition(".")[2].partition("#")[0]
        routines = self._named.get(simple, {}).get(path, ())
        pending = [(path, each) for each in routines if each.line <= line <= each.last]
        found = {(path, each.name) for path, each in pending}
        followed: set[tuple[str, Place]] = set()
        while pending:
            module, routine = pending.pop()
            if _is_test(module, routine):
                continue
            # What a decorator has made of a function runs in its place.
            decorated = _pairs(self._decorated.get(routine.simple_name, {}))
            for caller, one in (*self._direct(module, routine, followed), *decorated):
                if (caller, one.name) not in found:
                    found.add((caller, one.name))
                    pending.append((caller, one))
        return frozenset(found)

    def of(self, path: str, keeping: Keeping) -> frozenset[Place]:
        """What may call the routine that keeps something, or a function around it."""
        parts = keeping.routine.split(".")
        around = [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
        found = set[Place]()
        for name in around:
            for routine in self.named(path, name):
                found |= {(caller, one.name) for caller, one in self._direct(path, routine, set())}
        return frozenset(found)

    def named(self, path: str, name: str) -> list[Routine]:
        """The functions of this dotted name."""
        routines = self._named.get(name.rpartition(".")[2], {}).get(path, ())
        return [each for each in routines if each.name == name and each.kind == "function"]

    def mentioning(self, name: str) -> Iterator[Found]:
        """What mentions something of this name."""
        for mention in (name, f".{name}", f"{_RECEIVER}{name}"):
            yield from _pairs(self._mentioning.get(mention, {}))

    def constructors(self, path: str, method: Routine) -> Iterator[Found]:
        """What makes instances of the class whose method this is, of its bases, or of its heirs."""
        lineage = self._classes.lineage((path, method.owner))
        for name in _CONSTRUCTORS:
            yield from (pair for pair in _pairs(self._named.get(name, {})) if (pair[0], pair[1].owner) in lineage)

    @property
    def _classes(self) -> _Classes:
        if self._known_classes is None:
            self._known_classes = _Classes(self.modules)
        return self._known_classes

    def _direct(self, path: str, routine: Routine, followed: set[tuple[str, Place]]) -> Iterator[Found]:
        """What mentions it, or calls it unmentioned: a class its special methods, a decorator what it decorates.

        `followed` are the mentions whose places were given before.
        """
        around = routine.name.rpartition(".")[0]
        if around and self.named(path, around):
            yield from self._inside_of_function(path, routine, around)
        else:
            yield from self._anywhere(path, routine, followed)
        for decorator in routine.decorators:
            for caller, routines in self._named.get(decorator, {}).items():
                inside = tuple(f"{one.name}." for one in routines if one.kind in ("function", "class"))
                yield from ((caller, one) for one in self.modules[caller].routines if one.name.startswith(inside))

    def _inside_of_function(self, path: str, routine: Routine, around: str) -> Iterator[Found]:
        for one in self._mentioning.get(routine.simple_name, {}).get(path, ()):
            if f"{one.name}.".startswith(f"{around}."):
                yield path, one

    def _anywhere(self, path: str, routine: Routine, followed: set[tuple[str, Place]]) -> Iterator[Found]:
        is_mentioned = False
        for mention in _mentions_of(routine):
            is_of_family = mention.startswith(_RECEIVER)
            key = (mention, self._classes.head((path, routine.owner)) if is_of_family else ("", ""))
            pairs = self._mentioning.get(mention, {})
            is_mentioned = is_mentioned or bool(pairs)
            if key not in followed:
                followed.add(key)
                found = _pairs(pairs)
                yield from (pair for pair in found if not is_of_family or self._is_family(pair, (path, routine)))
        # A method that nobody mentions is called for its name, as a visitor does, by whoever has made the object.
        if _is_member(routine) and (_is_special(routine.simple_name) or not is_mentioned):
            owners = self._named.get(routine.owner.rpartition(".")[2], {}).get(path, ())
            yield from ((path, one) for one in owners if one.kind == "class")
        if _is_member(routine):  # the code of the class itself needs no receiver
            for one in self._mentioning.get(routine.simple_name, {}).get(path, ()):
                if one.kind == "attribute" and one.owner == routine.owner:
                    yield path, one

    def _keys(self, mention: str) -> Iterator[str]:
        package, is_of_package, name = mention.partition(":")
        if not is_of_package:
            yield mention
        elif package in self._packages:
            yield from (name, f".{name}")

    def _of(self, path: str, index: dict[str, dict[str, list[Routine]]]) -> Iterator[dict[str, list[Routine]]]:
        if path in self.modules:
            routines = self.modules[path].routines
            names = {name for one in routines for name in (one.simple_name, *one.decorators)}
            keys = {key for one in routines for mention in one.mentions for key in self._keys(mention)}
            yield from (index[key] for key in names | keys if key in index)

    def _is_family(self, one: Found, other: Found) -> bool:
        first, second = ((path, routine.owner or routine.name) for path, routine in (one, other))
        return self._classes.head(first) == self._classes.head(second)


class _Classes:
    """The classes of a project: which inherits from which, as far as names tell."""

    def __init__(self, modules: Mapping[str, ModuleValues]) -> None:
        classes = [(path, each) for path, values in modules.items() for each in values.routines if each.kind == "class"]
        by_name: dict[str, list[Place]] = {}
        for path, each in classes:
            by_name.setdefault(each.simple_name, []).append((path, each.name))
        self._bases: dict[Place, set[Place]] = {}
        self._heirs: dict[Place, set[Place]] = {}
        self._heads: dict[Place, Place] = {}
        for path, each in classes:
            for mention in each.mentions:
                for base in by_name.get(re.split("[.:]", mention)[-1], ()):
                    self._relate((path, each.name), base)

    def head(self, place: Place) -> Place:
        """The one class that stands for all that are related to this one."""
        while place in self._heads:
            place = self._heads[place]
        return place

    def lineage(self, place: Place) -> frozenset[Place]:
        """The class, all that it inherits from, and all that inherit from it."""
        found = {place}
        for related in (self._bases, self._heirs):
            pending = [place]
            while pending:
                new = related.get(pending.pop(), set()) - found
                found |= new
                pending += new
        return frozenset(found)

    def _relate(self, heir: Place, base: Place) -> None:
        self._heirs.setdefault(base, set()).add(heir)
        self._bases.setdefault(heir, set()).add(base)
        one, another = self.head(heir), self.head(base)
        if one != another:
            self._heads[one] = another


def _pairs(by_path: Mapping[str, list[Routine]]) -> Iterator[Found]:
    return ((path, routine) for path, routines in by_path.items() for routine in routines)


def _put(index: dict[str, dict[str, list[Routine]]], key: str, path: str, routine: Routine) -> None:
    index.setdefault(key, {}).setdefault(path, []).append(routine)


def _mentions_of(routine: Routine) -> Iterator[str]:
    name, is_member = routine.simple_name, _is_member(routine)
    yield f"{_RECEIVER}{name}" if is_member else name
    # Special methods are called by what they are for: whoever makes the object counts as their caller.
    if routine.kind == "class" or (is_member and not _is_special(name)):
        yield f".{name}"


def _is_test(path: str, routine: Routine) -> bool:
    """Whether it is a test, which no code calls."""
    return routine.simple_name.startswith("test_") and path.rpartition("/")[2].startswith("test_")


def _is_member(routine: Routine) -> bool:
    return bool(routine.owner) and routine.name == f"{routine.owner}.{routine.simple_name}"


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
