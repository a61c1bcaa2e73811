"""Reads what mutmut 3.4 to 3.8 leaves in `mutants/`: the verdicts, and the text of each mutant's function.

mutmut writes while it runs, and not at one stroke: a file that cannot be read yet is a problem that passes. Nothing is
said here of the present source: where a mutant's function is in it, and whether it still is the one that was mutated,
is found out by those who have read it.
"""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from testlens.domain.mutants import MutantStatus
from testlens.domain.problems import Problem
from testlens.sources.source_text import LARGEST

FOLDER = "mutants"
META = ".meta"
STATS = "mutmut-stats.json"

_STATUSES: Mapping[int | None, MutantStatus] = {
    None: "not checked",
    0: "survived",
    1: "killed",
    2: "not checked",
    3: "killed",
    5: "no tests",
    33: "no tests",
    34: "skipped",
    # Caught by the type checker: somebody noticed.
    37: "killed",
    **dict.fromkeys((24, -24, 36, 152, 255), "timeout"),
}
_KEY = re.compile(r"^(?P<function>.+\.x[_ǁ].+)__mutmut_\d+$")
_DEFINITION = re.compile(r"^\s*(?:async\s+)?def\s+(?P<name>\w+)")


@dataclass(frozen=True, slots=True)
class MutmutMutant:
    """One mutant: mutmut's name for it, the text of its function with the change, and what came of it.

    `tests` are those that ran its function; `seconds` is how long finding out took, None where that is not known.
    """

    name: str
    text: str
    status: MutantStatus
    tests: tuple[str, ...]
    seconds: float | None


@dataclass(frozen=True, slots=True)
class MutmutFile:
    """The mutants of one source file (`path` is POSIX and relative), and when their verdicts were written.

    `originals` has the text of each mutated function as it was, by mutmut's key for it (`pkg.mod.x_f`).
    """

    path: str
    time: float
    mutants: tuple[MutmutMutant, ...]
    originals: Mapping[str, str]


def meta_files(root: Path) -> tuple[Path, ...]:
    """The files with verdicts below `mutants/`, sorted."""
    folder = root / FOLDER
    return tuple(sorted(Path(at) / name for at, _, names in os.walk(folder) for name in names if name.endswith(META)))


def read_mutmut_file(root: Path, meta: Path, tests: Mapping[str, tuple[str, ...]]) -> MutmutFile | Problem | None:
    """What one `.meta` says, `tests` being what `read_tests` gave; None for a file whose source is gone."""
    path = meta.relative_to(root / FOLDER).as_posix().removesuffix(META)
    if not _is_inside(root, root / path):
        return None
    verdicts = _verdicts(meta)
    if verdicts is None:
        advice = "mutmut may be writing it: it is read again when it changes. If not, delete it and run mutmut again."
        return Problem("The verdicts of this file cannot be read.", advice, _shown(root, meta), severity="information")
    codes, durations = verdicts
    texts = _function_texts(meta.with_suffix(""))
    if texts is None:
        advice = "Run mutmut again to have its mutants made anew."
        shown = _shown(root, meta.with_suffix(""))
        return Problem("The mutants of this file cannot be read.", advice, shown, severity="information")
    mutants = tuple(_mutants(codes, durations, texts, tests))
    keys = {mutant.name.rpartition("__mutmut_")[0] for mutant in mutants}
    originals = {key: text for key in keys if (text := texts.get(f"{key.rpartition('.')[2]}__mutmut_orig")) is not None}
    return MutmutFile(path, meta.stat().st_mtime, mutants, originals)


def read_tests(root: Path) -> Mapping[str, tuple[str, ...]]:
    """The tests that ran each mutated function, by mutmut's key; empty where mutmut has not said so yet."""
    found = _json(root / FOLDER / STATS)
    tests = found.get("tests_by_mangled_function_name") if isinstance(found, dict) else None
    if not isinstance(tests, dict):
        return {}
    return {key: tuple(sorted(map(str, names))) for key, names in tests.items() if isinstance(names, list)}


def _verdicts(meta: Path) -> tuple[Mapping[str, int | None], Mapping[str, float]] | None:
    found = _json(meta)
    codes = found.get("exit_code_by_key") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(codes, dict):
        return None
    durations = found.get("durations_by_key")
    known = {key: code for key, code in codes.items() if code is None or isinstance(code, int)}
    return known, durations if isinstance(durations, dict) else {}


def _mutants(
    codes: Mapping[str, int | None],
    durations: Mapping[str, Any],
    texts: Mapping[str, str],
    tests: Mapping[str, tuple[str, ...]],
) -> Iterator[MutmutMutant]:
    for name, code in codes.items():
        match = _KEY.match(name)
        text = texts.get(name.rpartition(".")[2])
        if match is None or text is None:
            continue
        seconds = durations.get(name)
        yield MutmutMutant(
            name,
            text,
            _STATUSES.get(code, "suspicious"),
            tests.get(match["function"], ()),
            float(seconds) if isinstance(seconds, (int, float)) else None,
        )


def _function_texts(mutated: Path) -> Mapping[str, str] | None:
    """The text of each function that mutmut made, by its name; None where the file cannot be read."""
    try:
        status = mutated.stat()
        if status.st_size > LARGEST:
            return None
        return _texts_of(str(mutated), status.st_mtime_ns, status.st_size)
    except (OSError, ValueError, SyntaxError, RecursionError):
        return None


@lru_cache(maxsize=256)
def _texts_of(mutated: str, _mtime_ns: int, _size: int) -> Mapping[str, str]:
    """The same; the file is read again once it was written again."""
    text = Path(mutated).read_text(encoding="utf-8")
    lines = text.split("\n")
    spans = _index(Path(f"{mutated}.spans"), lines)
    if spans is None:
        spans = dict(_parsed_spans(ast.parse(text)))
    return {name: "\n".join(lines[first - 1 : last]) for name, (first, last) in spans.items()}


def _index(file: Path, lines: list[str]) -> Mapping[str, tuple[int, int]] | None:
    """mutmut's own index of the lines (3.8 and later); None where there is none, or it is of another text."""
    found = _json(file)
    spans = found.get("spans") if isinstance(found, dict) and found.get("version") == 1 else None
    if not isinstance(spans, dict):
        return None
    index: dict[str, tuple[int, int]] = {}
    for name, span in spans.items():
        if not (isinstance(span, list) and len(span) == 2 and all(isinstance(line, int) for line in span)):
            return None
        first, last = span
        heads = (_DEFINITION.match(line) for line in lines[max(first - 1, 0) : last])
        if not any(head is not None and head["name"] == name for head in heads):
            return None
        index[name] = (first, last)
    return index


def _parsed_spans(tree: ast.Module) -> Iterator[tuple[str, tuple[int, int]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and "__mutmut_" in node.name:
            first = min([decorator.lineno for decorator in node.decorator_list], default=node.lineno)
            yield node.name, (first, node.end_lineno or node.lineno)


def _json(file: Path) -> Any:
    try:
        if file.stat().st_size > LARGEST:
            return None
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def _is_inside(root: Path, file: Path) -> bool:
    try:
        return file.is_file() and file.resolve().is_relative_to(root.resolve())
    except (OSError, ValueError):
        return False


def _shown(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix()
