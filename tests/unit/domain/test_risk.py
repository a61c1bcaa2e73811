"""What the risk of a gap promises."""

from __future__ import annotations

import pytest

from testlens.domain.history import Change
from testlens.domain.risk import DEFAULT_WEIGHTS, Evidence, assess, crap, merged_weights, unknown_weights

ALL_CONSEQUENCES = frozenset(DEFAULT_WEIGHTS)
WILD = Change(age_days=0, share365=1, authors=9, commits=1000)
CALM = Change(age_days=5000, share365=0, authors=1, commits=0)


def evidence(
    kind: str = "uncovered",
    complexity: int = 8,
    unproven: float = 1.0,
    consequences: frozenset[str] = frozenset(),
    change: Change | None = CALM,
) -> Evidence:
    return Evidence(kind, complexity, unproven, consequences, change)


@pytest.mark.parametrize("kind", ["uncovered", "partial"])
@pytest.mark.parametrize("complexity", [1, 2, 7, 33, 400])
@pytest.mark.parametrize("change", [None, CALM, WILD])
@pytest.mark.parametrize("consequences", [frozenset(), frozenset({"critical"}), ALL_CONSEQUENCES])
def test_factors_add_up_to_a_score_between_0_and_100(
    kind: str, complexity: int, change: Change | None, consequences: frozenset[str]
) -> None:
    risk = assess(evidence(kind, complexity, 1.0, consequences, change))
    assert risk.score == pytest.approx(sum(risk.factors.values()), abs=1e-9)
    assert 0 <= risk.score <= 100.4
    assert risk.score == pytest.approx(risk.likelihood + risk.consequence, abs=1e-9)


def test_the_worst_case_reaches_the_top_of_the_scale() -> None:
    worst = evidence(complexity=64, consequences=ALL_CONSEQUENCES, change=WILD)
    assert assess(worst).score == pytest.approx(100, abs=0.5)


def test_more_evidence_never_lowers_risk() -> None:
    plain = assess(evidence())
    assert assess(evidence(complexity=16)).score > plain.score
    assert assess(evidence(change=WILD)).score > plain.score
    assert assess(evidence(consequences=frozenset({"data write"}))).score > plain.score
    assert assess(evidence(unproven=0.2)).score < plain.score
    assert assess(evidence(kind="partial", unproven=0.2)).score < assess(evidence(unproven=0.2)).score


def test_without_history_the_factors_left_out_are_named() -> None:
    risk = assess(evidence(change=None))
    assert risk.left_out == ("recency", "changed", "authors", "commits")
    assert set(risk.factors) == {"complexity"}


def test_the_largest_factors_come_first() -> None:
    risk = assess(evidence(complexity=2, consequences=frozenset({"critical", "storage"})))
    assert risk.largest(2) == ("critical", "storage")


def test_weights_of_the_user_replace_the_defaults() -> None:
    weights = merged_weights({"storage": 30, "nonsense": 5, "network": -1})
    risk = assess(evidence(consequences=frozenset({"storage", "network"})), weights)
    assert (risk.factors["storage"], risk.factors["network"]) == (30.0, 8.0)
    assert unknown_weights(["storage", "nonsense"]) == ("nonsense",)


def test_all_weights_at_zero_give_no_risk_and_no_error() -> None:
    weights = merged_weights(dict.fromkeys(DEFAULT_WEIGHTS, 0.0))
    assert assess(evidence(consequences=ALL_CONSEQUENCES), weights).score == 0


def test_crap_is_the_published_formula() -> None:
    # Savoia and Evans: complexity alone when covered; C^2 + C when not.
    assert crap(5, 100.0) == 5
    assert crap(5, 0.0) == 30
    assert crap(10, 50.0) == pytest.approx(100 * 0.125 + 10)
