"""Stand-ins for model libraries, as fixtures: as much of a library as the code under test uses, and no more."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from testlens.domain.cases import Helper
from testlens.domain.expressions import mark
from testlens.scaffold.recipes.model_code import Library, ModelCode

_FIXTURE = mark("pytest", "fixture")
_MOCK = mark("unittest.mock", "MagicMock")
_MODULES = mark("sys", "modules")
# What makes a tensor or an array of plain values.
_MAKING = frozenset({"tensor", "as_tensor", "from_numpy", "FloatTensor", "LongTensor", "Tensor", "constant", "asarray"})
_CHOOSING = frozenset({"argmax"})
_DEVICES = {"cuda.is_available": "False", "cuda.device_count": "0", "backends.mps.is_available": "False"}
TENSOR = Helper(
    "FakeTensor",
    '''class FakeTensor:
    """As much of a tensor as the code under test asks for: nested lists, and a way back to plain values.

    Whatever else is asked of it (to move, to detach, to change its shape) gives the same tensor.
    """

    def __init__(self, values, **options):
        self._values = values._values if isinstance(values, FakeTensor) else values

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **options: self

    def __getitem__(self, index):
        first, *rest = index if isinstance(index, tuple) else (index,)
        found = self._values[first]
        found = FakeTensor(found) if isinstance(found, list) else found
        return found[tuple(rest)] if rest and isinstance(found, FakeTensor) else found

    def __len__(self):
        return len(self._values)

    def __float__(self):
        return float(self.item())

    def __int__(self):
        return int(self.item())

    def __index__(self):
        return int(self.item())

    def tolist(self):
        return self._values

    def item(self):
        value = self._values
        while isinstance(value, list):
            value = value[0]
        return value

    def argmax(self, *args, **options):
        if isinstance(self._values[0], list):
            return FakeTensor([FakeTensor(row).argmax()._values for row in self._values])
        return FakeTensor(self._values.index(max(self._values)))''',
)


def fixture_name(library: Library) -> str:
    """The fixture that stands in for a library."""
    return f"fake_{library.top}"


def fake_library(library: Library, code: ModelCode, tree: ast.Module) -> tuple[Helper, ...]:
    """The fixture that puts a stand-in in place of a library, with what it needs itself."""
    top = library.top
    lines = list(_configured(top, code, tree))
    if top == "torch" and not any(line.startswith("    torch.tensor = ") for line in lines):
        lines.append("    torch.tensor = FakeTensor")
    uses_tensors = any("FakeTensor" in line or "tensor" in line for line in lines)
    entries = [f'    monkeypatch.setitem({_MODULES}, "{top}", {top})']
    modules = sorted({one.module for one in code.libraries if one.top == top and "." in one.module})
    entries += (f'    monkeypatch.setitem({_MODULES}, "{module}", {module})' for module in modules)
    body = "\n".join(
        [
            f"@{_FIXTURE}",
            f"def {fixture_name(library)}(monkeypatch):",
            f'    """Stands in for {top}, so that nothing heavy is imported and each answer can be chosen."""',
            f'    {top} = {_MOCK}(name="{top}")',
            *lines,
            *entries,
            f"    return {top}",
        ]
    )
    helper = Helper(fixture_name(library), body)
    return (TENSOR, helper) if uses_tensors else (helper,)


def _configured(top: str, code: ModelCode, tree: ast.Module) -> Iterator[str]:
    """What the stand-in answers: to each name below the library's package that the code uses."""
    exceptions = set(_caught(tree))
    known: set[str] = set()
    for path, call in _uses(top, code, tree):
        last = path.rpartition(".")[2]
        if path in known:
            continue
        known.add(path)
        if path in exceptions:
            yield f'    {top}.{path} = type("{last}", (RuntimeError,), {{}})'
        elif path in _DEVICES:
            yield f"    {top}.{path}.return_value = {_DEVICES[path]}"
        elif last in _MAKING:
            yield f"    {top}.{path} = FakeTensor"
        elif call is not None and last in _CHOOSING:
            yield f"    {top}.{path}.side_effect = lambda tensor, *args, **options: tensor.argmax()"
        elif call is not None and _takes_tensor(last, call):
            yield f"    {top}.{path}.side_effect = lambda tensor, *args, **options: tensor"


def _takes_tensor(name: str, call: ast.Call) -> bool:
    """Whether a function of the library most likely gets a tensor and gives one."""
    loads = name.startswith(("load", "from_", "Inference", "pipeline", "device", "set_", "no_", "inference"))
    return bool(call.args) and not loads and name.islower() and not isinstance(call.args[0], ast.Constant)


def _uses(top: str, code: ModelCode, tree: ast.Module) -> Iterator[tuple[str, ast.Call | None]]:
    """The names below a package that the code uses, with the call where one is called."""
    prefixes = {
        one.name: ".".join(filter(None, [one.module.partition(".")[2] if one.name != top else "", one.attribute]))
        for one in code.libraries
        if one.top == top
    }
    called = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute | ast.Name):
            continue
        name = ast.unparse(node)
        root, _, rest = name.partition(".")
        if root not in prefixes or not all(part.isidentifier() for part in name.split(".")):
            continue
        path = ".".join(filter(None, [prefixes[root], rest]))
        if path:
            yield path, called.get(id(node))


def _caught(tree: ast.Module) -> Iterator[str]:
    """What handlers name, without the first name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is not None:
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            yield from (ast.unparse(kind).partition(".")[2] for kind in kinds)
