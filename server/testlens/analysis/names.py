"""What a name in a source text stands for, as far as imports and simple assignments tell.

An *origin* is a dotted text that starts at the imported package: after `import boto3` and
`self.queue = boto3.client("sqs")`, the expression `self.queue.send_message` has the origin
`boto3.client(sqs).send_message`. A call keeps its first literal argument, because that is what names a service, a
module or a file mode. What cannot be traced to an import has no origin (None).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

_SQL_VERB = re.compile(
    r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE|REPLACE|MERGE|UPSERT|TRUNCATE|CREATE|ALTER|DROP|COPY|PRAGMA|SHOW)\s",
    re.IGNORECASE,
)
_WORD = re.compile(r"[\w+-]+\Z")
_FILE_MODE = re.compile(r"[rwaxbtU+]{1,4}\Z")
_BUILTINS = frozenset({"open"})
_RECEIVERS = frozenset({"self", "cls"})


class Names:
    """The names of one function, class or module, with those around it behind them.

    `attributes` are those of the enclosing class and its instances, shared by all of its methods.
    """

    __slots__ = ("_around", "_names", "attributes")

    def __init__(self, around: Names | None = None, attributes: dict[str, str | None] | None = None) -> None:
        self._around = around
        self._names: dict[str, str | None] = {}
        self.attributes = attributes if attributes is not None else {}

    def of_function(self) -> Names:
        """The names inside a function defined here; a method does not see its class's names but through `self`."""
        return Names(self._seen_from_inside(), self.attributes)

    def of_class(self) -> Names:
        """The names inside a class defined here, which are its attributes."""
        inner = Names(self._seen_from_inside())
        inner._names = inner.attributes
        return inner

    @property
    def is_class(self) -> bool:
        """Whether these are the names of a class body."""
        return self._names is self.attributes

    def _seen_from_inside(self) -> Names | None:
        return self._around if self.is_class else self

    def origin(self, node: ast.AST | None) -> str | None:
        """The origin of an expression, or None where nothing is known of it."""
        resolve = _RESOLVERS.get(node.__class__)
        return resolve(self, node) if resolve else None

    def bind_import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Take up the names of an import statement; relative imports are known by no package."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                self._names[alias.asname or top] = alias.name if alias.asname else top
            return
        package = "." * node.level + (node.module or "")
        for alias in node.names:
            self._names[alias.asname or alias.name] = f"{package}.{alias.name}"

    def bind(self, target: ast.expr | None, origin: str | None) -> None:
        """Let `target` (a name or an attribute of `self`) stand for `origin` from here on."""
        if isinstance(target, ast.Name):
            self._names[target.id] = origin
        elif origin is not None and isinstance(target, ast.Attribute) and _is_receiver(target.value):
            self.attributes[target.attr] = self.attributes.get(target.attr) or origin

    def bind_arguments(self, arguments: ast.arguments) -> None:
        """Take up parameters: an annotation says what they are, and any parameter hides an outer name."""
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            self._names[argument.arg] = self.annotated(argument.annotation)

    def bind_result(self, function: str, origin: str) -> None:
        """Note that calling `function`, which is defined here, gives what `origin` stands for."""
        self._names.setdefault(f"{function}()", origin)

    def bind_property(self, name: str, origin: str) -> None:
        """Note that the property `name` of this class gives what `origin` stands for."""
        self.attributes.setdefault(name, origin)

    def annotated(self, annotation: ast.expr | None) -> str | None:
        """The origin of a value with this annotation, as if its class were called; sees through `X | None`."""
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            head = annotation.value.partition("|")[0].strip()
            name, _, rest = head.partition(".")
            known = self._lookup(name)
            return f"{known}.{rest}()" if known and rest else f"{known}()" if known else None
        if isinstance(annotation, ast.BinOp):
            return self.annotated(annotation.left) or self.annotated(annotation.right)
        if isinstance(annotation, ast.Subscript):
            return self.annotated(annotation.slice)
        origin = self.origin(annotation)
        return f"{origin}()" if origin and not origin.startswith("typing.") else None

    def _lookup(self, name: str) -> str | None:
        scope: Names | None = self
        while scope is not None:
            if name in scope._names:
                return scope._names[name]
            scope = scope._around
        return name if name in _BUILTINS else None

    def _of_name(self, node: ast.Name) -> str | None:
        return self._lookup(node.id)

    def _of_attribute(self, node: ast.Attribute) -> str | None:
        if _is_receiver(node.value):
            return self.attributes.get(node.attr)
        owner = self.origin(node.value)
        return f"{owner}.{node.attr}" if owner else None

    def _of_call(self, node: ast.Call) -> str | None:
        function = node.func
        if isinstance(function, ast.Name):
            result = self._lookup(f"{function.id}()")
            if result is not None:
                return result
        elif isinstance(function, ast.Attribute) and _is_receiver(function.value):
            result = self.attributes.get(f"{function.attr}()")
            if result is not None:
                return result
        callee = self.origin(function)
        if callee is None:
            return None
        argument = _telling_argument(callee, node)
        return argument if callee == "importlib.import_module" and argument else f"{callee}({argument})"

    def _of_constant(self, node: ast.Constant) -> str | None:
        match = _SQL_VERB.match(node.value) if isinstance(node.value, str) else None
        return f"sql.{match[1].upper()}" if match else None

    def _of_first_known(self, node: ast.BoolOp | ast.IfExp) -> str | None:
        options = node.values if isinstance(node, ast.BoolOp) else (node.body, node.orelse)
        return next((origin for option in options if (origin := self.origin(option))), None)

    def _of_operand(self, node: ast.BinOp) -> str | None:
        # A loop: generated code adds up thousands of operands, too deep to recurse into.
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            left = left.left
        return self.origin(left)

    def _of_value(self, node: ast.Await | ast.NamedExpr) -> str | None:
        return self.origin(node.value)

    def _of_joined(self, node: ast.JoinedStr) -> str | None:
        return self.origin(node.values[0]) if node.values else None


_RESOLVERS: dict[type, Callable[[Names, Any], str | None]] = {
    ast.Name: Names._of_name,
    ast.Attribute: Names._of_attribute,
    ast.Call: Names._of_call,
    ast.Constant: Names._of_constant,
    ast.BoolOp: Names._of_first_known,
    ast.IfExp: Names._of_first_known,
    ast.BinOp: Names._of_operand,
    ast.Await: Names._of_value,
    ast.NamedExpr: Names._of_value,
    ast.JoinedStr: Names._of_joined,
}


def _is_receiver(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in _RECEIVERS


def _telling_argument(callee: str, call: ast.Call) -> str:
    """The literal argument that says what a call gives: a service, a module, or the mode a file is opened in."""
    if callee == "open" or callee.endswith(".open"):
        return file_mode(call, 0 if callee.startswith("pathlib.") else 1)
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str) and _WORD.match(first.value):
        return first.value
    return ""


def file_mode(call: ast.Call, position: int) -> str:
    """The mode given to an `open` as `mode=` or at `position`; empty where it is not given or not a literal."""
    named = (keyword.value for keyword in call.keywords if keyword.arg == "mode")
    for node in (*named, *call.args[position : position + 1]):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _FILE_MODE.match(node.value):
            return node.value
    return ""
