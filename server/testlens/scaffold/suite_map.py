"""Which test file tests which source file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from testlens.scaffold.suite import SuiteFile


@dataclass(frozen=True, slots=True)
class SourceModule:
    """A source file and the name that it is imported under."""

    path: str
    name: str

    @property
    def top(self) -> str:
        """The first part of its name."""
        return self.name.split(".")[0]


def source_modules(sources: Sequence[str], roots: Sequence[str]) -> tuple[SourceModule, ...]:
    """The source files as modules, imported from the root that lies closest around each."""
    ordered = sorted((PurePosixPath(root) for root in roots), key=lambda root: -len(root.parts))
    return tuple(module for source in sources if (module := _module(source, ordered)) is not None)


def map_tests(modules: Sequence[SourceModule], tests: Sequence[SuiteFile]) -> Mapping[str, str]:
    """The test file of each source file that has one: of its name, else one that is about it most."""
    names = {module.name for module in modules}
    about = {test.path: _most_imported(test, names) for test in tests}
    found: dict[str, str] = {}
    for module in modules:
        scores = {test.path: _score(module, test, about[test.path]) for test in tests}
        best = max(scores, key=lambda path: (scores[path], -len(path)), default="")
        if best and scores[best] > 0:
            found[module.path] = best
    return found


def _module(source: str, roots: Sequence[PurePosixPath]) -> SourceModule | None:
    path = PurePosixPath(source)
    root = next((root for root in roots if path.is_relative_to(root)), None)
    if root is None or path.suffix != ".py":
        return None
    parts = path.relative_to(root).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    return SourceModule(source, ".".join(parts)) if parts else None


_NAMED, _IMPORTED, _MIRRORED, _ABOUT = 100, 20, 5, 10


def _score(module: SourceModule, test: SuiteFile, about: str | None) -> int:
    """How much speaks for the test file being the module's; 0 if nothing does."""
    if "scenario" in test.path or "/bdd/" in test.path:
        return 0
    score = _NAMED if _is_named_after(module, test.path) else 0
    imported = any(_is_import_of(module.name, *key) for key in test.imports)
    if about == module.name:
        score += _ABOUT
    if not score:
        return 0
    folders = set(PurePosixPath(test.path).parent.parts)
    return score + (_IMPORTED if imported else 0) + _MIRRORED * len(folders & set(module.name.split(".")[:-1]))


def _is_named_after(module: SourceModule, test_path: str) -> bool:
    stem = PurePosixPath(test_path).stem
    core = stem.removeprefix("test_") if stem.startswith("test_") else stem.removesuffix("_test")
    parts = [part.strip("_").lower() for part in module.name.split(".")]
    return core.strip("_").lower() in {"_".join(parts[start:]) for start in range(len(parts))}


def _is_import_of(name: str, module: str, imported: str) -> bool:
    return name in {module, f"{module}.{imported}"}


def _most_imported(test: SuiteFile, names: set[str]) -> str | None:
    """The project's module that the file imports most from."""
    counts: dict[str, int] = {}
    for (module, imported), times in test.imports.items():
        name = f"{module}.{imported}" if f"{module}.{imported}" in names else module
        if name in names:
            counts[name] = counts.get(name, 0) + times
    return max(counts, key=lambda name: (counts[name], name.count(".")), default=None)
