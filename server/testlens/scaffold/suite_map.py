"""Which test file tests which source file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from testlens.scaffold.suite import SuiteFile

BDD_FOLDERS = ("bdd", "scenarios", "behaviour", "behavior", "features")
"""What folders of scenarios are called."""
_MOST = 0.6
"""The share of what a test file uses of the project that makes it be about one module."""
_IMPORTS, _HAS_NAME, _NEAR = 100, 10, 1
"""What speaks for a test file being a module's."""


@dataclass(frozen=True, slots=True)
class SourceModule:
    """A source file and the name that it is imported under."""

    path: str
    name: str

    @property
    def top(self) -> str:
        """The first part of its name."""
        return self.name.split(".", maxsplit=1)[0]

    @property
    def test_names(self) -> list[str]:
        """What its test file may be called after: its own name, or with those of its packages before it."""
        parts = [part.strip("_") for part in self.name.split(".")]
        return [_core("_".join(parts[start:])) for start in range(len(parts) - 1, -1, -1)]


def source_modules(sources: Sequence[str], roots: Sequence[str]) -> tuple[SourceModule, ...]:
    """The source files as modules, imported from the root that lies closest around each."""
    ordered = sorted((PurePosixPath(root) for root in roots), key=lambda root: -len(root.parts))
    return tuple(module for source in sources if (module := _module(source, ordered)) is not None)


def map_tests(modules: Sequence[SourceModule], tests: Sequence[SuiteFile]) -> Mapping[str, str]:
    """The test file of each source file that has one: of its name, else the only one that is about it."""
    by_name: dict[str, list[SuiteFile]] = {}
    for test in tests:
        if not _is_of_scenarios(test):
            by_name.setdefault(_core(PurePosixPath(test.path).stem), []).append(test)
    namesakes: dict[str, list[SourceModule]] = {}
    for module in modules:
        namesakes.setdefault(module.test_names[0], []).append(module)
    found: dict[str, str] = {}
    for module in modules:
        candidates = [test for name in module.test_names for test in by_name.get(name, ())]
        best = _best(module, candidates, [other for other in namesakes[module.test_names[0]] if other is not module])
        if best is not None:
            found[module.path] = best.path
    return {**_by_subject([module for module in modules if module.path not in found], modules, tests), **found}


def _best(module: SourceModule, candidates: Sequence[SuiteFile], namesakes: Sequence[SourceModule]) -> SuiteFile | None:
    """The test file of the module's name that is most likely its own, and more likely than one of its namesakes."""
    if len(candidates) == 1 and not namesakes:
        return candidates[0]
    scores = {test.path: _score(module, test) for test in candidates}
    best = max(candidates, key=lambda test: (scores[test.path], -len(test.path)), default=None)
    if best is None or any(_score(other, best) >= scores[best.path] for other in namesakes):
        return None
    return best


def _score(module: SourceModule, test: SuiteFile) -> int:
    imports = any(module.name in (imported, f"{imported}.{name}") for imported, name in test.imports)
    has_name = PurePosixPath(test.path).stem.strip("_").endswith(module.name.rpartition(".")[2].strip("_"))
    near = len(set(PurePosixPath(test.path).parent.parts) & set(module.name.split(".")[:-1]))
    return _IMPORTS * imports + _HAS_NAME * has_name + _NEAR * near


def _by_subject(
    nameless: Iterable[SourceModule], modules: Sequence[SourceModule], tests: Sequence[SuiteFile]
) -> Mapping[str, str]:
    """The test files of modules after which none is called: those that are about one of them alone."""
    names = {module.name for module in modules}
    taken = {name for module in modules for name in module.test_names}
    free = [test for test in tests if _core(PurePosixPath(test.path).stem) not in taken]
    folders = {_core(part) for test in tests for part in PurePosixPath(test.path).parent.parts}
    about: dict[str, list[str]] = {}
    for test in free:
        about.setdefault(_subject(test, names), []).append(test.path)
    alone = {module.path: about.get(module.name, []) for module in nameless if module.test_names[0] not in folders}
    return {path: found[0] for path, found in alone.items() if len(found) == 1}


def _subject(test: SuiteFile, names: set[str]) -> str:
    """The project's module that most of what the file uses comes from, if it is most by far; empty if none is.

    Exceptions do not count: tests of anything use them.
    """
    used: Counter[str] = Counter()
    for (module, name), times in test.uses.items():
        source = f"{module}.{name}" if f"{module}.{name}" in names else module
        if source in names and not name.endswith(("Error", "Exception", "Warning")):
            used[source] += times
    subject, times = max(used.items(), key=lambda pair: pair[1], default=("", 0))
    return subject if times >= _MOST * used.total() else ""


def _module(source: str, roots: Sequence[PurePosixPath]) -> SourceModule | None:
    path = PurePosixPath(source)
    root = next((root for root in roots if path.is_relative_to(root)), None)
    if root is None or path.suffix != ".py":
        return None
    parts = path.relative_to(root).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    return SourceModule(source, ".".join(parts)) if parts else None


def _is_of_scenarios(test: SuiteFile) -> bool:
    path = PurePosixPath(test.path)
    return "scenario" in path.stem or any(part in BDD_FOLDERS for part in path.parent.parts)


def _core(stem: str) -> str:
    """What a test file, or a folder of them, is called after; one and many of a thing are the same."""
    core = stem.removeprefix("test_") if stem.startswith("test_") else stem.removesuffix("_test")
    return core.strip("_").lower().removesuffix("s")
