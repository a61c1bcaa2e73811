from __future__ import annotations

import pytest

from clarity.errors import InvalidActigraphyError, ModelNotLoadedError
from clarity.models import SleepStage
from clarity.services.pat_service import PATService, normalized, remove_isolated_epochs, softmax, validated_counts

NIGHT = [0, 5, 0, 40, 2] * 10


def test_a_night_without_a_model_is_refused() -> None:
    """
    Given a service whose model was not loaded
    When a night is analysed
    Then it says so
    """
    with pytest.raises(ModelNotLoadedError):
        PATService("model.pt").analyze_sleep(NIGHT)


def test_too_short_a_night_is_refused() -> None:
    """
    Given ten minutes of movement
    When it is validated
    Then it is refused
    """
    with pytest.raises(InvalidActigraphyError):
        validated_counts([1, 2, 3])


def test_counts_are_put_on_the_scale_of_the_model() -> None:
    """
    Given counts from none to far too many
    When they are normalised
    Then they lie between 0 and 1
    """
    values = normalized([0, 100, 1_000_000])
    assert all(0 <= value <= 1 for value in values)


def test_softmax_gives_probabilities() -> None:
    """
    Given the logits of one epoch
    When they are turned into probabilities
    Then these add up to 1
    """
    assert sum(softmax([2.0, 1.0, 0.5, -3.0])) == pytest.approx(1.0)


def test_a_single_odd_epoch_is_noise() -> None:
    """
    Given light sleep with one epoch of waking in it
    When isolated epochs are removed
    Then stages come back
    """
    smoothed = remove_isolated_epochs([SleepStage.LIGHT, SleepStage.WAKE, SleepStage.LIGHT])
    assert smoothed
