"""The documents of the editor for the tests: edits of the server are applied to them strictly, saved, and undone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.uris import to_fs_path

if TYPE_CHECKING:
    from lsp.editor import Editor

_BOM = b"\xef\xbb\xbf"


class Buffers:
    """Open documents by URI. `refuses` makes the editor decline edits, with these words."""

    def __init__(self, editor: Editor) -> None:
        self._editor = editor
        self.texts: dict[str, str] = {}
        self.edits: list[types.WorkspaceEdit] = []
        self.saved: list[list[str]] = []
        self.refuses: str | None = None
        self._before: dict[str, str | None] = {}

    def apply(self, params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
        """What an editor does with `workspace/applyEdit`: everything or nothing."""
        if self.refuses is not None:
            return types.ApplyWorkspaceEditResult(applied=False, failure_reason=self.refuses)
        self.edits.append(params.edit)
        self._before = {}
        for change in params.edit.document_changes or ():
            if isinstance(change, types.CreateFile):
                self._create(change)
            else:
                assert isinstance(change, types.TextDocumentEdit)
                self._change(change)
        return types.ApplyWorkspaceEditResult(applied=True)

    def undo(self) -> None:
        """Take the last edit back, as one step."""
        for uri, text in self._before.items():
            if text is not None:
                self._editor.type(uri, text)

    def save(self, uris: list[str]) -> bool:
        """Write documents to disk; a byte order mark that the file has stays."""
        self.saved.append(uris)
        for uri in uris:
            path = path_of(uri)
            mark = _BOM if path.exists() and path.read_bytes().startswith(_BOM) else b""
            path.write_bytes(mark + self.texts[uri].encode())
        return True

    def _create(self, change: types.CreateFile) -> None:
        path = path_of(change.uri)
        assert not path.exists(), "the server would overwrite a file"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    def _change(self, change: types.TextDocumentEdit) -> None:
        uri = change.text_document.uri
        if uri not in self.texts:
            assert change.text_document.version is None
            self._editor.open(path_of(uri))
        else:
            assert change.text_document.version == self._editor.version(uri)
        self._before.setdefault(uri, self.texts[uri])
        # From the end, so that earlier positions stay what they were.
        for edit in sorted(change.edits, key=_start, reverse=True):
            assert isinstance(edit, types.TextEdit | types.AnnotatedTextEdit)
            self._editor.type(uri, _edited(self.texts[uri], edit))


def path_of(uri: str) -> Path:
    """The file of a URI."""
    return Path(to_fs_path(uri) or "")


def _start(edit: types.TextEdit | types.AnnotatedTextEdit | types.SnippetTextEdit) -> tuple[int, int]:
    return edit.range.start.line, edit.range.start.character


def _edited(text: str, edit: types.TextEdit | types.AnnotatedTextEdit) -> str:
    start, end = (_offset(text, position) for position in (edit.range.start, edit.range.end))
    return text[:start] + edit.new_text + text[end:]


def _offset(text: str, position: types.Position) -> int:
    """Where a position is; a position outside of the document is an error here, whatever editors make of it."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.split(end)
    before = sum(len(line) + len(end) for line in lines[: position.line])
    assert position.line < len(lines), f"line {position.line} of {len(lines)}"
    units = lines[position.line].encode("utf-16-le")
    assert 2 * position.character <= len(units)
    return before + len(units[: 2 * position.character].decode("utf-16-le"))
