"""Where a mutant differs from the function it was made from, and what identifies the text of a function."""

from __future__ import annotations

import pytest

from testlens.analysis.mutant_spans import Change, dotted_name, find_change, function_digest
from testlens.domain.mutants import Span


def applied(source: str, change: Change) -> str:
    lines = source.split("\n")
    start = sum(len(line) + 1 for line in lines[: change.span.first_line - 1]) + change.span.first_column
    end = sum(len(line) + 1 for line in lines[: change.span.last_line - 1]) + change.span.last_column
    assert source[start:end] == change.original
    return source[:start] + change.replacement + source[end:]


@pytest.mark.parametrize(
    ("line", "mutated", "original", "replacement"),
    [
        ("return a > b", "return a >= b", "a > b", "a >= b"),
        ("return a>b", "return a>=b", "a>b", "a>=b"),
        ("return a in b", "return a not in b", "a in b", "a not in b"),
        ("return a is b", "return a is not b", "a is b", "a is not b"),
        ("return not a", "return a", "not a", "a"),
        ("return f(a, b)", "return f(a, )", "f(a, b)", "f(a, )"),
        ("return f(a, a)", "return f(a)", "f(a, a)", "f(a)"),
        ("return f(a, b)", "return f(None, b)", "a", "None"),
        ("a = e", "a = None", "e", "None"),
        ("a += 1", "a = 1", "a += 1", "a = 1"),
        ("return 'é', 'x'", "return 'é', 'XXxXX'", "'x'", "'XXxXX'"),
        ("return a if b else 1", "return a if (b) and False else 1", "b", "(b) and False"),
        ("return a if (b) else 1", "return a if (b) and False else 1", "(b)", "(b) and False"),
        ("return lambda: a", "return lambda: None", "a", "None"),
    ],
)
def test_a_change_is_the_smallest_expression_or_statement_that_differs(
    line: str, mutated: str, original: str, replacement: str
) -> None:
    """What is marked is what changed, and putting the replacement there gives the mutant."""
    source = f"import os\n\n\ndef f(a, b):\n    {line}\n\n\nx = 1\n"
    change = find_change(source, "f", f"def f(a, b):\n    {mutated}\n")
    assert change is not None
    assert (change.original, change.replacement) == (original, replacement)
    assert applied(source, change) == source.replace(line, mutated)


MATCHING = """\
def f(a):
    match a:
        case 1:
            return "one"
        case 2:  # the second
            return "two"
        case _:
            return "many"
"""


@pytest.mark.parametrize("case", [(2, 4), (4, 6), (6, 8)])
def test_a_removed_case_is_marked_alone(case: tuple[int, int]) -> None:
    """The case that a mutant drops is marked, not the whole match."""
    lines = MATCHING.splitlines(keepends=True)
    mutated = "".join(lines[: case[0]] + lines[case[1] :])
    change = find_change(MATCHING, "f", mutated)
    assert change is not None
    assert change.original.strip() == "".join(lines[case[0] : case[1]]).strip()
    assert change.replacement == ""
    assert applied(MATCHING, change).rstrip("\n") == mutated.rstrip("\n")


METHOD = """\
class Signer:
    # what signs
    @staticmethod
    def sign(value: bytes, sep: str = ".") -> bytes:
        return value + sep.encode()

    def unsign(self) -> int:
        return 1
"""


def test_a_method_is_found_by_mutmuts_key_with_its_mangled_name_and_the_lines_around_it() -> None:
    """The text may come straight out of mutmut's file: indented, mangled, with the comment above."""
    mutated = (
        "    # what signs\n    @staticmethod\n"
        '    def xǁSignerǁsign__mutmut_1(value: bytes, sep: str = "XX.XX") -> bytes:\n'
        "        return value + sep.encode()\n"
    )
    change = find_change(METHOD, "pkg.signing.xǁSignerǁsign__mutmut_1", mutated)
    assert change == Change(Span(4, 38, 4, 41), '"."', '"XX.XX"')


def test_text_with_windows_newlines_has_the_same_change() -> None:
    """mutmut reads sources with plain newlines; lines and columns do not depend on them."""
    mutated = METHOD.replace("return 1", "return 2")[METHOD.index("    def unsign") :]
    change = find_change(METHOD.replace("\n", "\r\n"), "Signer.unsign", mutated)
    assert change == Change(Span(8, 15, 8, 16), "1", "2")


@pytest.mark.parametrize("source", ["def f(:\n", "def g():\n    return 1\n", "def f():\n    return 1\n"])
def test_where_nothing_can_be_compared_there_is_no_change(source: str) -> None:
    """A text that does not parse, a function that is gone and one that is alike are no changes."""
    assert find_change(source, "f", "def f():\n    return 1\n") is None


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("pkg.mod.x_f__mutmut_3", "f"),
        ("x_f", "f"),
        ("pkg.mod.x__private__mutmut_12", "_private"),
        ("pkg.mod.xǁSignerǁsign__mutmut_orig", "Signer.sign"),
    ],
)
def test_mutmuts_keys_become_dotted_names(key: str, name: str) -> None:
    """A function is called what it is called in the source."""
    assert dotted_name(key) == name


def test_a_digest_is_that_of_one_functions_text() -> None:
    """An edit elsewhere keeps what is known of a function; an edit within it, its decorators included, does not."""
    digest = function_digest(METHOD, "Signer.sign")
    assert digest == function_digest("import os\n\n" + METHOD.replace("return 1", "return 2"), "xǁSignerǁsign")
    assert digest != function_digest(METHOD.replace("@staticmethod", "@classmethod"), "Signer.sign")
    assert digest != function_digest(METHOD.replace("sep.encode", "sep.upper"), "Signer.sign")
    assert function_digest(METHOD, "Signer.missing") is None
