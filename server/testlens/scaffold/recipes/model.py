"""Tests of code that loads or asks a model, with stand-ins for both: nothing heavy is imported."""

from __future__ import annotations

import ast

from testlens.domain.cases import Draft
from testlens.domain.outline import Marker
from testlens.scaffold.assertions import Circumstance
from testlens.scaffold.recipe import Knowledge, Offer, Search
from testlens.scaffold.recipes.beyond import beyond, named_apart, remaining
from testlens.scaffold.recipes.model_code import ModelCode
from testlens.scaffold.recipes.model_loading import led_loading, loading_scenarios
from testlens.scaffold.recipes.model_predicting import led_predicting, predicting_scenarios
from testlens.scaffold.recipes.model_stage import ModelStage, model_stage
from testlens.scaffold.recipes.module_map import ModuleMap
from testlens.scaffold.recipes.phrases import called
from testlens.scaffold.recipes.scenarios import Shown, Trying, chosen, confirmed, tried
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target
from testlens.scaffold.words import camel, circumstance, subject_in_words

_FITS = 78
_MOST_CASES = 8
_MOST_LED = 32


class Model:
    """The recipe for torch, sklearn, onnx, tensorflow and their like."""

    name = "model"

    def offer(self, target: Target, style: Style) -> Offer | None:
        """Offered where the function loads a model or asks one."""
        details = [marker.detail for marker in target.markers if _is_about_model(marker, target)]
        if not details:
            return None
        loads = any("load" in detail or "Session" in detail or "pretrained" in detail for detail in details)
        what = "loads a model" if loads else "asks a model"
        return Offer(self.name, f"Test that `{target.function.name}` {what}, with a stand-in for it", _FITS)

    def search(self, target: Target, knowledge: Knowledge) -> Search:
        """Show what the function does with each answer of a library and a model that are not there."""
        functions = ModuleMap(target.tree)
        code = ModelCode(target.tree, functions)
        stage = model_stage(target, knowledge, code, functions)
        helpers = stage.helpers if stage is not None else ()
        shown = (yield from _shown(stage, target)) if stage is not None else []
        done = yield from confirmed(chosen(shown, target, _MOST_CASES), knowledge.style, helpers)
        cases = tuple(case for _, case in done)
        left = remaining(target, [one.trial for one, _ in done])
        if left is not None:
            cases += yield from beyond(left, knowledge, _words(left), are_wanted=not cases)
        group = camel(target.function.name.strip("_") or target.function.name)
        return Draft(self.name, group, named_apart(cases), helpers if done else ())


def _shown(stage: ModelStage, target: Target) -> Trying[list[Shown]]:
    """What the scenarios came to; where they do not reach the whole gap, those as well that its conditions ask for."""
    predicting = predicting_scenarios(stage)
    shown = yield from tried([*loading_scenarios(stage), *predicting], stage.style, stage.helpers)
    if shown is None:
        return []
    if remaining(target, [one.trial for one in shown if one.is_usable]) is None:
        return shown
    usable = [one.scenario for one in shown if one.is_usable and one.scenario in predicting]
    led = [*led_loading(stage), *led_predicting(stage, usable or predicting[:1])]
    return [*shown, *((yield from tried(led[:_MOST_LED], stage.style, stage.helpers)) or [])]


def _is_about_model(marker: Marker, target: Target) -> bool:
    """Whether a marker speaks of a model: a pickle may hold anything, but not where the function calls it a model."""
    if marker.kind == "model":
        return True
    is_pickle = marker.kind == "deserialisation" and marker.detail.startswith(("pickle ", "dill ", "cloudpickle "))
    return is_pickle and "model" in ast.unparse(target.function)


def _words(target: Target) -> Circumstance:
    special = circumstance(target)
    return Circumstance(f"{subject_in_words(target)}, and {special}", called(target), special)
