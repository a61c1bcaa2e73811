"""The routes that a module of a web application serves, read from its decorators and URL patterns."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from testlens.scaffold.target import FunctionNode
from testlens.scaffold.uses import by_use
from testlens.scaffold.values import any_value
from testlens.scaffold.words import word_set

Framework = Literal["fastapi", "flask", "django"]
_METHODS = word_set("get post put patch delete head options")
_MAKERS: dict[str, Framework] = {
    "FastAPI": "fastapi", "APIRouter": "fastapi", "Flask": "flask", "Blueprint": "flask", "Starlette": "fastapi",
}  # fmt: skip
_VARIABLE = re.compile(r"\{(\w+)(?::\w+)?\}|<(?:(\w+):)?(\w+)>")
_OF_ANNOTATION = {"int": "1", "float": "1.0", "bool": "True", "str": "", "dict": "{}", "list": "[]"}


@dataclass(frozen=True, slots=True)
class Application:
    """What routes are registered with: an application, or a router or blueprint that one includes."""

    name: str
    framework: Framework
    prefix: str
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Route:
    """One route: `path` has values in the place of its variables; `body` and `query` are dicts in source, or empty."""

    function: str
    method: str
    path: str
    application: Application
    body: str = ""
    query: str = ""


def applications(tree: ast.Module) -> dict[str, Application]:
    """The applications, routers and blueprints of a module by name."""
    found = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                maker = ast.unparse(call.func).rpartition(".")[2]
                if maker in _MAKERS:
                    prefix = _keyword(call, "prefix") or _keyword(call, "url_prefix")
                    whole = maker in ("FastAPI", "Flask", "Starlette")
                    found[name] = Application(name, _MAKERS[maker], prefix.rstrip("/"), whole)
    return found


def routes(tree: ast.Module) -> list[Route]:
    """The routes of a module, in the order of its code."""
    known = applications(tree)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    found = [route for function in functions for route in _decorated(function, known, tree)]
    return found or list(_patterns(tree, functions))


def is_endpoint(function: FunctionNode, tree: ast.Module) -> bool:
    """Whether a decorator registers the function as the answer to a route."""
    return any(_decorated(function, applications(tree), tree))


def _decorated(function: FunctionNode, known: dict[str, Application], tree: ast.Module) -> Iterator[Route]:
    for decorator in function.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=method), args=[ast.Constant(value=str() as
                          path), *_]) if owner in known:  # fmt: skip
                methods = [method] if method in _METHODS else _named_methods(decorator) if "route" in method else []
                for one in methods:
                    yield _route(function, one, path, known[owner], tree)


def _named_methods(call: ast.Call) -> list[str]:
    for keyword in call.keywords:
        if keyword.arg == "methods" and isinstance(keyword.value, ast.List | ast.Tuple | ast.Set):
            named = [element.value for element in keyword.value.elts if isinstance(element, ast.Constant)]
            return [str(name).lower() for name in named if str(name).lower() in _METHODS]
    return ["get"]


def _route(function: FunctionNode, method: str, path: str, owner: Application, tree: ast.Module) -> Route:
    names = {found[1] or found[3] for found in _VARIABLE.finditer(path)}
    filled = _VARIABLE.sub(lambda found: _sample(found, function), f"{owner.prefix}{path}")
    body = _body(function, owner.framework, names, tree) if method in ("post", "put", "patch") else ""
    return Route(function.name, method, filled or "/", owner, body, _query(function, owner.framework, names))


def _sample(found: re.Match[str], function: FunctionNode) -> str:
    name, kind = found[1] or found[3], found[2] or ""
    if kind == "int" or _annotation(function, name) == "int":
        return "1"
    return any_value(name).strip('"')


def _annotation(function: FunctionNode, name: str) -> str:
    arguments = function.args
    for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
        if argument.arg == name and argument.annotation is not None:
            return ast.unparse(argument.annotation)
    return ""


def _body(function: FunctionNode, framework: Framework, taken: set[str], tree: ast.Module) -> str:
    if framework == "fastapi":
        for argument in [*function.args.args, *function.args.kwonlyargs]:
            if argument.annotation is not None and argument.arg not in taken:
                model = _class_named(tree, ast.unparse(argument.annotation))
                if model is not None:
                    return _of_fields(model)
        return ""
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if "json" in ast.unparse(value):
                return next((value.code for value in by_use(function, name, any_value)), "{}")
    return "{}" if "json" in ast.unparse(function) else ""


def _class_named(tree: ast.Module, name: str) -> ast.ClassDef | None:
    return next((node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name), None)


def _of_fields(model: ast.ClassDef) -> str:
    """A dict with the fields of a model that have no default."""
    parts = []
    for node in model.body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=None):
                kind = ast.unparse(annotation).partition("[")[0]
                parts.append(f'"{name}": {_OF_ANNOTATION.get(kind, "") or any_value(name)}')
    return f"{{{', '.join(parts)}}}"


def _query(function: FunctionNode, framework: Framework, taken: set[str]) -> str:
    """What a route of FastAPI wants behind the question mark."""
    if framework != "fastapi":
        return ""
    arguments = function.args
    required = arguments.args[: len(arguments.args) - len(arguments.defaults)]
    parts = []
    for argument in required:
        kind = ast.unparse(argument.annotation) if argument.annotation is not None else ""
        if argument.arg not in taken and kind in _OF_ANNOTATION and kind not in ("dict", "list"):
            parts.append(f'"{argument.arg}": {_OF_ANNOTATION[kind] or any_value(argument.arg)}')
    return f"{{{', '.join(parts)}}}" if parts else ""


def _patterns(tree: ast.Module, functions: list[ast.FunctionDef | ast.AsyncFunctionDef]) -> Iterator[Route]:
    """Routes of Django's `urlpatterns`, where they stand beside their views."""
    views = {function.name: function for function in functions}
    django = Application("urlpatterns", "django", "", True)
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="urlpatterns")], value=ast.List(elts=entries)):
                for entry in entries:
                    match entry:
                        case ast.Call(args=[ast.Constant(value=str() as path), ast.Name(id=view), *_]) if view in views:
                            yield _route(views[view], "get", f"/{path}", django, tree)


def _keyword(call: ast.Call, name: str) -> str:
    values = [keyword.value for keyword in call.keywords if keyword.arg == name]
    return next((value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)),
                "")  # fmt: skip
