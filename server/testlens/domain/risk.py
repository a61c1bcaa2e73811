"""Risk: how likely a gap hides a fault, and what the fault would cost, as named factors that add up to 0 to 100.

Likelihood follows the evidence in docs/risk.md (measured on the histories of 18 projects); consequence is judgement.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from testlens.domain.history import Change

LIKELIHOOD_POINTS = 60.0
CONSEQUENCE_POINTS = 40.0

# The share of a function's likelihood that counts for a gap even when all the rest of the function is proven.
_LEAST_UNPROVEN = {"uncovered": 0.5, "partial": 0.25, "survivor": 0.5}
# Of what happens there, some did run.
_RAN_CONSEQUENCE = 0.6
_RAN = frozenset({"partial", "survivor"})
# What most likely is no fault at all comes behind all that may be one.
_EQUIVALENT_SHARE = 0.1

DEFAULT_WEIGHTS: Mapping[str, float] = {
    "complexity": 30,
    "recency": 20,
    "changed": 15,
    "authors": 15,
    "commits": 20,
    "critical": 20,
    "error handler": 14,
    "data write": 12,
    "batch": 10,
    "retry": 12,
    "network": 8,
    "storage": 6,
    "auth": 10,
    "deserialisation": 8,
    "model": 8,
}
_LIKELIHOOD = ("complexity", "recency", "changed", "authors", "commits")
_CONSEQUENCE = tuple(name for name in DEFAULT_WEIGHTS if name not in _LIKELIHOOD)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one gap. `unproven` is the share (0 to 1) of its function that no test proves.

    For a survivor that is the share of its function's mutants that no test noticed, and `looks_equivalent` says that
    the change most likely changes nothing that a test could notice. `consequences` are the names of what the gap's
    lines do ("data write", "critical"); `change` is None without a usable history.
    """

    kind: str
    complexity: int
    unproven: float
    consequences: frozenset[str]
    change: Change | None
    looks_equivalent: bool = False


@dataclass(frozen=True, slots=True)
class Risk:
    """`score` is the sum of `factors`, each in points; `left_out` names the factors that could not be known."""

    score: float
    factors: Mapping[str, float]
    left_out: tuple[str, ...] = field(default=())

    def largest(self, count: int) -> tuple[str, ...]:
        """The names of the `count` factors that add most, largest first."""
        ranked = sorted(self.factors, key=lambda name: -self.factors[name])
        return tuple(ranked[:count])

    @property
    def likelihood(self) -> float:
        """The points that say how likely a fault is."""
        return round(sum(self.factors.get(name, 0.0) for name in _LIKELIHOOD), 1)

    @property
    def consequence(self) -> float:
        """The points that say what a fault would cost."""
        return round(sum(self.factors.get(name, 0.0) for name in _CONSEQUENCE), 1)


def is_likelihood(name: str) -> bool:
    """Whether a factor speaks of likelihood; all others speak of consequence."""
    return name in _LIKELIHOOD


def assess(evidence: Evidence, weights: Mapping[str, float] = DEFAULT_WEIGHTS) -> Risk:
    """The risk of one gap."""
    likelihood = _likelihood(evidence, weights)
    factors = {**likelihood, **_consequence(evidence, weights)}
    share = _EQUIVALENT_SHARE if evidence.looks_equivalent else 1.0
    rounded = {name: round(points * share, 1) for name, points in factors.items() if round(points * share, 1) > 0}
    left_out = tuple(name for name in _LIKELIHOOD if name not in likelihood)
    return Risk(round(sum(rounded.values()), 1), rounded, left_out)


def crap(complexity: int, numbers_percent: float) -> float:
    """CRAP of a function (Savoia and Evans, 2007): C^2 * (1 - coverage)^3 + C; above 30 is the customary alarm."""
    return round(complexity**2 * (1 - numbers_percent / 100) ** 3 + complexity, 1)


def _likelihood(evidence: Evidence, weights: Mapping[str, float]) -> dict[str, float]:
    shares = {"complexity": min(math.log2(max(evidence.complexity, 1)), 5) / 5}
    if evidence.change is not None:
        shares |= _change_shares(evidence.change)
    # Without history the known factors are rescaled, so that scores stay comparable within the project.
    scale = sum(weights[name] for name in shares)
    if scale <= 0:
        return {}
    least = _LEAST_UNPROVEN[evidence.kind]
    proof = least + (1 - least) * evidence.unproven
    return {name: LIKELIHOOD_POINTS * proof * weights[name] * share / scale for name, share in shares.items()}


def _change_shares(change: Change) -> dict[str, float]:
    return {
        "recency": 2 ** (-change.age_days / 180),
        "changed": change.share365,
        "authors": min(change.authors - 1, 4) / 4,
        "commits": min(math.log2(1 + change.commits), 5) / 5,
    }


def _consequence(evidence: Evidence, weights: Mapping[str, float]) -> dict[str, float]:
    points = {name: weights[name] for name in _CONSEQUENCE if name in evidence.consequences}
    total = sum(points.values())
    scale = min(1.0, CONSEQUENCE_POINTS / total) if total else 1.0
    if evidence.kind in _RAN:
        scale *= _RAN_CONSEQUENCE
    return {name: value * scale for name, value in points.items()}


def merged_weights(overrides: Mapping[str, float]) -> Mapping[str, float]:
    """The default weights with the user's own; names that are not weights and negative numbers are ignored."""
    known = {name: float(value) for name, value in overrides.items() if name in DEFAULT_WEIGHTS and value >= 0}
    return {**DEFAULT_WEIGHTS, **known}


def unknown_weights(names: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` that are no factor of risk."""
    return tuple(name for name in names if name not in DEFAULT_WEIGHTS)
