"""What can happen when a model is loaded: it is there, it was loaded already, it is missing, it is no model."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from testlens.domain.expressions import mark
from testlens.scaffold.faults import exception_expression
from testlens.scaffold.names import ModuleNames
from testlens.scaffold.recipes.led import led_scenes, suites
from testlens.scaffold.recipes.model_code import Loading
from testlens.scaffold.recipes.model_fakes import fixture_name
from testlens.scaffold.recipes.model_stage import ModelStage
from testlens.scaffold.recipes.module_map import Place
from testlens.scaffold.recipes.scenarios import RECEIVER, Scenario, ref, stand_in
from testlens.scaffold.target import Guard
from testlens.scaffold.words import circumstance

_MOCK = mark("unittest.mock", "MagicMock")
_MODULES = mark("sys", "modules")
_WHEN = "the model is loaded"
_IN_WORDS = {
    "FileNotFoundError": "there is no model file", "OSError": "the model file cannot be read", "IOError":
    "the model file cannot be read", "PermissionError": "the model file must not be read", "RuntimeError":
    "the file is not a model", "ValueError": "the file is not a model", "UnpicklingError": "the file is not a model",
    "EOFError": "the model file ends too early", "KeyError": "the model file lacks a part", "AttributeError":
    "the model is of another version", "ImportError": "the library is not installed", "ModuleNotFoundError":
    "the library is not installed", "MemoryError": "there is no memory for the model", "OutOfMemoryError":
    "there is no room on the GPU", "Exception": "the model cannot be loaded",
}  # fmt: skip


# What makes a pickle fail without anybody's help.
_REALLY = {
    "FileNotFoundError": (),
    "UnpicklingError": ('(tmp_path / "model.bin").write_bytes(b"no pickle")',),
    "EOFError": ('(tmp_path / "model.bin").write_bytes(b"")',),
}


def loading_scenarios(stage: ModelStage) -> list[Scenario]:
    """The scenarios for a function that loads a model itself; none for any other."""
    if not stage.loadings:
        return []
    loading = stage.loadings[0]
    usual = _usual(stage, loading)
    return [
        usual,
        *_again(stage, usual),
        *_on_gpu(stage, usual),
        *_unavailable(stage, usual),
        *_failing(stage, loading, usual),
    ]


def loaded(stage: ModelStage, loading: Loading, behaviour: str, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Statements that give the loading call a behaviour (`side_effect=...`) and keep it as `name`; their fixtures."""
    library = loading.library
    if library is None:
        module, _, function = loading.path.rpartition(".")
        code, fixture = stand_in(mark(module, ""), function, behaviour, stage.style, name)
        return code, (fixture,)
    fake = f"{fixture_name(library)}.{loading.path}"
    key, _, value = behaviour.partition("=")
    lines = [f"{name} = {fake}"] if name else []
    if behaviour:
        lines.append(f"{name or fake}.{key} = {value}")
    return tuple(lines), ()


def _usual(stage: ModelStage, loading: Loading) -> Scenario:
    behaviour = f"return_value={_MOCK}()" if loading.library is None else ""
    code, fixtures = loaded(stage, loading, behaviour, "load")
    looks = tuple(f"{name} = {ref(RECEIVER)}.{name}" for name in _states(stage))
    return Scenario(
        stage.scene,
        given="a model file",
        when=_WHEN,
        special=_WHEN,
        first=stage.files,
        before=code,
        after=looks,
        watched=("load",),
        claims=_given_back(loading),
        fixtures=(*stage.fixtures, *fixtures),
    )


def _given_back(loading: Loading) -> tuple[str, ...]:
    """That the model itself comes back, where the function returns what it has loaded."""
    returned = [node.value for node in ast.walk(loading.place.node) if isinstance(node, ast.Return)]
    return ("assert result is load.return_value",) if any(value is loading.call for value in returned) else ()


def _states(stage: ModelStage) -> Iterator[str]:
    """The properties of the class that tell whether a model is there."""
    if stage.place.owner is None or stage.scene.receiver is None:
        return
    methods = [node for node in stage.place.owner.body if isinstance(node, ast.FunctionDef)]
    for method in methods:
        if "property" in map(ast.unparse, method.decorator_list) and "model" in ast.unparse(method):
            yield method.name


def _again(stage: ModelStage, usual: Scenario) -> Iterator[Scenario]:
    """A second time."""
    if usual.scene.receiver is None:
        return
    name = stage.place.node.name
    if stage.scene.arguments or stage.knowledge.description.is_async:
        return
    yield replace(
        usual,
        given="the model is loaded already",
        when=f"{_WHEN} again",
        special=f"{_WHEN} again",
        before=(*usual.before, f"{ref(RECEIVER)}.{name}()"),
    )


def _on_gpu(stage: ModelStage, usual: Scenario) -> Iterator[Scenario]:
    """With a GPU, where the code asks whether there is one."""
    if "cuda.is_available" in ast.unparse(stage.place.node) and "fake_torch" in stage.fixtures:
        gpu = "fake_torch.cuda.is_available.return_value = True"
        yield replace(usual, given="a GPU", special="there is a GPU", before=(gpu, *usual.before))


