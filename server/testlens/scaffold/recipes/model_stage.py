"""What stands around a function that has to do with a model: the stand-ins, the instance, and its own loader."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from testlens.domain.cases import Helper
from testlens.domain.expressions import Expression, mark
from testlens.scaffold.recipe import Knowledge
from testlens.scaffold.recipes.model_code import Library, Loading, ModelCode, Predicting
from testlens.scaffold.recipes.model_fakes import fake_library, fixture_name
from testlens.scaffold.recipes.module_map import ModuleMap, Place, entry_target
from testlens.scaffold.recipes.variations import size
from testlens.scaffold.scene import Patch, Scene
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target
from testlens.scaffold.values import arguments_for, receivers_for, static_description

_PATH = re.compile(r"(^|_)(path|file|filename|weights|checkpoint|model_name|model_id|uri|location)$|^model$")
_NUMERIC = re.compile(r"^(features?|values|inputs?|xs?|vector|row|signal|samples?|embedding|movement|counts)$")
# A path at which there is a file, and one at which nobody looks.
_FILE = Expression('tmp_path / "model.bin"', ("tmp_path",), "fixture")
_NAME = Expression('"model.bin"', origin="fixture")
_LOOKS_AT_FILE = re.compile(r"\.(exists|is_file|stat|read_bytes|open)\(|\bopen\(|os\.path\.")


@dataclass(frozen=True, slots=True)
class ModelStage:
    """`scene` is the call as it usually is; `loader` is a method of the class that loads the model, where the function
    itself does not. `helpers` are the fixtures that stand in for libraries, `fixtures` their names.
    """

    target: Target
    knowledge: Knowledge
    code: ModelCode
    place: Place
    scene: Scene
    loadings: tuple[Loading, ...]
    predictings: tuple[Predicting, ...]
    loader: Place | None
    helpers: tuple[Helper, ...]
    fixtures: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """Statements that make the model's file, where the code looks at it."""
        needs = any(_FILE.code in value.code for value in self.scene.expressions)
        return (f'({_FILE.code}).write_bytes(b"model")',) if needs else ()

    @property
    def style(self) -> Style:
        """The project's style."""
        return self.knowledge.style

    @property
    def module(self) -> str:
        """The module under test as it is imported."""
        return self.knowledge.description.module


def model_stage(target: Target, knowledge: Knowledge, code: ModelCode, functions: ModuleMap) -> ModelStage | None:
    """The stage for a target; None where it cannot be called."""
    place = functions.places.get(target.name)
    if place is None or knowledge.description.unreachable is not None:
        return None
    places = functions.reachable(place.name)
    loadings, predictings = code.loadings(places), code.predictings(places)
    loader = None if loadings or place.owner is None else _loader(code, functions, place)
    all_loadings = (*loadings, *(code.loadings(functions.reachable(loader.name)) if loader is not None else ()))
    libraries = _stood_in_for(code, all_loadings, places)
    helpers = {helper.name: helper for one in libraries for helper in fake_library(one, code, target.tree)}
    fixtures = tuple(dict.fromkeys(fixture_name(one) for one in libraries))
    looking = (place, *(one.place for one in all_loadings))
    file = _FILE if any(_LOOKS_AT_FILE.search(ast.unparse(one.node)) for one in looking) else _NAME
    scene = _scene(target, knowledge, place, functions, predictings, file)
    for library in libraries:
        if library.is_global:
            fake = fixture_name(library)
            value = Expression(".".join(filter(None, [fake, library.attribute])), (fake,), "fixture")
            scene = scene.with_patch(Patch(mark(knowledge.description.module, ""), library.name, value))
    return ModelStage(
        target, knowledge, code, place, scene, loadings, predictings, loader, tuple(helpers.values()), fixtures
    )


