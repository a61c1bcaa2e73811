"""Has mutmut make the mutants of files: the mutated files go into the copy, and what is in them is kept beside it."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

from testlens_agent.mutate.mutmut_parts import mutant_key
from testlens_agent.mutate.options import Lines

_ORIGINAL = "orig"
_FORMAT = 2  # of what is kept
_MARK = "__mutmut_"


def rules_digest(config: Any, version: str) -> str:
    """Identifies how mutants are made: another one makes others of the same source."""
    parts = (_FORMAT, version, sys.version, config.do_not_mutate_patterns, config.mutate_only_covered_lines)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def generate(names: list[str], tree: Path, kept: Path, workers: int, lines: Lines | None) -> list[str]:
    """Mutate these files in the copy; returns what went wrong, in words.

    `lines` has the covered and the excluded lines of each file where only covered lines are to be mutated. It is done
    in processes of their own, since the parts of mutmut that do it have no place in the session of the tests.
    """
    shares = [names[number::workers] for number in range(min(workers, len(names)))]
    children = [_start(share, tree, kept, lines) for share in shares]
    _import_meanwhile()
    broken = []
    for pid, share in zip(children, shares):
        _, status = os.waitpid(pid, 0)
        if status != 0:
            broken.append(f"mutmut ended with status {status} while it mutated {', '.join(share)}")
    return broken + [error for name in names if (error := generated(kept, name).get("error"))]


def _import_meanwhile() -> None:
    """Import what the session needs next; children that were forked before do not have it."""
    for name in ("pytest", "coverage"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def generated(kept: Path, name: str) -> dict[str, Any]:
    """What is known of the mutants of a file: `functions` by mangled name, `digest` of the source, an `error`.

    A function has the `text` of the unmutated function as it stands in the copy from line `first` (1-based) on, and
    `mutants`: the name, how much of the text before and after the change is that of the function, and what is between.
    """
    try:
        found: dict[str, Any] = json.loads(_place(kept, name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"functions": {}, "digest": "", "error": f"the mutants of {name} were not kept"}
    return found


def _start(names: list[str], tree: Path, kept: Path, lines: Lines | None) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    with contextlib.suppress(BaseException):
        warnings.simplefilter("ignore")
        for name in names:
            _generate_one(name, tree, kept, lines)
        status = 0
    os._exit(status)


def _generate_one(name: str, tree: Path, kept: Path, lines: Lines | None) -> None:
    file_mutation = importlib.import_module("mutmut.mutation.file_mutation")
    # As mutmut reads it: in the locale's encoding, with plain newlines.
    with (tree / name).open() as file:
        source = file.read()
    facts: dict[str, Any] = {"digest": hashlib.sha256(source.encode("utf-8", "replace")).hexdigest(), "functions": {}}
    covered, excluded = (None, set()) if lines is None else map(set, lines.get(name, ((), ())))
    try:
        mutated = file_mutation.mutate_file_contents(name, source, covered, excluded)
        ast.parse(mutated.code)
    except Exception as error:  # noqa: BLE001  (libcst and mutmut raise many kinds, and then the file stays as it is)
        facts["skipped"] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    else:
        with (tree / name).open("w") as file:
            file.write(mutated.code)
        facts["functions"] = _functions(name, mutated)
    place = _place(kept, name)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(facts), encoding="utf-8")


def _functions(path: str, mutated: Any) -> dict[str, Any]:
    lines = [f"{line}\n" for line in mutated.code.split("\n")]
    texts = {
        name: "".join(lines[span.start - 1 : span.end]) for name, span in mutated.line_span_by_function_name.items()
    }
    functions: dict[str, Any] = {}
    for name in mutated.mutant_names:
        function = name.partition(_MARK)[0]
        original = f"{function}{_MARK}{_ORIGINAL}"
        if original not in texts or name not in texts:
            continue
        own = function.rpartition("ǁ")[2] if "ǁ" in function else function[2:]
        text = texts[original].replace(f"def {original}", f"def {own}", 1)
        first = mutated.line_span_by_function_name[original].start
        entry = functions.setdefault(function, {"text": text, "first": first, "mutants": []})
        change = _difference(text, texts[name].replace(f"def {name}", f"def {own}", 1))
        entry["mutants"].append([mutant_key(path, name), *change])
    return functions


def _difference(text: str, other: str) -> tuple[int, int, str]:
    before = _common(text, other)
    limit = min(len(text), len(other)) - before
    after = _common(text[len(text) - limit :][::-1], other[len(other) - limit :][::-1])
    return before, after, other[before : len(other) - after]


def _common(text: str, other: str) -> int:
    """How many characters are the same at the beginning of both."""
    least = min(len(text), len(other))
    return next((at for at in range(least) if text[at] != other[at]), least)


def _place(kept: Path, name: str) -> Path:
    return kept / f"{name}.json"
