"""Types of the fixtures that a test asks for, for projects whose tests are annotated."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping

from testlens.domain.expressions import mark
from testlens.scaffold.host import Host, parse_module
from testlens.scaffold.style import Style

_KNOWN: Mapping[str, str] = {
    "caplog": mark("pytest", "LogCaptureFixture"),
    "capfd": f"{mark('pytest', 'CaptureFixture')}[str]",
    "capsys": f"{mark('pytest', 'CaptureFixture')}[str]",
    "mocker": mark("pytest_mock", "MockerFixture"),
    "monkeypatch": mark("pytest", "MonkeyPatch"),
    "pytester": mark("pytest", "Pytester"),
    "recwarn": mark("pytest", "WarningsRecorder"),
    "request": mark("pytest", "FixtureRequest"),
    "tmp_path": mark("pathlib", "Path"),
    "tmp_path_factory": mark("pytest", "TempPathFactory"),
}
_GIVERS = frozenset({"Iterator", "Generator", "Iterable", "AsyncIterator", "AsyncGenerator"})
"""What a fixture is annotated with that yields what it gives."""


def fixture_types(names: Iterable[str], style: Style, texts: Mapping[str, str]) -> Mapping[str, str]:
    """The types of those fixtures that have a known one, in marked source; `texts` hold the conftest files."""
    found = {name: _type_of(name, style, texts) for name in names}
    return {name: code for name, code in found.items() if code is not None}


def _type_of(name: str, style: Style, texts: Mapping[str, str]) -> str | None:
    fixture = style.fixtures.get(name)
    if fixture is None:
        return _KNOWN.get(name)
    tree = parse_module(texts.get(fixture.file, ""))
    return _marked(fixture.returns, Host(fixture.file, texts.get(fixture.file, ""), tree)) if tree is not None else None


def _marked(annotation: str, host: Host) -> str | None:
    """What a fixture gives that returns this, in marked source; None where a name of it is not imported."""
    try:
        given = _given(ast.parse(annotation, mode="eval").body)
    except SyntaxError:
        return None
    marker = _Marker(host)
    code = ast.unparse(marker.visit(given))
    return None if marker.failed or code == "None" else code


def _given(node: ast.expr) -> ast.expr:
    match node:
        case ast.Constant(str() as quoted):
            return _given(ast.parse(quoted, mode="eval").body)
        case ast.Subscript(ast.Name(name) | ast.Attribute(attr=name), slice=given) if name in _GIVERS:
            return given.elts[0] if isinstance(given, ast.Tuple) and given.elts else given
    return node


class _Marker(ast.NodeTransformer):
    """Puts marks in place of the names that a module imports."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.failed = False

    def visit_Name(self, node: ast.Name) -> ast.Name:
        reference = self._host.bindings.get(node.id)
        if reference is not None:
            return ast.Name(mark(reference.module, reference.qualname), node.ctx)
        self.failed = self.failed or node.id in self._host.bound or not hasattr(builtins, node.id)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        self.failed = self.failed or isinstance(node.value, str)
        return node