def _unavailable(stage: ModelStage, usual: Scenario) -> Iterator[Scenario]:
    """Without the library, where the function imports it itself and is prepared to miss it."""
    if "ImportError" not in _caught(stage.place) and "ModuleNotFoundError" not in _caught(stage.place):
        return
    inside = [node for node in ast.walk(stage.place.node) if isinstance(node, ast.Import | ast.ImportFrom)]
    for library in stage.code.libraries:
        names = [name for node in inside for name in _imported(node)]
        if library.is_global or library.module not in names:
            continue
        yield replace(
            usual,
            given=f"{library.top} is not installed",
            special=f"{library.top} is not installed",
            before=(f'monkeypatch.setitem({_MODULES}, "{library.module}", None)',),
            after=(),
            claims=(),
            watched=(),
            fixtures=("monkeypatch", *(name for name in usual.fixtures if name not in stage.fixtures)),
        )
        return


def _caught(place: Place) -> str:
    handlers = [node for node in ast.walk(place.node) if isinstance(node, ast.ExceptHandler)]
    return " ".join(ast.unparse(handler.type) for handler in handlers if handler.type is not None)


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]


def _failing(stage: ModelStage, loading: Loading, usual: Scenario) -> Iterator[Scenario]:
    """With each exception that a handler around the loading call waits for."""
    names = ModuleNames(stage.target.tree, stage.module)
    for handler in _handlers(loading.place, loading.call):
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        for kind in kinds:
            last = ast.unparse(kind).rpartition(".")[2] if kind is not None else "Exception"
            made = _exception(stage, kind, names)
            if made is None:
                continue
            said = _IN_WORDS.get(last, f"loading raises {last}")
            really = _REALLY.get(last) if loading.library is None else None
            if really is not None:
                yield replace(usual, given=said, special=said, first=really, before=(), after=(), claims=(), watched=())
            else:
                yield from _failed(stage, loading, usual, made.replace("boom", said), said)
            for text in _texts(handler):
                yield from _failed(stage, loading, usual, made.replace("boom", text), f"loading fails with {text}")


def _exception(stage: ModelStage, kind: ast.expr | None, names: ModuleNames) -> str | None:
    if kind is not None:
        root, _, rest = ast.unparse(kind).partition(".")
        fakes = [library for library in stage.code.libraries if library.name == root]
        if fakes and rest:
            return f'{fixture_name(fakes[0])}.{rest}("boom")'
    found = exception_expression(kind, names)
    return found.code if found is not None else None


def _failed(stage: ModelStage, loading: Loading, usual: Scenario, error: str, words: str) -> Iterator[Scenario]:
    code, fixtures = loaded(stage, loading, f"side_effect={error}", "load")
    plain = replace(usual, given=words, special=words, before=code, after=(), claims=(), watched=(), counted=("load",))
    yield replace(plain, fixtures=(*usual.fixtures, *fixtures))
    if "cuda" in ast.unparse(stage.place.node) and "fake_torch" in stage.fixtures:
        gpu = "fake_torch.cuda.is_available.return_value = True"
        once, more = loaded(stage, loading, f"side_effect=[{error}, {_MOCK}()]", "load")
        yield replace(
            usual, given=f"a GPU on which {words}", special=f"{words} on the GPU", before=(gpu, *once), claims=(),
            fixtures=(*usual.fixtures, *more),
        )  # fmt: skip


def _handlers(place: Place, call: ast.Call) -> Iterator[ast.ExceptHandler]:
    """The handlers of the innermost `try` around a call."""
    around = [
        node
        for node in ast.walk(place.node)
        if isinstance(node, ast.Try) and any(inner is call for part in node.body for inner in ast.walk(part))
    ]
    for node in around[-1:]:
        yield from node.handlers


def _texts(handler: ast.ExceptHandler) -> Iterator[str]:
    """The texts that a handler looks for in the exception's message."""
    for node in ast.walk(handler):
        match node:
            case ast.Compare(left=ast.Constant(value=str() as text), ops=[ast.In()]):
                yield text


def led_loading(stage: ModelStage) -> Iterator[Scenario]:
    """As the conditions on the way to each part of the gap want it."""
    if not stage.loadings:
        return
    usual = _usual(stage, stage.loadings[0])
    before = usual.before if stage.loadings[0].library is None else ()
    for suite in suites(stage.target):
        if not suite.guards or not _is_plain(suite.guards[-1]):
            continue
        special = circumstance(suite)
        given = f"a model file, and {special}"
        for scene in led_scenes(suite, stage.knowledge, usual.scene):
            yield replace(
                usual, scene=scene, given=given, special=special, before=before, after=(), claims=(), watched=()
            )


def _is_plain(guard: Guard) -> bool:
    return guard.kind in ("if", "while")
