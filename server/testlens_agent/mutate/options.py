"""mutmut's options that decide with the help of other programs which mutants there are, and which need no test."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Callable, NoReturn

from testlens_agent.mutate import mutmut_parts

Lines = dict[str, tuple[list[int], list[int]]]


class OptionError(Exception):
    """An option could not be honoured; its text says why."""


def covered_lines(root: Path, tree: Path, names: list[str]) -> Lines:
    """The covered and the excluded lines (1-based) of files of the copy that are not mutated yet, as mutmut has it.

    All tests run for it. Raises OptionError.
    """

    def measure() -> Lines:
        mutmut_parts.use_tree(root, tree)
        return mutmut_parts.covered_and_excluded_lines(tree, names)

    found: Lines = _in_a_copy(tree.parent, measure)
    return found


def caught_by_types(tree: Path) -> list[str]:
    """The mutants in the copy in which the user's type checker finds an error. Raises OptionError."""
    found: list[str] = _in_a_copy(tree.parent, mutmut_parts.caught_by_type_checker)
    return found


def _in_a_copy(folder: Path, work: Callable[[], Any]) -> Any:
    """What `work` returns in a copy of this process, in `folder`: what it imports is not to be seen here."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _work(folder, work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        said = stream.read()
    os.waitpid(pid, 0)
    try:
        result, error = json.loads(said)
    except ValueError:
        raise OptionError("the process ended without an answer") from None
    if error is not None:
        raise OptionError(error)
    return result


def _work(folder: Path, work: Callable[[], Any], writing: int) -> NoReturn:
    answer: list[Any] = [None, "the process ended without an answer"]
    try:
        os.chdir(str(folder))
        answer = [work(), None]
    except BaseException as error:  # noqa: BLE001  (the project's own tests run in it, or a program of the user's)
        answer = [None, f"{type(error).__name__}: {error}"]
    finally:
        with os.fdopen(writing, "wb") as stream:
            stream.write(json.dumps(answer).encode("ascii"))
        os._exit(0)
