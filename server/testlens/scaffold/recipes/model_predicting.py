"""What can happen when a model is asked: it answers in some shape, it is not there, it answers something else."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from testlens.domain.expressions import Expression, mark
from testlens.scaffold.recipes.led import led_scenes, suites
from testlens.scaffold.recipes.model_code import Loading, Predicting
from testlens.scaffold.recipes.model_fakes import fixture_name
from testlens.scaffold.recipes.model_loading import loaded
from testlens.scaffold.recipes.model_stage import ModelStage
from testlens.scaffold.recipes.phrases import called
from testlens.scaffold.recipes.scenarios import RECEIVER, Scenario, ref
from testlens.scaffold.words import circumstance

_MOCK = mark("unittest.mock", "MagicMock")
_SCORES = (2.0, 0.5, -1.0, 1.0, 0.0, -2.0, 1.5, -0.5, 0.25, -1.5)
_SHARES = {2: (0.8, 0.2), 3: (0.7, 0.2, 0.1), 4: (0.6, 0.2, 0.1, 0.1), 5: (0.5, 0.2, 0.1, 0.1, 0.1)}


def predicting_scenarios(stage: ModelStage) -> list[Scenario]:
    """The scenarios for a function that asks a model, itself or through another; none for any other."""
    asked = [one for one in stage.predictings if one.place == stage.place] or list(stage.predictings)
    if not asked or stage.loadings:
        return []
    found = [usual for answer in _answers(stage, asked[0]) if (usual := _usual(stage, asked[0], answer)) is not None]
    if not found:
        return []
    return [*found, *_otherwise(stage, asked[0]), *_unloaded(stage, found[0])]


def _usual(stage: ModelStage, asked: Predicting, answer: tuple[str, str]) -> Scenario | None:
    """The model gives an answer; None where no way is known to put a model there."""
    words, code = answer
    placed = _model_placed(stage, asked, code)
    if placed is None:
        return None
    scene, first, before, fixtures = placed
    return Scenario(
        replace(stage.scene, arguments={**stage.scene.arguments, **scene}),
        given=f"a model that gives {words}",
        when=called(stage.target),
        special=called(stage.target),
        first=(*stage.files, *first),
        before=before,
        fixtures=(*stage.fixtures, *fixtures),
    )


Placed = tuple[dict[str, Expression], tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""Arguments, statements before the scene, statements after it, fixtures."""


def _model_placed(stage: ModelStage, asked: Predicting, behaviour: str) -> Placed | None:
    """Where the model comes from: the class's own loader, an argument, an attribute, a global."""
    way = f".{asked.method}" if asked.method else ""
    key, _, value = behaviour.partition("=")
    match asked.model:
        case ast.Attribute(value=ast.Name(id="self"), attr=attribute):
            loadings = stage.code.loadings((stage.loader,)) if stage.loader is not None else ()
            if loadings and stage.loader is not None:
                code, fixtures = _model_loaded(stage, loadings[0])
                answer = f"fake_model{way}.{key} = {value}"
                return {}, (), (*code, answer, f"{ref(RECEIVER)}.{stage.loader.node.name}()"), fixtures
            model = f"{ref(RECEIVER)}.{attribute}"
            return {}, (), (f"{model} = {_MOCK}()", f"{model}{way}.{key} = {value}"), ()
        case ast.Name(id=name) if name in stage.scene.arguments:
            whole = f"{_MOCK}({behaviour})" if not way else f"{_MOCK}(**{{'{asked.method}.{key}': {value}}})"
            return {name: Expression(whole, origin="fixture")}, (), (), ()
        case ast.Name(id=name):
            made = f"fake_model = {_MOCK}()"
            put = f'monkeypatch.setattr({mark(stage.module, "")}, "{name}", fake_model)'
            return {}, (made, f"fake_model{way}.{key} = {value}", put), (), ("monkeypatch",)
    return None


def _model_loaded(stage: ModelStage, loading: Loading) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Statements that make `fake_model` what the loader will load, and their fixtures."""
    if loading.library is not None:
        return (f"fake_model = {fixture_name(loading.library)}.{loading.path}.return_value",), ()
    code, fixtures = loaded(stage, loading, "return_value=fake_model", "")
    return (f"fake_model = {_MOCK}()", *code), fixtures


def _answers(stage: ModelStage, asked: Predicting) -> Iterator[tuple[str, str]]:
    """What the model may answer, in words and as behaviour of a stand-in, the likeliest first."""
    count = stage.code.classes()
    rows = _rows(asked, count)
    if asked.method in ("predict", "transform", "predict_on_batch"):
        yield "one class for one row", f"return_value={_tensor(stage, '[1]')}"
    if not asked.method and asked.call.args:
        each = f"[{rows}] * len(inputs[0])"
        yield f"{count} scores for each step", f"side_effect=lambda inputs: {_tensor(stage, f'[{each}]')}"
    if asked.method == "run":
        yield f"{count} scores", f"return_value=[{_tensor(stage, f'[{rows}]')}]"
    yield f"{count} scores", f"return_value={_tensor(stage, f'[{rows}]')}"
    yield "one number", f"return_value={_tensor(stage, '[[0.8]]')}"
    yield "a list of numbers", f"return_value={_tensor(stage, str(rows))}"
    yield "a text", 'return_value="an answer"'


def _rows(asked: Predicting, count: int) -> list[float]:
    return list(_SHARES.get(count, _SHARES[2]) if asked.method == "predict_proba" else (_SCORES * 3)[:count])


def _otherwise(stage: ModelStage, asked: Predicting) -> Iterator[Scenario]:
    """With the last class in front."""
    rows = _tensor(stage, f"[{_rows(asked, stage.code.classes())[::-1]}]")
    behaviour = f"return_value=[{rows}]" if asked.method == "run" else f"return_value={rows}"
    usual = _usual(stage, asked, ("another answer", behaviour))
    if usual is not None:
        yield replace(usual, given="a model that favours another class", special="the model favours another class")


def _tensor(stage: ModelStage, values: str) -> str:
    """The values as the code gets them from its library: a tensor of torch, an array, else plain lists."""
    if "fake_torch" in stage.fixtures:
        return f"fake_torch.tensor({values})"
    for node in stage.target.tree.body:
        match node:
            case ast.Import(names=names) if any(alias.name == "numpy" for alias in names):
                return f"{mark('numpy', 'array')}({values})"
    return values


def _unloaded(stage: ModelStage, usual: Scenario) -> Iterator[Scenario]:
    """Before a model was loaded."""
    if stage.loader is not None:
        yield replace(
            usual, given="a model that was not loaded", special="no model was loaded", before=(),
            first=(), fixtures=(),
        )  # fmt: skip


def led_predicting(stage: ModelStage, found: Sequence[Scenario]) -> Iterator[Scenario]:
    """The scenarios as the conditions on the way to each part of the gap want them."""
    for suite in suites(stage.target):
        if not suite.guards or suite.guards[-1].kind not in ("if", "while", "except"):
            continue
        special = circumstance(suite)
        for base in found[:2]:
            for scene in led_scenes(suite, stage.knowledge, base.scene)[:4]:
                yield replace(base, scene=scene, given=f"{base.given}, and {special}", special=special)
