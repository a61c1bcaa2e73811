"""Which file of the workspace is the one that a data file or report names?

Names come from data that anyone may have written: they are compared and looked up, and nothing outside the workspace
is ever opened.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from coverage.exceptions import CoverageException
from coverage.files import PathAliases

from testlens.domain.problems import Problem

_MAXIMUM_WALKED = 50_000
_SKIPPED_FOLDERS = frozenset({"node_modules", "site-packages", "__pycache__", "venv", "htmlcov", "mutants"})
_WINDOWS_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


@dataclass(frozen=True, slots=True)
class PathMap:
    """`resolved`: recorded name -> existing file, POSIX and relative to the workspace. Two names may mean one file.

    `by_suffix` are those of the names that only resemble their file: they were recorded for one outside the workspace.
    """

    resolved: Mapping[str, str]
    problems: tuple[Problem, ...]
    by_suffix: frozenset[str] = frozenset()


def map_paths(
    recorded: Iterable[str], root: Path, source_roots: Sequence[str], aliases: Mapping[str, Sequence[str]]
) -> PathMap:
    """Find each recorded name in the workspace `root`.

    In this order: coverage.py's `[paths]` (`aliases`; its own reports apply them first, too), the workspace itself,
    `source_roots` (folders that relative names may be relative to), then the one file of the workspace with the
    longest common suffix. Names that lead outside are left out.
    """
    mapper = _Mapper(root, source_roots, aliases)
    resolved: dict[str, str] = {}
    unknown: list[str] = []
    for name in recorded:
        found = mapper.resolve(name)
        if found is None:
            unknown.append(name)
        else:
            resolved[name] = found
    by_suffix = mapper.match_suffixes(unknown)
    outside = [name for name in unknown if name not in by_suffix and name not in mapper.explained]
    return PathMap(resolved | by_suffix, (*mapper.problems(), *_outside(outside)), frozenset(by_suffix))


class _Mapper:
    def __init__(self, root: Path, source_roots: Sequence[str], aliases: Mapping[str, Sequence[str]]) -> None:
        self._root = root.absolute()
        self._real_root = os.path.realpath(root)
        self._real_folders: dict[str, str] = {}
        self._source_roots = [self._root / source for source in source_roots]
        self._problems: list[Problem] = []
        self._aliases = self._make_aliases(aliases)
        self._deleted: list[str] = []
        self.explained: set[str] = set()

    def problems(self) -> tuple[Problem, ...]:
        """One for each ambiguous name or unusable alias, and one for all deleted files."""
        if not self._deleted:
            return tuple(self._problems)
        count = "A measured file does" if len(self._deleted) == 1 else f"{len(self._deleted)} measured files do"
        message = f"{count} not exist any more ({_some(self._deleted)})."
        return (*self._problems, Problem(message, "Run the tests again to refresh the data.", severity="information"))

    def resolve(self, name: str) -> str | None:
        """The file that `name` means by itself, without looking for similar ones."""
        for spelling in _spellings(name):
            if _is_absolute(spelling):
                places = [spelling]
            else:
                places = [str(base / spelling) for base in (self._root, *self._source_roots)]
            for place in places:
                inside = self._inside(self._alias(place))
                if inside is not None:
                    return inside
        return None

    def match_suffixes(self, names: Sequence[str]) -> dict[str, str]:
        """The names that share a suffix with exactly one file; says why others do not, where there is a reason."""
        wanted = {name: parts for name in names if (parts := self._suffix_parts(name))}
        if not wanted:
            return {}
        index = self._index(frozenset(parts[-1] for parts in wanted.values()))
        matches: dict[str, str] = {}
        for name, parts in wanted.items():
            best = _longest_suffix(self._root, parts, index.get(parts[-1], ()))
            if len(best) == 1:
                matches[name] = best[0]
            elif best:
                self.explained.add(name)
                self._problems.append(_ambiguous(name, best))
        return matches

    def _suffix_parts(self, name: str) -> tuple[str, ...]:
        parts = PurePosixPath(_spellings(name)[-1]).parts
        if ".." in parts:
            return ()
        if self._lies_in_root(_spellings(name)[-1]):
            # It was here: a similar file elsewhere is another one.
            self._deleted.append(name)
            self.explained.add(name)
            return ()
        return tuple(part for part in parts if part != "/" and not part.endswith(":"))

    def _lies_in_root(self, path: str) -> bool:
        return any(os.path.normpath(path).startswith(f"{root}{os.sep}") for root in (self._root, self._real_root))

    def _inside(self, path: str) -> str | None:
        try:
            real = self._real_path(path)
        except (OSError, ValueError):
            return None
        if real is None or not real.startswith(f"{self._real_root}{os.sep}"):
            return None
        return real[len(self._real_root) + 1 :].replace(os.sep, "/")

    def _real_path(self, path: str) -> str | None:
        """Where a file is, all links followed; None for what is no file. Raises OSError and ValueError."""
        # Most files share their folder with others: its links are followed once. By text and not by Path: there are
        # many files, and each refresh looks at all of them.
        folder, name = os.path.split(path)
        if folder not in self._real_folders:
            self._real_folders[folder] = os.path.realpath(folder)
        file = f"{self._real_folders[folder]}{os.sep}{name}"
        mode = os.lstat(file).st_mode
        if name == ".." or stat.S_ISLNK(mode):
            file = os.path.realpath(file)
            mode = Path(file).stat().st_mode
        return file if stat.S_ISREG(mode) else None

    def _alias(self, path: str) -> str:
        if self._aliases is None:
            return path
        return self._aliases.map(path, exists=lambda new: self._inside(new) is not None)

    def _make_aliases(self, groups: Mapping[str, Sequence[str]]) -> PathAliases | None:
        if not any(groups.values()):
            return None
        aliases = PathAliases()
        for name, (result, *patterns) in ((name, group) for name, group in groups.items() if group):
            for pattern in patterns:
                anywhere = pattern.startswith("*") or _WINDOWS_DRIVE.match(pattern)
                try:
                    # PathAliases makes relative places absolute in the current folder, which is not the workspace.
                    aliases.add(pattern if anywhere else str(self._root / pattern), str(self._root / result))
                except CoverageException as error:
                    advice = f"Correct `{pattern}` there."
                    self._problems.append(Problem(f"`{name}` in coverage.py's [paths]: {error}", advice))
        return aliases

    def _index(self, basenames: frozenset[str]) -> dict[str, set[str]]:
        index: dict[str, set[str]] = {}
        for walked, path in enumerate(_walk(self._root)):
            if walked == _MAXIMUM_WALKED:
                message = f"The workspace has more than {_MAXIMUM_WALKED} files: only these were searched for matches."
                advice = "Map the paths in coverage.py's [paths], or open a smaller folder."
                self._problems.append(Problem(message, advice))
                break
            # A link may lead out of the workspace, or to a file that is met again.
            inside = self._inside(str(self._root / path)) if path.name in basenames else None
            if inside is not None:
                index.setdefault(path.name, set()).add(inside)
        return index


def _is_absolute(path: str) -> bool:
    return path.startswith("/") or _WINDOWS_DRIVE.match(path) is not None or Path(path).is_absolute()


def _spellings(name: str) -> tuple[str, ...]:
    """`name` as recorded, and with forward slashes if it may come from Windows; the last is the best guess."""
    if "\\" in name and (_WINDOWS_DRIVE.match(name) or "/" not in name):
        return name, name.replace("\\", "/")
    return (name,)


def _walk(root: Path) -> Iterator[PurePosixPath]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED_FOLDERS)
        relative = PurePosixPath(os.path.relpath(folder, root).replace(os.sep, "/"))
        yield from (relative / name for name in files)


def _longest_suffix(root: Path, parts: Sequence[str], candidates: Iterable[str]) -> list[str]:
    """The candidates that share the most trailing parts, of those whose whole package is among the shared ones."""
    by_length: dict[int, list[str]] = {}
    for candidate in candidates:
        own = PurePosixPath(candidate).parts
        shared = _shared(parts, own)
        if shared >= min(len(own), _package_depth(root, own)):
            by_length.setdefault(shared, []).append(candidate)
    return sorted(by_length[max(by_length)]) if by_length else []


def _shared(left: Sequence[str], right: Sequence[str]) -> int:
    count = 0
    for one, other in zip(reversed(left), reversed(right), strict=False):
        if one != other:
            break
        count += 1
    return count


def _package_depth(root: Path, parts: Sequence[str]) -> int:
    """How many trailing parts name the file's module in full: `src/pkg/sub/a.py` -> 3. At least 2.

    A file called `utils.py`, or `sub/utils.py` of another package, proves nothing about where it came from.
    """
    depth = 1
    while depth < len(parts) and (root.joinpath(*parts[:-depth]) / "__init__.py").is_file():
        depth += 1
    return max(depth, 2)


def _ambiguous(name: str, candidates: Sequence[str]) -> Problem:
    return Problem(
        f"The measured file {name} may be any of {', '.join(candidates)}: it is left out.",
        "Say in coverage.py's [paths] which folder stands for which.",
    )


def _outside(names: Sequence[str]) -> tuple[Problem, ...]:
    if not names:
        return ()
    count = "A measured file lies" if len(names) == 1 else f"{len(names)} measured files lie"
    message = f"{count} outside the workspace and cannot be matched with a file in it ({_some(names)})."
    advice = "If it belongs here, map its folder in coverage.py's [paths]; otherwise set `source` to leave it out."
    return (Problem(message, advice, severity="information"),)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(sorted(names)[:3])
    return shown if len(names) <= 3 else f"{shown}, ..."
