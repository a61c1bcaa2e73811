"""Where the tests of a gap belong: in the file that tests its module, or in a new one beside the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from testlens.scaffold.style import Style


@dataclass(frozen=True, slots=True)
class Place:
    """Where tests go, all POSIX and relative. `conftest` is the file for what they share, `packages` are the
    `__init__.py` files to create so that new folders are packages as the project's test folders are."""

    test_file: str
    conftest: str
    packages: tuple[str, ...] = ()


def choose_place(source: str, recipe: str, style: Style, existing: Collection[str]) -> Place:
    """The place for tests of a gap in `source`; `existing` are the paths of the project's files,
    at least of its tests."""
    if recipe == "bdd":
        path = _unused_or_own(style.bdd_folder, f"{_module_name(source)}_scenarios", source, style, existing)
    elif recipe == "load":
        path = _unused_or_own(_join(style.folder, "load"), f"{_module_name(source)}_load", source, style, existing)
    elif source in style.test_files:
        path = style.test_files[source]
    else:
        name = _module_name(source)
        folder = _own_folder(name, _folder_for(source, style), style, existing)
        path = _unused_or_own(folder, name, source, style, existing)
    return Place(path, _conftest(path, style), _packages(path, style, existing))


def _module_name(source: str) -> str:
    path = PurePosixPath(source)
    stem = path.stem if path.stem != "__init__" else path.parent.name or path.stem
    return stem.strip("_") or "init"


def _unused_or_own(folder: str, name: str, source: str, style: Style, existing: Collection[str]) -> str:
    """A test file of that name in the folder, with the names of parent folders before it where it is another's."""
    others = {test for tested, test in style.test_files.items() if tested != source}
    parents = [part for part in PurePosixPath(source).parent.parts if part.isidentifier()]
    path = ""
    for size in range(len(parents) + 1):
        qualified = "_".join([*parents[len(parents) - size :], name])
        path = _join(folder, _file_name(qualified, style))
        if path not in others and not _is_shadowed(path, existing) and not _is_package(path, existing):
            return path
    return path


def _file_name(name: str, style: Style) -> str:
    wanted = style.file_name.format(name)
    if any(PurePosixPath(wanted).match(pattern) for pattern in style.file_patterns):
        return wanted
    pattern = next((pattern for pattern in style.file_patterns if pattern.count("*") == 1), "test_*.py")
    return PurePosixPath(pattern.replace("*", name)).name


def _is_shadowed(path: str, existing: Collection[str]) -> bool:
    """Whether pytest would mix the file up with one of the same name in another folder, both outside of packages."""
    wanted = PurePosixPath(path)
    if path in existing or _in_package(wanted, existing):
        return False
    return any(
        other.name == wanted.name and other != wanted and not _in_package(other, existing)
        for other in map(PurePosixPath, existing)
    )


def _is_package(path: str, existing: Collection[str]) -> bool:
    """Whether a folder has the module's name already, which Python would import instead."""
    folder = path.removesuffix(".py") + "/"
    return any(other.startswith(folder) for other in existing)


def _in_package(path: PurePosixPath, existing: Collection[str]) -> bool:
    return str(path.parent / "__init__.py") in existing


def _folder_for(source: str, style: Style) -> str:
    """The folder that tests of the source's neighbours are in; one that mirrors the source's where theirs do."""
    folder = PurePosixPath(source).parent
    pairs = [(PurePosixPath(s).parent, PurePosixPath(t).parent) for s, t in style.test_files.items()]
    beside = Counter(str(tests) for sources, tests in pairs if sources == folder)
    if beside:
        return _text(beside.most_common(1)[0][0])
    mirrored: Counter[str] = Counter()
    for sources, tests in pairs:
        mirrored.update(_mirror(folder, sources, tests))
    return mirrored.most_common(1)[0][0] if mirrored else style.folder


def _own_folder(name: str, folder: str, style: Style, existing: Collection[str]) -> str:
    """The folder that holds the tests of the module alone, if it has one: `test_utils/` beside the other tests."""
    own = PurePosixPath(folder) / PurePosixPath(_file_name(name, style)).stem
    return str(own) if any(PurePosixPath(path).is_relative_to(own) for path in existing) else folder


def _mirror(folder: PurePosixPath, sources: PurePosixPath, tests: PurePosixPath) -> Mapping[str, int]:
    """Where the tests of `folder` are if they lie to it as `tests` lie to `sources`; weighed by what the two share."""
    shared = 0
    while shared < min(len(sources.parts), len(tests.parts)) and sources.parts[-1 - shared] == tests.parts[-1 - shared]:
        shared += 1
    source_base = sources.parts[: len(sources.parts) - shared]
    test_base = tests.parts[: len(tests.parts) - shared]
    if not shared or folder.parts[: len(source_base)] != source_base:
        return {}
    return {"/".join((*test_base, *folder.parts[len(source_base) :])): shared}


def _conftest(path: str, style: Style) -> str:
    if not style.folder or PurePosixPath(path).is_relative_to(style.folder):
        return _join(style.folder, "conftest.py")
    return _join(str(PurePosixPath(path).parent), "conftest.py")


def _packages(path: str, style: Style, existing: Collection[str]) -> tuple[str, ...]:
    """The missing `__init__.py` files of new folders, where the project's tests are a package."""
    if _join(style.folder, "__init__.py") not in existing or not style.folder:
        return ()
    folders = {str(parent) for name in existing for parent in PurePosixPath(name).parents}
    root = PurePosixPath(style.folder)
    new = [
        parent for parent in PurePosixPath(path).parents if parent.is_relative_to(root) and str(parent) not in folders
    ]
    return tuple(str(folder / "__init__.py") for folder in reversed(new))


def _join(folder: str, name: str) -> str:
    return str(PurePosixPath(folder) / name)


def _text(folder: str) -> str:
    return "" if folder == "." else folder
