"""Writes drafts down: as text in the project's style, in the files where it belongs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from testlens.domain.cases import Draft
from testlens.scaffold.edits import Edit, apply
from testlens.scaffold.marked import UnwritableError
from testlens.scaffold.parsed_draft import parse_draft
from testlens.scaffold.place import Place
from testlens.scaffold.style import Style
from testlens.scaffold.writing import Writing

__all__ = ["Edit", "UnwritableError", "Written", "write"]


@dataclass(frozen=True, slots=True)
class Written:
    """A draft in the files of the project.

    `files` has the whole new text of each file that changes or is created, `edits` the same as small changes of the old
    texts, in the order of their lines, `added` for each file the text that is new. `names` are the tests as their file
    calls them (`TestX::test_y`), `node_ids` the same for pytest, empty where it is not pytest that runs them. `note`
    says what is other than was asked for, empty where nothing is.
    """

    files: Mapping[str, str]
    edits: tuple[Edit, ...]
    test_file: str
    node_ids: tuple[str, ...]
    names: tuple[str, ...]
    added: Mapping[str, str]
    note: str = ""


def write(draft: Draft, place: Place, style: Style, texts: Mapping[str, str]) -> Written:
    """The draft as the project's own tests are written; `texts` are its test files by path, conftest files included.

    UnwritableError where code of the draft is no Python, imports what has no name, or is nested without end.
    """
    try:
        writing = Writing(parse_draft(draft, style.python), place, style, texts)
        return _written(writing, place, texts)
    except RecursionError as error:
        raise UnwritableError("An expression of the draft is nested too deeply to be laid out.") from error


def _written(writing: Writing, place: Place, texts: Mapping[str, str]) -> Written:
    edits = writing.edits()
    packages = [path for path in place.packages if path not in texts]
    paths = dict.fromkeys([*(edit.path for edit in edits), *packages])
    by_path = {path: [edit for edit in edits if edit.path == path] for path in paths}
    return Written(
        files={path: apply(texts.get(path, ""), found) for path, found in by_path.items()},
        edits=edits,
        test_file=writing.test_file,
        node_ids=tuple(f"{writing.test_file}::{name}" for name in writing.names),
        names=writing.names,
        added={path: "".join(edit.text for edit in found).strip("\r\n") + "\n" for path, found in by_path.items()},
    )
