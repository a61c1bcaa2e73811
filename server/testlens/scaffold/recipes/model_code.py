"""How a module uses a model library: what it imports, how it loads a model, and how it calls one.

Read from the source text alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from testlens.scaffold.recipes.aws_code import attribute_values, called_name, local_values
from testlens.scaffold.recipes.module_map import ModuleMap, Place
from testlens.scaffold.words import word_set

LIBRARIES = word_set(
    "torch tensorflow keras sklearn joblib onnxruntime transformers xgboost lightgbm catboost spacy skops jax "
    "sentence_transformers ultralytics whisper easyocr diffusers mlflow fastai"
)
_LOADING = word_set(
    "load load_model from_pretrained InferenceSession SentenceTransformer pipeline YOLO Booster load_from_checkpoint "
    "load_learner from_file loads"
)
_PREDICTING = word_set(
    "predict predict_proba decision_function transform forward run generate encode predict_on_batch score_samples"
)
_PICKLES = frozenset({"pickle", "dill", "cloudpickle"})


@dataclass(frozen=True, slots=True)
class Library:
    """One import of a model library: `module` is dotted, `name` what the code calls it, `attribute` the name that was
    imported from the module (empty where the module itself was). `is_global`: at the top of the module under test.
    """

    module: str
    name: str
    attribute: str
    is_global: bool

    @property
    def top(self) -> str:
        """The package."""
        return self.module.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Loading:
    """A call that loads a model: `path` is what is called below the library's package (`jit.load`), or the whole name
    for what is no library's own (`pickle.load`)."""

    library: Library | None
    path: str
    call: ast.Call
    place: Place


@dataclass(frozen=True, slots=True)
class Predicting:
    """A call of a model: `method` is empty where the model itself is called; `model` the expression that is called."""

    model: ast.expr
    method: str
    call: ast.Call
    place: Place


class ModelCode:
    """Reads one module."""

    def __init__(self, tree: ast.Module, functions: ModuleMap) -> None:
        self._tree = tree
        self._functions = functions
        self.libraries: tuple[Library, ...] = tuple(_libraries(tree))

    def loadings(self, places: Sequence[Place]) -> tuple[Loading, ...]:
        """The calls in these functions that load a model."""
        found = []
        for place in places:
            for call in _calls(place):
                if called_name(call) in _LOADING:
                    loading = self._loading(call, place)
                    if loading is not None:
                        found.append(loading)
        return tuple(found)

    def _loading(self, call: ast.Call, place: Place) -> Loading | None:
        name = ast.unparse(call.func)
        if not all(part.isidentifier() for part in name.split(".")):
            return None
        root, _, rest = name.partition(".")
        if root in _PICKLES:
            return Loading(None, name, call, place)
        for library in self.libraries:
            if library.name == root:
                return Loading(library, ".".join(filter(None, [library.attribute, rest])), call, place)
        return None

    def predictings(self, places: Sequence[Place]) -> tuple[Predicting, ...]:
        """The calls in these functions that ask a model."""
        return tuple(found for place in places for call in _calls(place) if (found := self._predicting(call, place)))

    def _predicting(self, call: ast.Call, place: Place) -> Predicting | None:
        match call.func:
            case ast.Attribute(value=model, attr=method) if method in _PREDICTING and self.is_model(model, place):
                return Predicting(model, method, call, place)
            case ast.Name() | ast.Attribute() if self.is_model(call.func, place):
                return Predicting(call.func, "", call, place)
        return None

    def is_model(self, node: ast.expr, place: Place) -> bool:
        """Whether an expression is a model: by its name, or because a loading call is its value."""
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        words = name.lower().strip("_").split("_")
        if words[-1] in ("model", "classifier", "regressor", "estimator", "predictor", "net", "network", "session"):
            return bool(self.libraries) or words[-1] != "session"
        return any(self._is_loaded(value, place) for value in self._values(node, place))

    def _is_loaded(self, value: ast.expr, place: Place) -> bool:
        return isinstance(value, ast.Call) and called_name(value) in _LOADING and bool(self._loading(value, place))

    def _values(self, node: ast.expr, place: Place) -> Iterator[ast.expr]:
        match node:
            case ast.Name(id=name):
                yield from local_values(place.node, name)
            case ast.Attribute(value=ast.Name(id="self"), attr=attribute) if place.owner is not None:
                for method in self._functions.methods(place.owner):
                    yield from attribute_values(method, attribute)

    def classes(self) -> int:
        """How many classes the module's labels speak of; 2 where it has no labels."""
        for node in self._tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Tuple(elts=parts) | ast.List(elts=parts)) if (
                    name.isupper() and len(parts) > 1 and _LABELS & set(name.split("_"))
                ):
                    return len(parts)
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=keys)) if (
                    name.isupper() and len(keys) > 1 and _LABELS & set(name.split("_"))
                ):
                    return len(keys)
        return 2


_LABELS = word_set("STAGES LABELS CLASSES NAMES CATEGORIES LABEL CLASS TOPICS EMOTIONS SENTIMENTS TYPES KINDS")


def _calls(place: Place) -> list[ast.Call]:
    calls = [node for node in ast.walk(place.node) if isinstance(node, ast.Call)]
    return sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def _libraries(tree: ast.Module) -> Iterator[Library]:
    top = {id(node) for node in _top_level(tree.body)}
    for node in ast.walk(tree):
        is_global = id(node) in top
        match node:
            case ast.Import(names=names):
                for alias in names:
                    if alias.name.partition(".")[0] in LIBRARIES:
                        name = alias.asname or alias.name.partition(".")[0]
                        yield Library(alias.name, name, "", is_global)
            case ast.ImportFrom(module=str() as module, names=names, level=0):
                if module.partition(".")[0] in LIBRARIES:
                    yield from (Library(module, alias.asname or alias.name, alias.name, is_global) for alias in names)
    yield from _kept_libraries(tree)


def _kept_libraries(tree: ast.Module) -> Iterator[Library]:
    """Libraries that are kept in an attribute: `self._torch = torch`, read as `torch = self._torch` elsewhere."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Attribute(value=ast.Name(id="self"), attr=kept)):
                if kept.strip("_") in LIBRARIES:
                    yield Library(kept.strip("_"), name, "", False)


def _top_level(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from _top_level([*node.body, *node.orelse])
        if isinstance(node, ast.Try):
            for handler in node.handlers:
                yield from _top_level(handler.body)
