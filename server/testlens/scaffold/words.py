"""Names and sentences for tests: what a call, a condition and an outcome are called."""

from __future__ import annotations

import ast
import re

from testlens.domain.expressions import resolve
from testlens.scaffold.target import Guard, Target

_LONGEST_NAME = 76
_LONGEST_TEXT = 20
_DISPLAYS: dict[type[ast.expr], str] = {
    ast.List: "a list", ast.Tuple: "a tuple", ast.Dict: "a dict", ast.Set: "a set", ast.Lambda: "a function",
}  # fmt: skip
_COMPARED = {
    ast.Eq: "is", ast.NotEq: "is not", ast.Lt: "is below", ast.LtE: "is at most", ast.Gt: "is above",
    ast.GtE: "is at least", ast.Is: "is", ast.IsNot: "is not", ast.In: "is in", ast.NotIn: "is not in",
}  # fmt: skip
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip


def word_set(text: str) -> frozenset[str]:
    """The words of a text, for long lists that read better as one."""
    return frozenset(text.split())


def snake(text: str) -> str:
    """Words as part of a function's name."""
    # A word begins at a capital after a small letter, and at the last capital of several: `DB_Service`.
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    return re.sub(r"[^0-9a-zA-Z]+", "_", words).strip("_").lower()


def camel(text: str) -> str:
    """Words as part of a class's name."""
    return "".join(word[:1].upper() + word[1:] for word in snake(text).split("_"))


def class_words(name: str) -> str:
    """A class's name as part of another one: as it is, unless it is in small letters."""
    return name if name[:1].isupper() else camel(name)


def is_plural(noun: str) -> bool:
    """Whether a noun is most likely a plural."""
    return noun.endswith("s") and not noun.endswith(("ss", "us", "is"))


def singular(name: str) -> str | None:
    """The name of one of what a plural name stands for; None for what is no plural."""
    if not is_plural(name):
        return None
    if name.endswith("ies"):
        return f"{name[:-3]}y"
    if name.endswith(("xes", "ches", "shes", "sses")):
        return name[:-2]
    return name[:-1]


def test_name(when: str, then: str) -> str:
    """The name of a test after `test_`, cut at a word where it would be too long to read."""
    name = f"when_{snake(when)}_then_{snake(then)}"
    if len(name) <= _LONGEST_NAME:
        return name
    room = max(20, _LONGEST_NAME - len(f"when__then_{snake(then)}"))
    short = snake(when)[:room].rpartition("_")[0] or snake(when)[:room]
    return f"when_{short}_then_{snake(then)}"[: _LONGEST_NAME + 20].rstrip("_")


def condition(test: ast.expr, wanted: bool) -> str:
    """A condition in words, as it is wanted: `amount is below 0`, `no record`, `member`."""
    match test:
        case ast.UnaryOp(op=ast.Not()):
            return condition(test.operand, not wanted)
        case ast.BoolOp(op=operator):
            both = isinstance(operator, ast.And) is wanted
            return (" and " if both else " or ").join(condition(part, wanted) for part in test.values[:2])
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            kind = type(op) if wanted else _OPPOSITE[type(op)]
            return f"{_noun(left)} {_COMPARED[kind]} {_noun(right)}"
        case ast.Call(func=ast.Name(id="isinstance"), args=[subject, kinds]):
            return f"{_noun(subject)} is {'a' if wanted else 'no'} {_noun(kinds)}"
    return _noun(test) if wanted else f"no {_noun(test)}"


def _noun(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            noun = name.strip("_").replace("_", " ")
        case ast.Call(func=ast.Name(id="len"), args=[subject]):
            noun = f"the length of {_noun(subject)}"
        case ast.Call(func=inner) | ast.Subscript(value=inner):
            noun = _noun(inner)
        case ast.Constant(value=value):
            noun = repr(value) if isinstance(value, str) else str(value)
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            noun = " or ".join(_noun(element) for element in elements[:3])
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            noun = f"minus {_noun(operand)}"
        case _:
            noun = "it"
    return noun


def guard_in_words(guard: Guard) -> str:
    """The condition on the way to a gap in words."""
    if guard.kind == "except":
        failed = _noun(guard.test) if guard.test is not None else "an exception"
        return f"{_first_call(guard)} raises {failed}"
    if guard.kind == "for":
        return (
            f"there {'are' if guard.wanted else 'are no'} {_noun(guard.test)}" if guard.test is not None else "it loops"
        )
    if guard.kind == "case" and guard.pattern is not None and guard.test is not None:
        return f"{_noun(guard.test)} matches {ast.unparse(guard.pattern)[:24]}"
    return condition(guard.test, guard.wanted) if guard.test is not None else "it is called"


def _first_call(guard: Guard) -> str:
    for statement in guard.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                return _noun(node.func)
    return "the body"


def circumstance(target: Target) -> str:
    """What is special about the way to a gap: its last condition, else that the function is called."""
    name = target.function.name.strip("_").replace("_", " ")
    return guard_in_words(target.guards[-1]) if target.guards else f"{name} is called"


def subject_in_words(target: Target) -> str:
    """What the test is about: an instance of the class, or the function itself."""
    if target.owner is not None:
        name = target.owner.name.strip("_")
        # Acronyms are spelt: an SQSService.
        begins_with_vowel = name[:1] in "AEIOUaeiou" or (name[:2].isupper() and name[:1] in "AEFHILMNORSX")
        return f"{'an' if begins_with_vowel else 'a'} {name}"
    return f"the function {target.function.name}"


def outcome_of(code: str | None, raised: str | None) -> str:
    """What came of a call in a few words: `returns none`, `raises ValueError`."""
    if raised is not None:
        return f"raises {raised.rpartition(':')[2].rpartition('.')[2].strip(chr(2))}"
    if code is None:
        return "it returns"
    if code in ("None", "True", "False"):
        return f"returns {code}"
    if re.fullmatch(r"-?\d+(\.\d+)?", code):
        return f"returns {code.replace('-', 'minus ').replace('.', ' point ')}"
    if code in ("[]", "()", "{}", "''", "b''", "set()"):
        return "returns nothing"
    return f"returns {_kind(code)}"


def _kind(code: str) -> str:
    """A value in a word or two: a short text itself, else what it is."""
    text = re.fullmatch(r"b?(['\"])(\w[\w -]*)\1", code)
    if text is not None and len(text[2]) <= _LONGEST_TEXT:
        return text[2]
    made = re.match("\x01[^:\x02]*:([\\w.]+)\x02\\(", code)
    if made is not None:
        name = made[1].rpartition(".")[2]
        return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"
    try:
        kind = type(ast.parse(resolve(code, lambda _reference: "name"), mode="eval").body)
    except (SyntaxError, ValueError):
        return "the value"
    return _DISPLAYS.get(kind, "the value")
