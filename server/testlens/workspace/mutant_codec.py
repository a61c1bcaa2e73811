"""`FileMutants` to JSON and back, for the store."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any, get_args

from testlens.domain.mutants import FileMutants, Mutant, MutantStatus, Span

_STATUSES: dict[str, MutantStatus] = {status: status for status in get_args(MutantStatus)}


def encode_mutants(file: FileMutants) -> str:
    """One compact JSON text, without the path, the digest and the tests' names written again and again."""
    tests = sorted({test for mutant in file.mutants for test in (*mutant.tests, mutant.killed_by or "") if test})
    numbers = {test: number for number, test in enumerate(tests)}
    mutants = [_encode(mutant, numbers) for mutant in file.mutants]
    return json.dumps([tests, mutants, dict(file.not_mutated)], separators=(",", ":"))


def decode_mutants(path: str, digest: str, text: str) -> FileMutants | None:
    """The value, or None where `text` is not one that `encode_mutants` wrote."""
    try:
        tests, mutants, not_mutated = json.loads(text)
        decoded = tuple(_decode(path, value, tests) for value in mutants)
        return FileMutants(path, digest, decoded, MappingProxyType(dict(not_mutated)))
    except (ValueError, TypeError, KeyError, IndexError):
        return None


def _encode(mutant: Mutant, numbers: dict[str, int]) -> list[Any]:
    span = mutant.span
    return [
        *(mutant.name, mutant.function, mutant.function_digest),
        [span.first_line, span.first_column, span.last_line, span.last_column],
        *(mutant.original, mutant.replacement, mutant.status),
        [numbers[test] for test in mutant.tests],
        None if mutant.killed_by is None else numbers[mutant.killed_by],
        mutant.seconds,
    ]


def _decode(path: str, value: Any, tests: list[str]) -> Mutant:
    name, function, function_digest, span, original, replacement, status, ran, killed_by, seconds = value
    return Mutant(
        name,
        path,
        function,
        function_digest,
        Span(*span),
        original,
        replacement,
        _STATUSES[status],
        tuple(tests[number] for number in ran),
        None if killed_by is None else tests[killed_by],
        seconds,
    )