def _loader(code: ModelCode, functions: ModuleMap, place: Place) -> Place | None:
    """The public method of the class that loads the model and needs no arguments."""
    assert place.owner is not None
    for method in functions.methods(place.owner):
        arguments = method.node.args
        needed = len(arguments.args) - len(arguments.defaults) - 1
        if method.is_public and needed <= 0 and code.loadings((method,)):
            return method
    return None


def _stood_in_for(code: ModelCode, loadings: tuple[Loading, ...], places: tuple[Place, ...]) -> list[Library]:
    """The libraries that these functions use, each name of the module under test once."""
    used = {loading.library for loading in loadings if loading.library is not None}
    names = {node.id for place in places for node in ast.walk(place.node) if isinstance(node, ast.Name)}
    used |= {library for library in code.libraries if library.name in names}
    tops = {library.top for library in used}
    return [library for library in code.libraries if library in used or (library.top in tops and library.name in names)]


def _scene(
    target: Target,
    knowledge: Knowledge,
    place: Place,
    functions: ModuleMap,
    predictings: tuple[Predicting, ...],
    file: Expression,
) -> Scene:
    description = knowledge.description
    asked = {ast.unparse(one.model) for one in predictings if one.place == place}
    scene = Scene(description, arguments=dict(_arguments(target, knowledge, asked, file)))
    if description.kind in ("method", "property"):
        scene = scene.with_receiver(_receiver(target, knowledge, place, functions, file))
    return scene


def _arguments(
    target: Target, knowledge: Knowledge, asked: set[str], file: Expression
) -> Iterator[tuple[str, Expression]]:
    values = arguments_for(target, knowledge)
    for parameter in knowledge.description.parameters:
        if parameter.has_default or parameter.kind in ("variadic", "keywords"):
            continue
        if parameter.name in asked:
            yield parameter.name, Expression(f"{mark('unittest.mock', 'MagicMock')}()", origin="fixture")
        elif _PATH.search(parameter.name):
            yield parameter.name, file
        else:
            yield parameter.name, _asked_about(parameter.name, values[parameter.name])


def _asked_about(name: str, values: tuple[Expression, ...]) -> Expression:
    """What a model is asked about: numbers where nothing else is known of something that is named like them."""
    found = _fullest(values)
    if found.origin in ("name", "literal") and _NUMERIC.search(name):
        return Expression("[0.1, 0.2, 0.3]", origin="name")
    return found


def _fullest(values: tuple[Expression, ...]) -> Expression:
    """The likeliest value that is no empty list: a model is asked about something."""
    plain = [value for value in values if value.origin != "mock"] or list(values)
    return next((value for value in plain if value.code not in ("[]", "()", '""', "''") and value.code != "None"
                 and (not value.code.startswith(("[", "(")) or size(value.code))), plain[0])  # fmt: skip


def _receiver(target: Target, knowledge: Knowledge, place: Place, functions: ModuleMap, file: Expression) -> Expression:
    """An instance that has a path to load from, as the project's tests build it where they do."""
    found = [one for one in receivers_for(target, knowledge) if "Mock" not in one.code]
    seen = [one for one in found if one.origin in ("seen", "fixture") and not one.code.endswith("()")]
    if seen:
        return seen[0]
    prefix = place.name.rpartition(".")[0]
    constructor = functions.places.get(f"{prefix}.__init__")
    owner = knowledge.description.callee
    if constructor is None:
        return found[0] if found else Expression(f"{owner}()", origin="type")
    there = entry_target(target, constructor)
    values = arguments_for(there, replace(knowledge, description=static_description(there)))
    parts: list[str] = []
    fixtures: list[str] = []
    for parameter in static_description(there).parameters:
        is_path = _PATH.search(parameter.name) is not None
        if parameter.kind in ("variadic", "keywords") or (parameter.has_default and not is_path):
            continue
        value = file if is_path else _fullest(values[parameter.name])
        is_named = parameter.kind == "keyword only"
        parts.append(f"{parameter.name}={value.code}" if is_named else value.code)
        fixtures += value.fixtures
    return Expression(f"{owner}({', '.join(parts)})", tuple(fixtures), "fixture")
