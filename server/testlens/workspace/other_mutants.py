"""What others found out about mutants: `mutmut run`, and reports of other engines, fitted to the present sources.

mutmut says what it mutated by the text of each function. Where the function is another one now, its verdicts are out
of date and left out; one whose text is the same is found wherever it has moved to.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from testlens.analysis.mutant_spans import dotted_name, find_change, function_digest
from testlens.analysis.not_mutated import NOTHING_TO_CHANGE, functions_mutated, passed_over
from testlens.analysis.syntax import outline
from testlens.domain.mutants import FileMutants, Mutant
from testlens.domain.outline import MODULE, Function
from testlens.domain.problems import Problem
from testlens.sources.coverage_parse import decode
from testlens.sources.mutation_report import PLACES, ReportedFile, read_report
from testlens.sources.mutmut_results import FOLDER, MutmutFile, meta_files, read_mutmut_file, read_tests
from testlens.sources.path_mapping import map_paths
from testlens.sources.source_text import read_content
from testlens.workspace.examined import digest
from testlens.workspace.known_mutants import MutatedFile

_Signature = tuple[tuple[str, int, int], ...]


class OtherMutants:
    """Reads what others left in a folder, again where it has changed. `problems` says what could not be read."""

    def __init__(self, root: Path) -> None:
        self.problems: tuple[Problem, ...] = ()
        self._root = root
        self._read: tuple[_Signature, tuple[MutatedFile, ...]] = ((), ())
        self._good: dict[Path, MutmutFile] = {}

    def read(self) -> tuple[MutatedFile, ...]:
        """All files, the newest verdicts of each last. Never raises on bad content."""
        signature = signature_of(self._root)
        if signature == self._read[0]:
            return self._read[1]
        problems: list[Problem] = []
        files = [*self._of_mutmut(problems), *self._of_reports(problems)]
        files.sort(key=lambda file: file.time)
        self._read = signature, tuple(files)
        self.problems = tuple(problems)
        return self._read[1]

    def _of_mutmut(self, problems: list[Problem]) -> Iterator[MutatedFile]:
        tests = read_tests(self._root)
        edited: list[str] = []
        for meta in meta_files(self._root):
            found = read_mutmut_file(self._root, meta, tests)
            if isinstance(found, Problem):
                problems.append(found)
                # What was read before mutmut began to write again still holds.
                found = self._good.get(meta)
            if found is None:
                continue
            self._good[meta] = found
            file = _fitted(self._root, found, edited)
            if file is not None:
                yield file
        if edited:
            problems.append(_out_of_date(edited))

    def _of_reports(self, problems: list[Problem]) -> Iterator[MutatedFile]:
        for place in PLACES:
            file = self._root / place
            if not file.is_file():
                continue
            reported, found = read_report(file, place)
            problems.extend(found)
            paths = map_paths([one.name for one in reported], self._root, (), {}).resolved
            for one in reported:
                if one.name in paths:
                    yield _from_report(paths[one.name], one, place, file.stat().st_mtime)


def signature_of(root: Path) -> _Signature:
    """Changes whenever what others left does, or a source that mutmut mutated: path, size in bytes, mtime in ns."""
    found: list[tuple[str, int, int]] = []
    metas = meta_files(root)
    sources = (root / meta.relative_to(root / FOLDER).with_suffix("") for meta in metas)
    for file in (*metas, *(meta.with_suffix("") for meta in metas), *sources, *(root / place for place in PLACES)):
        try:
            status = file.stat()
        except OSError:
            continue
        found.append((str(file), status.st_size, status.st_mtime_ns))
    return tuple(found)


def _fitted(root: Path, found: MutmutFile, edited: list[str]) -> MutatedFile | None:
    content = read_content(root / found.path)
    if content is None:
        return None
    text = decode(content)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        edited.append(found.path)
        return None
    same = {key for key, original in found.originals.items() if _is_as_it_was(text, key, original)}
    edited.extend(f"{dotted_name(key)} in {found.path}" for key in sorted(found.originals.keys() - same))
    mutants = tuple(_mutants(found, text, same))
    known = {mutant.function for mutant in mutants} | {dotted_name(key) for key in found.originals}
    silent = {name: NOTHING_TO_CHANGE for name in functions_mutated(tree) if name not in known}
    not_mutated = MappingProxyType({**silent, **passed_over(tree)})
    return MutatedFile(FileMutants(found.path, digest(text), mutants, not_mutated), text, (f"{FOLDER}/",), found.time)


def _mutants(found: MutmutFile, text: str, same: set[str]) -> Iterator[Mutant]:
    for mutant in found.mutants:
        key = mutant.name.rpartition("__mutmut_")[0]
        change = find_change(text, key, mutant.text) if key in same else None
        if change is None:
            continue
        yield Mutant(
            mutant.name,
            found.path,
            dotted_name(key),
            function_digest(text, key) or "",
            change.span,
            change.original,
            change.replacement,
            mutant.status,
            mutant.tests,
            None,
            mutant.seconds,
        )


@lru_cache(maxsize=4096)
def _is_as_it_was(text: str, key: str, original: str) -> bool:
    """Whether the function still is the one that mutmut mutated: then its unchanged text changes nothing."""
    return function_digest(text, key) is not None and find_change(text, key, original) is None


def _from_report(path: str, reported: ReportedFile, place: str, time: float) -> MutatedFile:
    try:
        functions = outline(ast.parse(reported.text)).functions
    except (SyntaxError, ValueError, RecursionError):
        functions = ()
    mutants = tuple(
        replace(
            mutant,
            file=path,
            function=(name := _owner(functions, mutant.span.first_line)),
            function_digest=function_digest(reported.text, name) or "",
        )
        for mutant in reported.mutants
    )
    return MutatedFile(FileMutants(path, digest(reported.text), mutants), reported.text, (place,), time)


def _owner(functions: tuple[Function, ...], line: int) -> str:
    """The innermost function around a line."""
    around = [function for function in functions if function.first <= line <= function.last]
    return max(around, key=lambda function: function.first).name if around else MODULE


def _out_of_date(edited: list[str]) -> Problem:
    named = ", ".join(edited[:3]) + (f" and {len(edited) - 3} more" if len(edited) > 3 else "")
    message = f"Edited since mutmut ran: {named}. Their mutants are not shown."
    return Problem(message, "Run their mutants again.", severity="information")
