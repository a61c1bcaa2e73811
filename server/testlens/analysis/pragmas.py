"""Where a comment that speaks of a line can stand."""

from __future__ import annotations

import io
import tokenize

IGNORE_MUTANTS = "# pragma: no mutate"


def pragma_column(text: str, line: int) -> int | None:
    """The column (0-based, in characters) at which a comment for `line` (1-based) goes; None where none can stand.

    Within a text over several lines, or before a backslash, a comment would be part of the code.
    """
    lines = text.split("\n")
    if not 0 < line <= len(lines):
        return None
    end = len(lines[line - 1].rstrip())
    if lines[line - 1].endswith("\\"):
        return None
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return None
    within = 0
    for token in tokens:
        name = tokenize.tok_name[token.type]
        if name in {"FSTRING_START", "TSTRING_START"}:
            within += 1
        elif name in {"FSTRING_END", "TSTRING_END"}:
            within -= 1
        spans_end = token.start[0] <= line < token.end[0]
        is_text = token.type == tokenize.STRING or name in {"FSTRING_MIDDLE", "TSTRING_MIDDLE"}
        is_line_end = token.type in {tokenize.NEWLINE, tokenize.NL} and token.start[0] == line
        if (spans_end and is_text) or (is_line_end and within):
            return None
    return end
