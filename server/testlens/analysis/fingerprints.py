"""Fingerprints of the parts of a module that run apart from each other, so that an edit tells what it can affect.

A *block* is the body of a function, the body of a class, or the module level. The bodies of inner blocks are cut out of
it, but not what is evaluated when they are defined: decorators, defaults, annotations, and docstrings, which programs
read. So an edit changes the fingerprint of the blocks whose own code it changed, and of no other; comments and
formatting change none.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

Kind = Literal["module", "class", "function"]
_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_Definition = _FunctionNode | ast.ClassDef
_CACHES = frozenset({"cache", "lru_cache"})
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Block:
    """A block: its dotted `name` ("" for the module level), its fingerprint, and its lines (1-based, inclusive).

    The lines of a function's block are those of its body, inner blocks included. `is_in_function` says that it comes
    into being when a function runs, and not when the module is imported; `is_cached` that what it returns is kept.
    """

    name: str
    kind: Kind
    fingerprint: str
    first: int
    last: int
    is_in_function: bool
    is_cached: bool = False

    @property
    def body(self) -> range:
        """Its lines."""
        return range(self.first, self.last + 1)


@dataclass(frozen=True, slots=True)
class BlockChange:
    """A block that an edit changed; `before` and `after` are None where it was not there."""

    before: Block | None
    after: Block | None

    @property
    def block(self) -> Block:
        """The block as it was, or as it is where it is new."""
        block = self.before or self.after
        assert block is not None
        return block


def blocks(text: str) -> Mapping[str, Block]:
    """The blocks of a module's source by name; of several of one name the later ones are numbered.

    Raises SyntaxError (or ValueError) where `text` cannot be parsed.
    """
    return _blocks_of(_sources(text), text.count("\n") + 1)


def _blocks_of(sources: _Sources, count: int) -> dict[str, Block]:
    """The blocks in statements of a module with so many lines."""
    pieces = [(first, _piece(source)) for first, source in sources]
    own_code = _hashed("\n".join(piece.own_code for _, piece in pieces))
    found: dict[str, Block] = {"": Block("", "module", own_code, 1, count, False)}
    for first, piece in pieces:
        for block in piece.inner:
            name, number = block.name, 1
            while name in found:
                number += 1
                name = f"{block.name}#{number}"
            found[name] = replace(block, name=name, first=block.first + first - 1, last=block.last + first - 1)
    return found


_Sources = Sequence[tuple[int, str]]
"""The statements of the module level, each with its first line (1-based); those that share a line together."""

# Who saves again and again compares the text of each save with that of the last one.
_kept: dict[str, _Sources] = {}
_MOST_KEPT = 32


def _sources(text: str) -> _Sources:
    found = _kept.get(text)
    return _keep(text, _parsed(_lines(text))) if found is None else found


def _keep(text: str, sources: _Sources) -> _Sources:
    for oldest in [*_kept][: len(_kept) - _MOST_KEPT + 1]:
        _kept.pop(oldest, None)
    _kept[text] = sources
    return sources


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _parsed(lines: Sequence[str], before: int = 0) -> _Sources:
    """The statements in lines of a module that stand behind so many others."""
    ends: list[tuple[int, int]] = []
    for statement in ast.parse("\n".join(lines)).body:
        first = min([statement.lineno, *(each.lineno for each in getattr(statement, "decorator_list", ()))])
        last = statement.end_lineno or first
        if ends and first <= ends[-1][1]:
            first, _ = ends.pop()
        ends.append((first, last))
    return [(before + first, "\n".join(lines[first - 1 : last])) for first, last in ends]


def _sources_after(text: str, before: str) -> _Sources:
    """As `_sources(text)`, where only what an edit has changed is parsed if the rest is known from `before`."""
    if text in _kept:
        return _kept[text]
    old, new, known = _lines(before), _lines(text), _sources(before)
    least = min(len(old), len(new))
    head = next((at for at in range(least) if old[at] != new[at]), least)
    tail = next((at for at in range(least - head) if old[-1 - at] != new[-1 - at]), least - head)
    above = [(first, source) for first, source in known if first + source.count("\n") <= head]
    below = [(first, source) for first, source in known[len(above) :] if first > len(old) - tail]
    more = len(new) - len(old)
    begin = above[-1][0] + above[-1][1].count("\n") if above else 0
    end = below[0][0] - 1 + more if below else len(new)
    try:
        changed = _parsed(new[begin:end], begin)
    except SyntaxError:  # an `else`, say, belongs to the statement above
        return _sources(text)
    return _keep(text, [*above, *changed, *((first + more, source) for first, source in below)])


@dataclass(frozen=True, slots=True)
class _Piece:
    """Statements of the module level: their own code, and the blocks in them, whose lines count from the first one."""

    own_code: str
    inner: tuple[Block, ...]


# An edit changes few of a module's statements: the others are known from the last time.
@lru_cache(maxsize=4096)
def _piece(source: str) -> _Piece:
    body = ast.parse(f"{source}\n\n").body  # a statement may end with a backslash, if an empty line comes after it
    return _Piece("\n".join(map(_own_code, body)), tuple(_inner(body, "", False)))


def changed_blocks(before: str, after: str) -> tuple[BlockChange, ...]:
    """The blocks whose own code differs between two texts of a module. Raises as `blocks` does."""
    old_sources, new_sources = _different(_sources(before), _sources_after(after, before))
    old = _blocks_of(old_sources, before.count("\n") + 1)
    new = _blocks_of(new_sources, after.count("\n") + 1)
    names = [*old, *(name for name in new if name not in old)]
    changes = [BlockChange(old.get(name), new.get(name)) for name in names]
    return tuple(change for change in changes if _print_of(change.before) != _print_of(change.after))


def _different(old: _Sources, new: _Sources) -> tuple[_Sources, _Sources]:
    """Without the statements at both ends that are the same: what is in them has not changed."""
    least = min(len(old), len(new))
    head = next((at for at in range(least) if old[at][1] != new[at][1]), least)
    tail = next((at for at in range(least - head) if old[-1 - at][1] != new[-1 - at][1]), least - head)
    return old[head : len(old) - tail], new[head : len(new) - tail]


def _print_of(block: Block | None) -> tuple[str, str] | None:
    return None if block is None else (block.kind, block.fingerprint)


def _inner(body: Sequence[ast.stmt], prefix: str, is_in_function: bool) -> Iterator[Block]:
    for definition in _definitions(body):
        name = prefix + definition.name
        inner = _code(definition)
        kind: Kind = "class" if isinstance(definition, ast.ClassDef) else "function"
        first = min((statement.lineno for statement in inner), default=definition.lineno)
        last = definition.end_lineno or definition.lineno
        yield Block(name, kind, _fingerprint(inner), first, last, is_in_function, _is_cached(definition))
        yield from _inner(inner, f"{name}.", is_in_function or kind == "function")


def _definitions(body: Sequence[ast.stmt]) -> Iterator[_Definition]:
    """The definitions in statements, without those within definitions."""
    pending: list[ast.AST] = list(reversed(body))
    while pending:
        node = pending.pop()
        if isinstance(node, _DEFINITIONS):
            yield node
        else:
            pending.extend(reversed(list(ast.iter_child_nodes(node))))


def _is_cached(definition: _Definition) -> bool:
    decorators = (each.func if isinstance(each, ast.Call) else each for each in definition.decorator_list)
    return any(ast.unparse(decorator).rpartition(".")[2] in _CACHES for decorator in decorators)


def _code(definition: _Definition) -> Sequence[ast.stmt]:
    """The body of a definition; a function's without its docstring, which is not run but read."""
    is_function = not isinstance(definition, ast.ClassDef)
    return definition.body[1:] if is_function and ast.get_docstring(definition) is not None else definition.body


def _fingerprint(body: Sequence[ast.stmt]) -> str:
    return _hashed("\n".join(map(_own_code, body)))


def _hashed(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _own_code(node: object) -> str:
    """As `ast.dump`, without places, and with the bodies of definitions cut out."""
    if isinstance(node, list):
        return f"[{','.join(map(_own_code, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = [(name, getattr(node, name, None)) for name in node._fields]
    if isinstance(node, _DEFINITIONS):
        docstring = None if isinstance(node, ast.ClassDef) else ast.get_docstring(node, clean=False)
        fields = [(name, docstring if name == "body" else value) for name, value in fields]
    return f"{type(node).__name__}({','.join(f'{name}={_own_code(value)}' for name, value in fields)})"
