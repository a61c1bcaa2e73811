"""Decides, for every measured file, whether what the store keeps still holds or the file is examined anew."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from testlens.domain.problems import Problem
from testlens.workspace import codec
from testlens.workspace.examine import Examined, ParseRules, digest
from testlens.workspace.measurement import Measurement, trace_digest
from testlens.workspace.pool import Job, examine_all
from testlens.workspace.source_files import SourceFile, SourceFiles
from testlens.workspace.store import KeptExamination, Store

Progress = Callable[[int, int], None]
"""Called with files done and files in all."""


@dataclass(slots=True)
class Examination:
    """What came of one pass over a data file. Paths in `unanchored` changed since, and nobody knows how."""

    files: dict[str, Examined] = field(default_factory=dict)
    unanchored: set[str] = field(default_factory=set)
    edited: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


class Examiner:
    """Examines all files of one measurement, reusing what the store keeps."""

    def __init__(self, root: Path, store: Store, measurement: Measurement, rules: ParseRules) -> None:
        self._root = root
        self._store = store
        self._measurement = measurement
        self._rules = rules
        self._rules_digest = hashlib.blake2b(repr(rules).encode(), digest_size=8).hexdigest()
        self._signature = repr(measurement.data.signature)
        self._files = SourceFiles(root, measurement.data)
        self._kept = store.examinations()
        self._result = Examination()
        self._sources: dict[str, SourceFile] = {}

    def examine(self, progress: Progress) -> Examination:
        """Examine every file of the measurement."""
        unread = [path for path in self._measurement.names if not self._reuse_without_reading(path)]
        total = len(self._measurement.names)
        done = total - len(unread)
        kept: list[KeptExamination] = []
        for job, found in examine_all(self._jobs(frozenset(unread), kept), self._rules):
            done += 1
            progress(done, total)
            if isinstance(found, Problem):
                self._complain(found, job.path)
                continue
            self._result.files[job.path] = found
            kept.append(self._keep(job, found))
        self._store.keep_examinations(kept)
        self._keep_texts({entry.path for entry in kept})
        return self._result

    def _reuse_without_reading(self, path: str) -> bool:
        kept = self._kept.get(path)
        source = self._files.read(path)
        if source is None:
            self._result.problems.append(_gone(path))
            return True
        self._sources[path] = source
        if kept is None or kept.signature != self._signature or kept.rules != self._rules_digest:
            return False
        # The same data as when the file was examined: what was found then still is what was measured, even if the
        # text was edited since.
        return self._reuse(kept, source)

    def _reuse(self, kept: KeptExamination, source: SourceFile) -> bool:
        examined = codec.decode(kept.value)
        if examined is None:
            return False
        self._result.files[kept.path] = examined
        if kept.content != source.digest:
            self._result.edited.add(kept.path)
        return True

    def _jobs(self, unread: frozenset[str], kept_again: list[KeptExamination]) -> Iterator[Job]:
        for path, measured in self._measurement.measured(unread):
            source, kept = self._sources[path], self._kept.get(path)
            if not source.fresh:
                self._result.unanchored.add(path)
            if kept is not None and kept.content == source.digest and kept.rules == self._rules_digest:
                trace = trace_digest(measured)
                if kept.trace == trace and self._reuse(kept, source):
                    kept_again.append(self._entry(source, trace, kept.value))
                    continue
            yield Job(self._root / path, path, measured)

    def _complain(self, problem: Problem, path: str) -> None:
        # Templates and other text that a tracer attributed to Python are no errors; coverage.py passes over them too.
        suffix = Path(path).suffix
        if not suffix or suffix.startswith(".py"):
            self._result.problems.append(problem)

    def _keep(self, job: Job, examined: Examined) -> KeptExamination:
        return self._entry(self._sources[job.path], trace_digest(job.measured), codec.encode(examined))

    def _entry(self, source: SourceFile, trace: str, value: str) -> KeptExamination:
        # Without a signature it is never taken for what was measured, only reused for the same text and trace.
        signature = self._signature if source.fresh else ""
        return KeptExamination(source.path, source.digest, trace, signature, self._rules_digest, value)

    def _keep_texts(self, paths: set[str]) -> None:
        known = self._store.measured_digests()
        texts = []
        for path in paths - self._result.unanchored:
            text = self._sources[path].text
            if known.get(path) != digest(text):
                texts.append((path, digest(text), text))
        self._store.keep_measured_texts(texts)


def _gone(path: str) -> Problem:
    return Problem("This file was measured but cannot be read any more.", "Run the tests again.", path)
