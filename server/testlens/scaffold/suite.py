"""What one test file says of the style of its project's tests."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from testlens.scaffold.host import parse_module, split_lines
from testlens.scaffold.style import FixtureFacts, matches

Function = ast.FunctionDef | ast.AsyncFunctionDef
_GIVEN = re.compile(r"^\W*(given|when|then)\b", re.IGNORECASE | re.MULTILINE)
_COMMENT = re.compile(r"^\s*#\W*(given|when|then)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FunctionFacts:
    """One test: whether it is a method, whether it is annotated, where it says what it does, and its marks without
    arguments, those of its class and module included."""

    in_class: bool
    annotated: bool
    says: str
    marks: frozenset[str]


@dataclass(frozen=True)
class SuiteFile:
    """One test file or conftest; `path` is POSIX and relative. It is parsed when something is asked of it, and one that
    cannot be parsed says nothing."""

    path: str
    text: str
    function_patterns: Sequence[str]
    class_patterns: Sequence[str]

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree, empty where it cannot be parsed."""
        return parse_module(self.text) or ast.Module([], [])

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of its tree that the rest here asks for."""
        wanted = ast.Import | ast.ImportFrom | ast.Constant | ast.Name | ast.Attribute
        return tuple(node for node in ast.walk(self.tree) if isinstance(node, wanted))

    @cached_property
    def lines(self) -> list[str]:
        """Its lines, without their ends."""
        return [line.rstrip("\r\n") for line in split_lines(self.text)]

    @cached_property
    def tests(self) -> tuple[FunctionFacts, ...]:
        """Its tests."""
        return tuple(self._tests(self.tree.body, None, frozenset()))

    @cached_property
    def imports(self) -> Counter[tuple[str, str]]:
        """How often a name is imported from a module, anywhere; the name is empty where the module is imported."""
        found: Counter[tuple[str, str]] = Counter()
        for node in self.nodes:
            if isinstance(node, ast.Import):
                found.update((alias.name, "") for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.update((node.module, alias.name) for alias in node.names)
        return found

    @cached_property
    def uses(self) -> Counter[tuple[str, str]]:
        """How often what is imported (module and name, the name empty for whole modules) is read."""
        bound: dict[str, tuple[str, str]] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                bound.update((alias.asname or alias.name, (alias.name, "")) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                bound.update((alias.asname or alias.name, (node.module, alias.name)) for alias in node.names)
        reads = Counter(_dotted(node) for node in self.nodes if isinstance(node, ast.Name | ast.Attribute))
        return Counter({source: reads[name] for name, source in bound.items() if reads[name]})

    @cached_property
    def marks(self) -> Counter[str]:
        """How often each mark is named, on tests, classes or the whole module."""
        named = (_dotted(node).rpartition("mark.") for node in self.nodes if isinstance(node, ast.Attribute))
        return Counter(name for owner, mark, name in named if mark and owner in ("", "pytest.") and "." not in name)

    @cached_property
    def fixtures(self) -> tuple[FixtureFacts, ...]:
        """The fixtures that it defines at its top level."""
        functions = (node for node in self.tree.body if isinstance(node, Function))
        return tuple(fixture for node in functions if (fixture := self._fixture(node)) is not None)

    @cached_property
    def quotes(self) -> Counter[str]:
        """How often strings that could have either quotes have which."""
        found: Counter[str] = Counter()
        for node in self.nodes:
            if (
                not isinstance(node, ast.Constant)
                or not isinstance(node.value, str)
                or "'" in node.value
                or '"' in node.value
            ):
                continue
            line = self.lines[node.lineno - 1] if node.lineno <= len(self.lines) else ""
            start = line.encode()[node.col_offset :].decode(errors="replace").lstrip("rRbBuUfF")
            if start[:1] in ("'", '"') and start[:3] not in ("'''", '"""'):
                found[start[0]] += 1
        return found

    def _tests(
        self, body: Sequence[ast.stmt], owner: ast.ClassDef | None, outer: frozenset[str]
    ) -> Iterator[FunctionFacts]:
        marks = outer | _plain_marks([value for node in body for value in _pytestmark(node)])
        for node in body:
            if isinstance(node, ast.ClassDef) and owner is None and self._is_of_tests(node):
                yield from self._tests(node.body, node, marks | _plain_marks(node.decorator_list))
            elif isinstance(node, Function) and matches(node.name, self.function_patterns):
                own = marks | _plain_marks(node.decorator_list)
                yield FunctionFacts(owner is not None, node.returns is not None, self._says(node), own)

    def _is_of_tests(self, node: ast.ClassDef) -> bool:
        return matches(node.name, self.class_patterns) or any("TestCase" in _dotted(base) for base in node.bases)

    def _says(self, node: Function) -> str:
        docstring = ast.get_docstring(node) or ""
        if len(_GIVEN.findall(docstring)) > 1:
            return "given-when-then"
        lines = self.lines[node.lineno : node.end_lineno]
        if sum(_COMMENT.match(line) is not None for line in lines) > 1:
            return "comments"
        return "sentence" if docstring else "none"

    def _fixture(self, node: Function) -> FixtureFacts | None:
        for decorator in node.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            name = ast.unparse(call.func if call else decorator)
            if name.rpartition(".")[2] != "fixture":
                continue
            options = {keyword.arg: keyword.value for keyword in call.keywords} if call else {}
            return FixtureFacts(
                _text(options.get("name")) or node.name,
                self.path,
                tuple(argument.arg for argument in node.args.args),
                ast.unparse(node.returns) if node.returns else "",
                isinstance(auto := options.get("autouse"), ast.Constant) and bool(auto.value),
            )
        return None


def _pytestmark(node: ast.stmt) -> list[ast.expr]:
    """The marks that a statement gives to all tests around it."""
    match node:
        case ast.Assign([ast.Name("pytestmark")], ast.List(marks) | ast.Tuple(marks)):
            return marks
        case ast.Assign([ast.Name("pytestmark")], mark):
            return [mark]
    return []


def _plain_marks(decorators: Sequence[ast.expr]) -> frozenset[str]:
    """The names of the marks among the expressions that have no arguments."""
    named = (_dotted(decorator).rpartition("mark.") for decorator in decorators)
    return frozenset(name for _, mark, name in named if mark)


def _dotted(node: ast.expr) -> str:
    """The dotted name that an expression is, empty if it is none."""
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value)
        return f"{owner}.{node.attr}" if owner else ""
    return node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
