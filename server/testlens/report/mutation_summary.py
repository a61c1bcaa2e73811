"""What mutants say of a workspace, in one line and as JSON values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from testlens.domain.snapshot import Snapshot


def mutation_json(snapshot: Snapshot) -> dict[str, Any]:
    """The score, how many survivors are gaps, and how many are not, by the reason why; empty where none is known."""
    if not snapshot.mutants.files:
        return {}
    return {
        "mutation": {
            "score": snapshot.mutants.score,
            "source": snapshot.mutants.source,
            "survivors": sum(1 for _ in snapshot.survivor_gaps),
            "hidden": dict(_hidden(snapshot)),
        }
    }


def mutation_line(snapshot: Snapshot) -> str:
    """The same for people; empty where no mutant was checked."""
    score = snapshot.mutants.score
    if score is None:
        return ""
    shown = sum(1 for _ in snapshot.survivor_gaps)
    survivors = "1 survivor" if shown == 1 else f"{shown} survivors"
    reasons = ", ".join(f"{count} ({reason})" for reason, count in sorted(_hidden(snapshot).items()))
    hidden = f"; not shown: {reasons}" if reasons else ""
    unchecked = sum(
        mutant.status == "not checked" for file in snapshot.mutants.files.values() for mutant in file.mutants
    )
    left = f" of what was checked ({unchecked} mutants were not)" if unchecked else ""
    return f"Mutation score {score:.1f} %{left}, {survivors} among the gaps{hidden}."


def _hidden(snapshot: Snapshot) -> Mapping[str, int]:
    hidden: Counter[str] = Counter()
    for file in snapshot.survivors.values():
        hidden.update(file.hidden)
    return hidden
