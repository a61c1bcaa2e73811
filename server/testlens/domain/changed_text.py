"""A mutant's change in words and as a diff."""

from __future__ import annotations

import re

from testlens.domain.mutants import Span

_TOKEN = re.compile(
    r"""\s+|[^\W\d]\w*|\d[\w.]*|\"\"\".*?\"\"\"|'''.*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'"""
    r"""|\*\*=|//=|>>=|<<=|\.\.\.|->|:=|==|!=|<=|>=|\+=|-=|\*=|/=|%=|&=|\|=|\^=|@=|\*\*|//|<<|>>|.""",
    re.DOTALL,
)
_LONGEST = 60
_CONTEXT = 2


def change_in_words(original: str, replacement: str) -> str:
    """What a mutant does, in a few words with the code in backticks: "`>` changed to `>=`", "`not` removed"."""
    before, after = _differing(original, replacement)
    if not after:
        return f"{_code(before)} removed"
    if not before:
        return f"{_code(after)} added"
    return f"{_code(before)} changed to {_code(after)}"


def diff_of(path: str, text: str, span: Span, replacement: str) -> str:
    """`replacement` in the place of `span` as a unified diff of `text`, the text of the file at `path`."""
    lines = text.split("\n")
    before = lines[span.first_line - 1 : span.last_line]
    after = mutated_lines(before, span, replacement)
    first = max(span.first_line - _CONTEXT, 1)
    head = lines[first - 1 : span.first_line - 1]
    tail = [
        line for line in lines[span.last_line : span.last_line + _CONTEXT] if line or span.last_line < len(lines) - 1
    ]
    old, new = len(head) + len(before) + len(tail), len(head) + len(after) + len(tail)
    return "\n".join(
        [
            f"--- {path}",
            f"+++ {path}",
            f"@@ -{first},{old} +{first},{new} @@",
            *(f" {line}" for line in head),
            *(f"-{line}" for line in before),
            *(f"+{line}" for line in after),
            *(f" {line}" for line in tail),
        ]
    )


def mutated_text(text: str, span: Span, replacement: str) -> str:
    """`text` with `replacement` in the place of `span`, which has to lie in it."""
    lines = text.split("\n")
    rest = lines[span.last_line :]
    changed = mutated_lines(lines[span.first_line - 1 : span.last_line], span, replacement)
    return "\n".join([*lines[: span.first_line - 1], *changed, *rest])


def text_in(text: str, span: Span) -> str:
    """The part of `text` that `span` means; shorter where the text ends before it."""
    lines = text.split("\n")[span.first_line - 1 : span.last_line]
    if not lines:
        return ""
    lines[-1] = lines[-1][: span.last_column]
    lines[0] = lines[0][span.first_column :]
    return "\n".join(lines)


def mutated_lines(lines: list[str], span: Span, replacement: str) -> list[str]:
    """The lines that stand in the place of `lines`, those from the first to the last of `span`."""
    changed = lines[0][: span.first_column] + replacement + lines[-1][span.last_column :]
    return changed.split("\n")


def _differing(original: str, replacement: str) -> tuple[str, str]:
    """The tokens in which two texts differ, without what they have in common before and after."""
    before, after = _TOKEN.findall(original), _TOKEN.findall(replacement)
    shared = 0
    while shared < min(len(before), len(after)) and before[shared] == after[shared]:
        shared += 1
    before, after = before[shared:], after[shared:]
    while before and after and before[-1] == after[-1]:
        before.pop()
        after.pop()
    return "".join(before).strip(), "".join(after).strip()


def _code(text: str) -> str:
    line = " ".join(text.split())
    if len(line) > _LONGEST:
        line = f"{line[: _LONGEST - 1]}…"
    return f"`{line.replace('`', chr(39))}`"
