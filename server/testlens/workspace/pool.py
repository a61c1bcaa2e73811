"""Examines many files at once in worker processes, so that the server's own process stays free for requests."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from testlens.domain.problems import Problem
from testlens.sources.coverage_parse import decode
from testlens.sources.source_text import read_content
from testlens.workspace.codec import encode, encode_text
from testlens.workspace.collector import collect_rarely
from testlens.workspace.examined import Measured, ParseRules, trace_digest
from testlens.workspace.source_files import content_digest

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

# Starting two interpreters costs about as much as examining this many files of 300 lines.
_WORTH_A_POOL = 40
_BATCH = 8
_BATCHES_AHEAD = 6


@dataclass(frozen=True, slots=True)
class Job:
    """One file to examine: where it is, what to call it in problems, and what was measured."""

    file: Path
    path: str
    measured: Measured


@dataclass(frozen=True, slots=True)
class Examination:
    """What came of a job, as the store keeps it: digests of what was examined, then what was found, and the text.

    Texts and bytes pass between processes at a fraction of what objects cost.
    """

    content: str
    trace: str
    text_digest: str
    found: str
    text: bytes


Result = tuple[Job, Examination | Problem]


def examine_all(jobs: Iterable[Job], rules: ParseRules) -> Iterator[Result]:
    """The result of each job, in order. Few jobs are done right here."""
    pending = iter(jobs)
    first = list(islice(pending, _WORTH_A_POOL))
    if len(first) < _WORTH_A_POOL:
        yield from ((job, _examine_one(job, rules)) for job in first)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Threads and open pipes of a language server do not survive fork: start clean interpreters.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count() or 1, context, _set_up_worker) as executor:
        yield from _spread(executor, chain(first, pending), rules)


def _spread(executor: ProcessPoolExecutor, jobs: Iterator[Job], rules: ParseRules) -> Iterator[Result]:
    # Only a few batches ahead: the traces of a large project would not fit in memory twice.
    waiting: deque[tuple[list[Job], Future[list[Examination | Problem]]]] = deque()
    while batch := list(islice(jobs, _BATCH)):
        waiting.append((batch, executor.submit(_examine_batch, batch, rules)))
        if len(waiting) >= _BATCHES_AHEAD:
            yield from _results(*waiting.popleft())
    while waiting:
        yield from _results(*waiting.popleft())


def _results(batch: list[Job], found: Future[list[Examination | Problem]]) -> Iterator[Result]:
    return zip(batch, found.result(), strict=True)


def _examine_batch(jobs: list[Job], rules: ParseRules) -> list[Examination | Problem]:
    return [_examine_one(job, rules) for job in jobs]


def _examine_one(job: Job, rules: ParseRules) -> Examination | Problem:
    from testlens.workspace.examine import examine_text

    content = read_content(job.file)
    if content is None:
        return Problem("This file was measured but cannot be read any more.", "Run the tests again.", job.path)
    text = decode(content)
    examined = examine_text(text, job.path, job.measured, rules)
    if isinstance(examined, Problem):
        return examined
    trace = trace_digest(job.measured)
    return Examination(content_digest(content), trace, examined.text_digest, encode(examined), encode_text(text))


def _set_up_worker() -> None:
    collect_rarely()
    _die_with_parent()


def _die_with_parent() -> None:
    """End when the server is killed, which would otherwise leave the worker waiting for ever."""
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
