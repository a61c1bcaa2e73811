"""From a scene to the statements that set it up and carry it out."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from testlens.domain.expressions import Expression, resolve
from testlens.domain.trials import FunctionDescription, ParameterFacts
from testlens.scaffold.scene import Patch, Scene
from testlens.scaffold.style import Style
from testlens.scaffold.words import snake

RESULT = "result"
_LONGEST_INLINE = 48
# A value that the test has to look at again afterwards needs a name.
_STAND_IN = re.compile(r"\x01unittest\.mock:|^\x01[^:]*:[^\x02]*\x02\(")


@dataclass(frozen=True, slots=True)
class Staged:
    """The statements of a scene in marked source: `given` sets up, `when` acts.

    `names` are the variables that `given` made, by what they stand for (`receiver`, a parameter's name, or what a
    watched patch replaces); `fixtures` are the arguments that the test asks for.
    """

    given: tuple[str, ...]
    when: tuple[str, ...]
    names: Mapping[str, str]
    fixtures: tuple[str, ...]
    is_async: bool


def stage(scene: Scene, style: Style, watched: Collection[Patch] = ()) -> Staged:
    """The statements of a scene; the stand-ins of the patches that are `watched` get a variable each."""
    names = dict(_names(scene, watched))
    given = [
        *(("monkeypatch.chdir(tmp_path)",) if scene.is_apart else ()),
        *_built(scene, names),
        *(f"{_path(path, names)} = {value.code}" for path, value in scene.settings.items()),
        *(statement for patch in scene.patches for statement in _patched(patch, names, style)),
    ]
    call = _call(scene, names)
    description = scene.description
    return Staged(
        tuple(given),
        tuple(_acted(scene, call, names)),
        names,
        tuple(dict.fromkeys(_fixtures(scene, style))),
        description.is_async,
    )


def subject_name(description: FunctionDescription) -> str:
    """The variable for the instance that a method is called on: the last word of its class, in snake case."""
    name = description.callee.strip("\x02").rsplit(":", 1)[-1].rsplit(".", 1)[-1]
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+", name)
    word = words[-1].lower() if words else "subject"
    return _free(word, set())


def _names(scene: Scene, watched: Collection[Patch]) -> Iterator[tuple[str, str]]:
    """Variables for what is too long to stand in the call, or is looked at again."""
    taken = {RESULT, *(fixture for expression in scene.expressions for fixture in expression.fixtures)}
    if scene.receiver is not None:
        own = scene.receiver.code
        name = own if own.isidentifier() else _free(subject_name(scene.description), taken)
        taken.add(name)
        yield "receiver", name
    touched = {path.partition(".")[0] for path in (*scene.settings, *(patch.owner for patch in scene.patches))}
    for parameter, value in scene.arguments.items():
        if value.code.isidentifier() and value.code in value.fixtures:
            yield parameter, value.code
        elif parameter in touched or len(value.code) > _LONGEST_INLINE or _STAND_IN.search(value.code):
            name = _free(parameter.strip("_") or "value", taken)
            taken.add(name)
            yield parameter, name
    for patch in scene.patches:
        # Each has one of its own, whichever of them are watched.
        name = _free(snake(patch.attribute) or "stand_in", taken)
        taken.add(name)
        if patch in watched:
            yield replaced(patch), name


def replaced(patch: Patch) -> str:
    """What a patch replaces, by which `Staged.names` has the variable of its stand-in."""
    return f"{patch.owner}[{patch.attribute}]"


def _free(name: str, taken: set[str]) -> str:
    while name in taken or keyword.iskeyword(name) or hasattr(builtins, name):
        name += "_"
    return name


def _built(scene: Scene, names: Mapping[str, str]) -> Iterator[str]:
    values = {**scene.arguments} if scene.receiver is None else {"receiver": scene.receiver, **scene.arguments}
    for subject, value in values.items():
        if subject in names and names[subject] != value.code:
            yield f"{names[subject]} = {value.code}"


def _path(path: str, names: Mapping[str, str]) -> str:
    subject, dot, rest = path.partition(".")
    return f"{names.get(subject, subject)}{dot}{rest}"


def _patched(patch: Patch, names: Mapping[str, str], style: Style) -> Iterator[str]:
    owner, variable, value = _path(patch.owner, names), names.get(replaced(patch)), patch.value.code
    if uses_mocker(style) and not patch.fresh and not patch.is_item:
        kept = "" if variable is None else f"{variable} = "
        yield f'{kept}mocker.patch.object({owner}, "{patch.attribute}", {value})'
        return
    if variable is not None:
        yield f"{variable} = {value}"
        value = variable
    if patch.is_item:
        yield f'monkeypatch.setitem({owner}, "{patch.attribute}", {value})'
        return
    fresh = ", raising=False" if patch.fresh else ""
    yield f'monkeypatch.setattr({owner}, "{patch.attribute}", {value}{fresh})'


def uses_mocker(style: Style) -> bool:
    """Whether the project has pytest-mock."""
    return "pytest_mock" in style.libraries


def _fixtures(scene: Scene, style: Style) -> Iterator[str]:
    if scene.is_apart:
        yield from ("monkeypatch", "tmp_path")
    for expression in scene.expressions:
        yield from expression.fixtures
    for patch in scene.patches:
        yield "mocker" if uses_mocker(style) and not (patch.fresh or patch.is_item) else "monkeypatch"


def _call(scene: Scene, names: Mapping[str, str]) -> str:
    """The call itself, or the attribute for a property."""
    description = scene.description
    arguments = ", ".join(_arguments(description.parameters, scene.arguments, names))
    if scene.receiver is None:
        return f"{description.callee}({arguments})"
    method = description.name.rsplit(".", 1)[-1]
    if description.kind == "property":
        return f"{names['receiver']}.{method}"
    return f"{names['receiver']}.{method}({arguments})"


def _arguments(
    parameters: tuple[ParameterFacts, ...], values: Mapping[str, Expression], names: Mapping[str, str]
) -> Iterator[str]:
    by_position = True
    for parameter in parameters:
        if parameter.name not in values:
            by_position = by_position and parameter.kind == "positional only"
            continue
        code = names.get(parameter.name, values[parameter.name].code)
        if parameter.kind == "variadic":
            yield from _spread("*", code)
        elif parameter.kind == "keywords":
            yield from _spread("**", code)
        elif by_position and parameter.kind in ("positional", "positional only"):
            yield code
        else:
            yield f"{parameter.name}={code}"


def _spread(stars: str, code: str) -> Iterator[str]:
    if code in ("()", "{}"):
        return
    # A tuple that is written out reads better as arguments of its own.
    inside = code[1:-1].strip().removesuffix(",")
    is_written_out = stars == "*" and code[0] + code[-1] == "()" and _is_call(f"function({inside})")
    yield inside if is_written_out else f"{stars}{code}"


def _is_call(code: str) -> bool:
    try:
        return isinstance(ast.parse(resolve(code, lambda reference: "name"), mode="eval").body, ast.Call)
    except (SyntaxError, ValueError):
        return False


def _acted(scene: Scene, call: str, names: Mapping[str, str]) -> Iterator[str]:
    description = scene.description
    awaited = "await " if description.is_async else ""
    if description.kind == "property" and scene.arguments:
        value = next(iter(scene.arguments.values()))
        yield f"{call} = {names.get(next(iter(scene.arguments)), value.code)}"
        yield f"{RESULT} = {call}"  # what a setter did shows when one looks again
    elif description.is_context_manager:
        body = f"raise {scene.fault.code}" if scene.fault is not None else "pass"
        yield f"{'async ' if description.is_async else ''}with {call} as {RESULT}:\n    {body}"
    elif description.is_generator and description.is_async:
        yield f"{RESULT} = [item async for item in {call}]"
    elif description.is_generator:
        yield f"{RESULT} = list({call})"
    elif scene.inner:
        *between, last = scene.inner
        for arguments in between:
            call += f"({_listed(arguments)})"
        yield f"inner = {awaited}{call}"
        yield f"{RESULT} = inner({_listed(last)})"
    else:
        yield f"{RESULT} = {awaited}{call}"


def _listed(arguments: tuple[Expression, ...]) -> str:
    return ", ".join(value.code for value in arguments)


def without_result(when: tuple[str, ...]) -> tuple[str, ...]:
    """The same statements where nobody looks at the result."""
    return tuple(line.removeprefix(f"{RESULT} = ") for line in when)
