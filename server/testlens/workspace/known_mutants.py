"""All that is known of the mutants of one folder, whoever found it: kept over restarts, the newest of each file."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from testlens.domain.mutants import NO_MUTANTS, FileMutants, MutationResults, merged
from testlens.sources.coverage_parse import decode
from testlens.sources.source_text import read_content
from testlens.workspace.codec import decode_text, encode_text
from testlens.workspace.examined import digest
from testlens.workspace.mutant_codec import decode_mutants, encode_mutants
from testlens.workspace.store import KeptMutants, Store

OWN = "Testlens' own run"


@dataclass(frozen=True, slots=True)
class MutatedFile:
    """The mutants of one file, the text that was mutated, from where in words and when (seconds since the epoch)."""

    mutants: FileMutants
    text: str
    sources: tuple[str, ...]
    time: float


class KnownMutants:
    """Holds what Testlens found itself; `combined` adds what others left."""

    def __init__(self, root: Path, store: Store) -> None:
        self._root = root
        self._store = store
        self._own = {file.mutants.path: file for file in _load(store)}

    def take(self, results: MutationResults) -> None:
        """Put results in the place of what was known of the same functions, and keep them."""
        taken = [file for found in results.files.values() if (file := self._with_text(found)) is not None]
        self._own.update({file.mutants.path: file for file in taken})
        self._store.keep_mutants(_kept(file) for file in taken)

    def combined(self, others: Iterable[MutatedFile]) -> Mapping[str, MutatedFile]:
        """The newest of each function, by the path of its file; files that are gone are left out."""
        files = {path: file for path, file in self._own.items() if (self._root / path).is_file()}
        for other in others:
            known = files.get(other.mutants.path)
            files[other.mutants.path] = other if known is None else _together(known, other)
        return dict(sorted(files.items()))

    def _with_text(self, found: FileMutants) -> MutatedFile | None:
        """The file with the text that its spans refer to; None where nobody knows that text any more."""
        known = self._own.get(found.path)
        content = read_content(self._root / found.path)
        text = None if content is None else decode(content)
        if text is None or digest(text) != found.text_digest:
            text = known.text if known is not None and known.mutants.text_digest == found.text_digest else None
        if text is None:
            return None
        mutants = found if known is None else merged(known.mutants, found)
        return MutatedFile(mutants, text, (OWN,), time.time())


def _together(one: MutatedFile, other: MutatedFile) -> MutatedFile:
    older, newer = sorted((one, other), key=lambda file: file.time)
    mutants = merged(older.mutants, newer.mutants)
    has_older = len(mutants.mutants) > len(newer.mutants.mutants)
    sources = (*older.sources, *newer.sources) if has_older else newer.sources
    return MutatedFile(mutants, newer.text, sources, newer.time)


def as_results(files: Mapping[str, MutatedFile]) -> MutationResults:
    """The same without texts and times."""
    if not files:
        return NO_MUTANTS
    sources = list(dict.fromkeys(source for file in files.values() for source in file.sources))
    by_path = {path: file.mutants for path, file in files.items()}
    return MutationResults(MappingProxyType(by_path), " and ".join(sources))


def _kept(file: MutatedFile) -> KeptMutants:
    mutants = file.mutants
    text = encode_text(file.text)
    return KeptMutants(mutants.path, OWN, file.time, mutants.text_digest, text, encode_mutants(mutants))


def _load(store: Store) -> Iterable[MutatedFile]:
    for kept in store.mutants():
        text = decode_text(kept.text)
        mutants = decode_mutants(kept.path, kept.digest, kept.value)
        if text is not None and mutants is not None and digest(text) == kept.digest:
            yield MutatedFile(mutants, text, (kept.source,), kept.time)
