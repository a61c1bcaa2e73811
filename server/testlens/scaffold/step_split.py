"""Takes a test apart into the steps of a scenario: what each sets up, what it needs of those before it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from testlens.domain.expressions import Reference
from testlens.scaffold.marked import Fragment, Placeholders
from testlens.scaffold.parsed_draft import ParsedCase, Section
from testlens.scaffold.step_words import Kind

RAISED = "raised"
_RAISES = Reference("pytest", "raises")


class UnsplittableError(ValueError):
    """A test that cannot be written in steps; the text says why, and follows "because"."""


@dataclass(frozen=True, slots=True)
class RawStep:
    """A step before it has its final sentence. `gives` is the variable that later steps need of it, empty for none;
    `needs` are variables of earlier steps and fixtures, in the order of their use."""

    kind: Kind
    text: str
    parts: tuple[Section, ...]
    gives: str
    needs: tuple[str, ...]
    records_today: bool = False

    @property
    def body(self) -> list[ast.stmt]:
        """All statements."""
        return [statement for part in self.parts for statement in part.body]


@dataclass(slots=True)
class _Group:
    kind: Kind
    text: str
    parts: list[Section]
    records_today: bool = False

    @property
    def body(self) -> list[ast.stmt]:
        return [statement for part in self.parts for statement in part.body]


def split(parsed: ParsedCase, placeholders: Placeholders) -> tuple[RawStep, ...]:
    """The steps of a case; UnsplittableError where it has none that do the same."""
    case = parsed.case
    if case.is_async:
        raise UnsplittableError("its steps would be coroutines")
    if case.decorators:
        raise UnsplittableError("it has decorators")
    given, when, then = parsed.sections
    groups = _given_groups(given, _receiver(when.body))
    acting = _Group("when", when.text, [when])
    checking = _Group("then", then.text, [then, Section(then.text, parsed.closing, parsed.closing.body)])
    expected = _expected_exception(when.body, placeholders.name(_RAISES))
    if expected is not None and not then.body:
        item, kind = expected
        item.optional_vars = ast.copy_location(ast.Name(RAISED, ast.Store()), item.context_expr)
        checking.parts.insert(1, Section(then.text, *_check_of(kind, placeholders)))
    (acting if expected is not None else checking).records_today = case.records_today
    return tuple(_connected([*groups, acting, checking], case.fixtures))


def _check_of(kind: ast.expr, placeholders: Placeholders) -> tuple[Fragment, list[ast.stmt]]:
    """The assertion that what was raised is of this class."""
    check = placeholders.parse([f"assert isinstance({RAISED}.value, {ast.unparse(kind)})"])
    return check, check.body


def _given_groups(given: Section, receiver: str) -> list[_Group]:
    """A group of statements for each variable; what binds none belongs to the one before it."""
    bodies: list[list[ast.stmt]] = [[]]
    for statement in given.body:
        if assigned([statement]) and assigned(bodies[-1]):
            bodies.append([])
        bodies[-1].append(statement)
    names = [next(iter(assigned(body)), "") for body in bodies]
    main = names.index(receiver) if receiver in names else 0
    return [
        _Group(
            "given", given.text if index == main else f"the {_words(name)}", [Section(given.text, given.fragment, body)]
        )
        for index, (name, body) in enumerate(zip(names, bodies, strict=True))
    ]


def _words(name: str) -> str:
    return name.strip("_").replace("_", " ") or "value"


def _receiver(body: Sequence[ast.stmt]) -> str:
    """The variable whose method or attribute the statements use first."""
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                return node.value.id
    return ""


def _expected_exception(body: Sequence[ast.stmt], raises: str) -> tuple[ast.withitem, ast.expr] | None:
    """The exception's class in `with pytest.raises(...)`, where that is all, and the item that it stands in."""
    match body:
        case [ast.With(items=[ast.withitem(ast.Call(ast.Name(name), [expected, *_]), None) as item])] if name == raises:
            return item, expected
    return None


def _connected(groups: Sequence[_Group], fixtures: Sequence[str]) -> Iterator[RawStep]:
    known = list(fixtures)
    unnamed = [name for name in fixtures if not any(name in _loaded(group.body) for group in groups)]
    for index, group in enumerate(groups):
        later = {name for other in groups[index + 1 :] for name in _loaded(other.body)}
        given = [name for name in assigned(group.body) if name in later]
        if len(given) > 1:
            raise UnsplittableError("one step makes several things that later ones need")
        if given and given[0] in known:
            raise UnsplittableError(f"{given[0]} changes its meaning on the way")
        needs = [name for name in _loaded(group.body) if name in known and name not in given]
        needs = list(dict.fromkeys([*(unnamed if index == 0 else ()), *needs]))
        yield RawStep(
            group.kind, group.text, tuple(group.parts), given[0] if given else "", tuple(needs), group.records_today
        )
        known += given


def _loaded(body: Collection[ast.stmt]) -> list[str]:
    """The names that the statements read, in the order of their use."""
    nodes = [node for statement in body for node in ast.walk(statement) if isinstance(node, ast.Name)]
    return list(dict.fromkeys(node.id for node in nodes if isinstance(node.ctx, ast.Load)))


def assigned(body: Collection[ast.stmt]) -> list[str]:
    """The variables that the statements themselves make, not what is inside of expressions and functions."""
    found: list[str] = []
    for statement in body:
        match statement:
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
                found.append(name)
            case ast.Assign(targets=targets):
                found += [node.id for target in targets for node in _targets(target)]
            case ast.AnnAssign(target=target) | ast.AugAssign(target=target) | ast.For(target=target):
                found += [node.id for node in _targets(target)]
            case ast.With(items=items):
                found += [node.id for item in items if item.optional_vars for node in _targets(item.optional_vars)]
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found += assigned([inner for inner in ast.iter_child_nodes(statement) if isinstance(inner, ast.stmt)])
    return list(dict.fromkeys(found))


def _targets(target: ast.expr) -> Iterator[ast.Name]:
    return (node for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
