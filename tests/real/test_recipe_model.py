"""Tests that Testlens writes of code that loads or asks a model: no library of models is there, and none is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from real.scaffold_ground import make_project, write_tests
from real.test_example_clarity import example_python

pytestmark = pytest.mark.real

SLEEP = """
    class NotLoaded(Exception):
        pass


    class SleepModel:
        def __init__(self, path=None):
            self._path = path
            self._model = None

        @property
        def is_loaded(self):
            return self._model is not None

        def load_model(self):
            if self.is_loaded:
                return
            if self._path is None:
                raise NotLoaded("no path")
            try:
                import torch
            except ImportError as error:
                raise NotLoaded("torch is missing") from error
            device = "cuda" if torch.cuda.is_available() else "cpu"
            try:
                self._model = torch.jit.load(self._path, map_location=device)
            except FileNotFoundError as error:
                raise NotLoaded("no file") from error
            except RuntimeError as error:
                if "out of memory" in str(error) and device == "cuda":
                    self._model = torch.jit.load(self._path, map_location="cpu")
                else:
                    raise NotLoaded("no model") from error
            self._torch = torch

        def stages(self, values):
            torch = self._torch
            rows = []
            with torch.no_grad():
                for start in range(0, len(values), 20):
                    window = values[start : start + 20]
                    inputs = torch.tensor([window + [0.0] * (20 - len(window))])
                    logits = self._model(inputs)[0].tolist()
                    rows.extend(row.index(max(row)) for row in logits[: len(window)])
            return rows
    """
CLASSIFIER = """
    import pickle

    LABELS = ("cat", "dog", "bird")


    class ModelError(Exception):
        pass


    class Classifier:
        def __init__(self, path):
            self.path = path
            self.model = None

        def load(self):
            try:
                with open(self.path, "rb") as file:
                    self.model = pickle.load(file)
            except FileNotFoundError as error:
                raise ModelError("no model") from error
            except (pickle.UnpicklingError, EOFError) as error:
                raise ModelError("the model is corrupt") from error

        def classify(self, features):
            if self.model is None:
                raise ModelError("not loaded")
            shares = self.model.predict_proba([features])[0]
            return LABELS[shares.index(max(shares))]


    def is_spam(words):
        from tensorflow import keras

        model = keras.models.load_model("spam.keras")
        return bool(model.predict([words])[0][0] > 0.5)
    """


def test_loading_is_shown_in_each_of_its_outcomes_without_the_library(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"sleep.py": SLEEP})
    written = write_tests(project, example_python(), "sleep.py", "SleepModel.load_model", "model")

    assert written.verdict.outcome == "passed", written.verdict
    assert written.verdict.missing == ()
    assert written.offers[0].recipe == "model"
    assert 'monkeypatch.setitem(sys.modules, "torch", torch)' in written.conftest
    assert set(written.names) >= {
        "test_when_the_model_is_loaded_then_it_is_loaded",
        "test_when_the_model_is_loaded_again_then_it_is_loaded",
        "test_when_torch_is_not_installed_then_raises_not_loaded",
        "test_when_there_is_no_model_file_then_raises_not_loaded",
        "test_when_the_file_is_not_a_model_then_raises_not_loaded",
        "test_when_loading_fails_with_out_of_memory_on_the_gpu_then_it_is_loaded",
        "test_when_path_is_none_then_raises_not_loaded",
    }
    assert 'assert load.mock_calls == [call("model.bin", map_location="cpu")]' in written.tests


def test_a_prediction_works_on_an_answer_of_the_shape_that_the_code_takes_apart(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"sleep.py": SLEEP})
    written = write_tests(project, example_python(), "sleep.py", "SleepModel.stages", "model")

    assert written.verdict.outcome == "passed", written.verdict
    assert written.verdict.missing == ()
    assert "fake_model.side_effect = lambda inputs: fake_torch.tensor(" in written.tests
    assert "assert result == [0, 0, 0]" in written.tests


def test_a_pickled_model_is_missing_or_corrupt_in_earnest(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"classifier.py": CLASSIFIER})
    written = write_tests(project, example_python(), "classifier.py", "Classifier.load", "model")

    assert written.verdict.outcome == "passed", written.verdict
    assert written.verdict.missing == ()
    assert '(tmp_path / "model.bin").write_bytes(b"no pickle")' in written.tests


def test_each_class_that_a_model_may_favour_is_told_apart(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"classifier.py": CLASSIFIER})
    written = write_tests(project, example_python(), "classifier.py", "Classifier.classify", "model")

    assert written.verdict.outcome == "passed", written.verdict
    assert written.verdict.missing == ()
    assert 'assert result == "cat"' in written.tests
    assert 'assert result == "bird"' in written.tests
    assert "test_when_no_model_was_loaded_then_raises_model_error" in written.names
