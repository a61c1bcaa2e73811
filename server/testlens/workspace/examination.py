"""Decides, for every measured file, whether what the store keeps still holds or the file is examined anew."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from testlens.domain.coverage import Trace
from testlens.domain.problems import Problem
from testlens.workspace import codec
from testlens.workspace.examined import Examined, Measured, ParseRules, trace_digest
from testlens.workspace.measurement import Measurement
from testlens.workspace.pool import Examination, Job, examine_all
from testlens.workspace.remembered import Remembered
from testlens.workspace.source_files import SourceFile, SourceFiles
from testlens.workspace.store import Origin, Store

Progress = Callable[[int, int], None]
"""Called with files done and files in all."""

_WRITE_TOGETHER = 200


@dataclass(frozen=True, slots=True)
class ExaminedFile:
    """A file and what was found. `edited` says that its text on disk is not the one that was measured.

    `anchored` says that what was found refers to the text that was measured; otherwise that text is not known, and
    the one on disk stood in for it.
    """

    path: str
    examined: Examined
    edited: bool
    anchored: bool


class Examiner:
    """Examines all files of one measurement, reusing what the store keeps. One file is held at a time.

    `problems` grows while the files come.
    """

    def __init__(
        self, root: Path, store: Store, measurement: Measurement, rules: ParseRules, remembered: Remembered
    ) -> None:
        self.problems: list[Problem] = []
        self._root = root
        self._store = store
        self._remembered = remembered
        self._measurement = measurement
        self._rules = rules
        self._rules_digest = hashlib.blake2b(repr(rules).encode(), digest_size=8).hexdigest()
        self._signature = repr(measurement.data.signature)
        self._files = SourceFiles(root, measurement.data)
        self._origins = store.origins()
        self._known_texts = store.measured_digests()
        self._entries: list[tuple[str, Origin, str]] = []
        self._texts: list[tuple[str, str, bytes]] = []
        self._reused: list[ExaminedFile] = []

    def files(self, progress: Progress) -> Iterator[ExaminedFile]:
        """Each file of the measurement that can be examined."""
        total = len(self._measurement.names)
        unread: set[str] = set()
        for path in self._measurement.names:
            file = self._same_data(path)
            if file is not None:
                yield file
            else:
                unread.add(path)
        done = total - len(unread)
        for job, found in examine_all(self._jobs(unread), self._rules):
            yield from self._take_reused()
            done += 1
            progress(done, total)
            if isinstance(found, Problem):
                self._complain(found, job.path)
            else:
                yield self._remember(job, found)
        yield from self._take_reused()
        self._write()

    def _same_data(self, path: str) -> ExaminedFile | None:
        # The same data as when the file was examined: what was found then still is what was measured, even if the
        # text was edited since. The source need not even be read, only compared.
        origin = self._origins.get(path)
        if origin is None or origin.signature != self._signature or origin.rules != self._rules_digest:
            return None
        digest = self._files.digest(path)
        examined = self._found(path, origin)
        if digest is None or examined is None:
            return None
        return ExaminedFile(path, examined, edited=origin.content != digest, anchored=True)

    def _found(self, path: str, origin: Origin) -> Examined | None:
        """What was found from there, as it is remembered or kept."""
        examined = self._remembered.examined(path, origin)
        if examined is None:
            kept = self._store.examination(path)
            examined = codec.decode(kept) if kept else None
            if examined is not None:
                self._remembered.keep(path, origin, examined)
        return examined

    def _jobs(self, unread: set[str]) -> Iterator[Job]:
        for path, measured in self._measurement.measured(unread, self.problems):
            if not self._reuse(path, measured):
                yield Job(self._root / path, path, measured)

    def _reuse(self, path: str, measured: Measured) -> bool:
        origin = self._origins.get(path)
        if origin is None or origin.rules != self._rules_digest or origin.trace != trace_digest(measured):
            return False
        source = self._read(path, measured)
        kept = self._store.examination(path) if source is not None and source.digest == origin.content else None
        examined = codec.decode(kept) if kept else None
        if source is None or kept is None or examined is None:
            return False
        self._keep(source, origin.trace, kept)
        self._reused.append(_file(source, examined))
        return True

    def _take_reused(self) -> Iterator[ExaminedFile]:
        reused, self._reused = self._reused, []
        yield from reused

    def _remember(self, job: Job, found: Examination) -> ExaminedFile:
        examined = codec.decode(found.found)
        assert examined is not None
        self._remembered.keep(job.path, Origin(found.content, found.trace, "", self._rules_digest), examined)
        source = self._read(job.path, job.measured)
        if source is None or source.digest != found.content:
            # Edited or deleted while we looked: not worth keeping.
            return ExaminedFile(job.path, examined, edited=True, anchored=False)
        self._keep(source, found.trace, found.found)
        if source.fresh and self._known_texts.get(job.path) != found.text_digest:
            self._texts.append((job.path, found.text_digest, found.text))
        return _file(source, examined)

    def _read(self, path: str, measured: Measured) -> SourceFile | None:
        source = self._files.read(path)
        if source is None or _is_within(measured, source):
            return source
        # A report can be younger than the file and yet speak of another one, as when CI made it of another revision.
        return replace(source, fresh=False)

    def _keep(self, source: SourceFile, trace: str, value: str) -> None:
        # Without a signature it is never taken for what was measured, only reused for the same text and trace.
        signature = self._signature if source.fresh else ""
        self._entries.append((source.path, Origin(source.digest, trace, signature, self._rules_digest), value))
        if len(self._entries) >= _WRITE_TOGETHER:
            self._write()

    def _write(self) -> None:
        self._store.keep_examinations(self._entries)
        self._store.keep_measured_texts(self._texts)
        self._entries, self._texts = [], []

    def _complain(self, problem: Problem, path: str) -> None:
        # Templates and other text that a tracer attributed to Python are no errors; coverage.py passes over them too.
        suffix = Path(path).suffix
        if not suffix or suffix.startswith(".py"):
            self.problems.append(problem)


def _is_within(measured: Measured, source: SourceFile) -> bool:
    lines = measured.lines if isinstance(measured, Trace) else measured.statements
    ends = max(source.content.count(b"\n"), source.content.count(b"\r"))
    return max(lines, default=0) <= ends + 1


def _file(source: SourceFile, examined: Examined) -> ExaminedFile:
    return ExaminedFile(source.path, examined, edited=not source.fresh, anchored=source.fresh)
