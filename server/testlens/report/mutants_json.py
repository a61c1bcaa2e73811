"""The JSON shape of mutants, which has its one home here: what `testlens mutate --json` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from testlens.domain.mutants import Mutant
from testlens.report.plan_json import VERSION


def mutants_json(mutants: Sequence[Mutant], score: float | None) -> dict[str, Any]:
    """Mutants that were checked, and their score in percent. Lines are 1-based, columns 0-based in characters.

    The score speaks of the `checked` mutants alone, of `total` that there are.
    """
    checked = [mutant_json(mutant) for mutant in mutants if mutant.status != "not checked"]
    return {
        "version": VERSION,
        "score": None if score is None else round(score, 1),
        "checked": len(checked),
        "total": len(mutants),
        "mutants": checked,
    }


def mutant_json(mutant: Mutant) -> dict[str, Any]:
    """One mutant, as every command prints it."""
    span = mutant.span
    return {
        "name": mutant.name,
        "file": mutant.file,
        "function": mutant.function,
        "start": [span.first_line, span.first_column],
        "end": [span.last_line, span.last_column],
        "original": mutant.original,
        "replacement": mutant.replacement,
        "status": mutant.status,
        "tests": list(mutant.tests),
    }
