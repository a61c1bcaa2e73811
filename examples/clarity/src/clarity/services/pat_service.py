"""Sleep stages from movement: runs the pretrained actigraphy transformer (PAT) and smooths what it says.

torch is imported when a model is loaded: the storage and messaging paths do without it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clarity.errors import InvalidActigraphyError, ModelNotLoadedError
from clarity.models import SleepStage, SleepSummary

logger = logging.getLogger(__name__)

STAGES = (SleepStage.WAKE, SleepStage.LIGHT, SleepStage.DEEP, SleepStage.REM)
# The model was trained on windows of ten minutes and on counts up to this.
WINDOW_EPOCHS = 20
MAX_COUNT = 5000
MIN_EPOCHS = 40
LOW_CONFIDENCE = 0.5


class PATService:
    """Predicts sleep stages. Load a model once with `load_model`, then call `analyze_sleep` as often as you like."""

    def __init__(self, model_path: str | Path | None = None, device: str | None = None) -> None:
        self._path = Path(model_path) if model_path else None
        self._device = device
        self._model: Any = None
        self._torch: Any = None

    @property
    def is_loaded(self) -> bool:
        return self._model is not None

    def load_model(self) -> None:
        """Load the model from disk; a second call does nothing. Raises `ModelNotLoadedError` with the reason."""
        if self.is_loaded:
            return
        if self._path is None:
            raise ModelNotLoadedError("no model path is configured")
        try:
            import torch
        except ImportError as error:
            raise ModelNotLoadedError("torch is not installed: pip install 'clarity[model]'") from error
        device = self._device or ("cuda" if torch.cuda.is_available() else "cpu")
        try:
            model = torch.jit.load(str(self._path), map_location=device)
        except FileNotFoundError as error:
            raise ModelNotLoadedError(f"there is no model at {self._path}") from error
        except RuntimeError as error:
            if "out of memory" in str(error) and device == "cuda":
                logger.warning("no room on the GPU, the model runs on the CPU")
                device = "cpu"
                model = torch.jit.load(str(self._path), map_location=device)
            else:
                raise ModelNotLoadedError(f"{self._path} is not a model: {error}") from error
        model.eval()
        self._torch, self._model, self._device = torch, model, device

    def analyze_sleep(self, movement: Sequence[int]) -> SleepSummary:
        """The stages of one night; `movement` has one count per 30 s epoch."""
        counts = validated_counts(movement)
        if not self.is_loaded:
            raise ModelNotLoadedError("call load_model() before analyze_sleep()")
        probabilities = self._predict(normalized(counts))
        if len(probabilities) != len(counts):
            raise ModelNotLoadedError(f"the model gave {len(probabilities)} epochs for {len(counts)}")
        return summarize(probabilities)

    def _predict(self, values: Sequence[float]) -> list[list[float]]:
        """One row of stage probabilities an epoch, window by window; the last window is padded with rest."""
        torch = self._torch
        rows: list[list[float]] = []
        with torch.no_grad():
            for start in range(0, len(values), WINDOW_EPOCHS):
                window = list(values[start : start + WINDOW_EPOCHS])
                padding = WINDOW_EPOCHS - len(window)
                inputs = torch.tensor([window + [0.0] * padding], device=self._device)
                logits = self._model(inputs)[0].tolist()
                rows.extend(softmax(row) for row in logits[: len(window)])
        return rows


def validated_counts(movement: Sequence[int]) -> list[int]:
    """The counts, if they can be analysed: long enough, not negative, not all the same."""
    if len(movement) < MIN_EPOCHS:
        raise InvalidActigraphyError(f"{len(movement)} epochs are too few, at least {MIN_EPOCHS} are needed")
    if any(count < 0 for count in movement):
        raise InvalidActigraphyError("movement counts cannot be negative")
    if len(set(movement)) == 1:
        raise InvalidActigraphyError("the counts never change: the device was probably not worn")
    return list(movement)


def normalized(counts: Sequence[int]) -> list[float]:
    """Counts on the scale that the model was trained on: logarithmic, 0 to 1, outliers capped."""
    ceiling = math.log1p(MAX_COUNT)
    return [math.log1p(min(count, MAX_COUNT)) / ceiling for count in counts]


def softmax(logits: Sequence[float]) -> list[float]:
    """Logits as probabilities that add up to 1."""
    highest = max(logits)
    weights = [math.exp(logit - highest) for logit in logits]
    total = sum(weights)
    return [weight / total for weight in weights]


def summarize(probabilities: Sequence[Sequence[float]]) -> SleepSummary:
    """The night that these stage probabilities describe."""
    best = [max(range(len(STAGES)), key=row.__getitem__) for row in probabilities]
    confidence = sum(row[index] for row, index in zip(probabilities, best, strict=True)) / len(best)
    stages = remove_isolated_epochs([STAGES[index] for index in best])
    warnings = []
    if confidence < LOW_CONFIDENCE:
        warnings.append("low confidence")
    if not any(stage.is_asleep for stage in stages):
        warnings.append("no sleep found")
    return SleepSummary(tuple(stages), confidence, tuple(warnings))


def remove_isolated_epochs(stages: Sequence[SleepStage]) -> list[SleepStage]:
    """Stages without those that last a single epoch between two epochs of one other stage: these are noise."""
    smoothed = list(stages)
    for index in range(1, len(smoothed) - 1):
        before, after = smoothed[index - 1], smoothed[index + 1]
        if before == after != smoothed[index]:
            smoothed[index] = before
    return smoothed
