"""What can be written for the gaps of a document. What is parsed is kept until the document changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from testlens.lsp.convert import path_of
from testlens.lsp.documents import Document
from testlens.lsp.folders import Folder

if TYPE_CHECKING:
    from testlens.domain.staleness import Anchors
    from testlens.lsp.server import TestlensServer
    from testlens.scaffold.recipe import Offer
    from testlens.scaffold.style import Style
    from testlens.scaffold.target import NoTarget
    from testlens.workspace.gap_target import GapTarget, ParsedText
    from testlens.workspace.test_files import TestFiles
    from testlens.workspace.views import PlacedGap
    from testlens.workspace.workspace import Workspace

# A selection may reach over a whole file.
_MOST_GAPS = 3


@dataclass(frozen=True, slots=True)
class Offered:
    """What fits one gap, most fitting first; where nothing does, `reason` says why."""

    gap: PlacedGap
    offers: tuple[Offer, ...]
    reason: str = ""


class GapTargets:
    """Looks for gaps on the quick thread; runs nothing of any project."""

    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._parsed: dict[str, tuple[int | None, ParsedText | NoTarget]] = {}
        self._seen: dict[str, tuple[int | None, str]] = {}
        self._tests: dict[str, TestFiles] = {}

    async def learn_style(self, folder: Folder, python: str | None) -> None:
        """Read how the tests of a folder are written, and what `python` brings for them, ahead of the first offer."""
        workspace, before = folder.workspace, self._tests.get(folder.uri)
        if workspace is not None:
            self._tests[folder.uri] = await folder.background.do(_read_tests, workspace, python, before)

    def test_texts(self, folder: Folder) -> Mapping[str, str]:
        """The test files of a folder by path, as far as they were read."""
        tests = self._tests.get(folder.uri)
        return {} if tests is None else tests.texts

    def forget_document(self, uri: str) -> None:
        """Drop what is kept of a document that was closed."""
        self._parsed.pop(uri, None)
        self._seen.pop(uri, None)

    def forget_folder(self, folder: Folder) -> None:
        """Drop what is kept of a folder that is gone."""
        self._tests.pop(folder.uri, None)

    async def offered(self, document: Document, first: int, last: int) -> tuple[Offered, ...]:
        """What fits the riskiest gaps between two lines (1-based) of the document, riskiest first."""
        view = await self._server.documents.view(document)
        if view is None or view.anchors is None:
            return ()
        here = [gap for gap in view.gaps if gap.first <= last and first <= gap.last]
        if not here:
            return ()
        self._seen[document.uri] = (document.version, document.text)
        riskiest = sorted(here, key=lambda gap: -gap.gap.risk.score)[:_MOST_GAPS]
        return await self._server.quick.do(self._offered, document, view.anchors, riskiest)

    async def target(self, folder: Folder, uri: str, version: int | None, line: int) -> GapTarget | NoTarget:
        """The gap at a line (1-based) of that version of a document, in the text that is on disk: that is what runs."""
        from testlens.scaffold.target import NoTarget

        path = path_of(uri)
        relative = folder.relative(path) if path is not None else None
        if path is None or relative is None or folder.workspace is None:
            return NoTarget(f"{uri} is no file of {folder.root.name}")
        text = self._text(uri, version)
        if text is None and version is not None:
            return NoTarget("the file was edited since this was offered")
        return await self._server.quick.do(_target_on_disk, folder.workspace, relative, line, text)

    def _text(self, uri: str, version: int | None) -> str | None:
        """The document in that version, None where it is not known any more or not open."""
        document = self._server.documents.find(uri)
        if document is not None and version in (None, document.version):
            return document.text
        seen = self._seen.get(uri)
        return seen[1] if seen is not None and version is not None and seen[0] == version else None

    def _offered(self, document: Document, anchors: Anchors, gaps: Sequence[PlacedGap]) -> tuple[Offered, ...]:
        parsed = self._parse(document)
        style = self._style(document.folder)
        return tuple(_offers_for(document.folder.root, gap, anchors, parsed, style) for gap in gaps)

    def _parse(self, document: Document) -> ParsedText | NoTarget:
        from testlens.workspace.gap_target import parse_text

        kept = self._parsed.get(document.uri)
        if kept is not None and kept[0] == document.version:
            return kept[1]
        parsed = parse_text(document.text)
        self._parsed[document.uri] = (document.version, parsed)
        return parsed

    def _style(self, folder: Folder) -> Style:
        from testlens.scaffold.style import Style

        tests = self._tests.get(folder.uri)
        return Style() if tests is None else tests.style


def _read_tests(workspace: Workspace, python: str | None, before: TestFiles | None) -> TestFiles:
    # All of it now, so that the first offer need not wait for imports.
    from testlens.scaffold import recipes  # noqa: F401
    from testlens.workspace import gap_target  # noqa: F401
    from testlens.workspace.test_files import TestFiles

    tests = before if before is not None else TestFiles(workspace)
    tests.read(python)
    return tests


def _offers_for(
    root: Path, placed: PlacedGap, anchors: Anchors, parsed: ParsedText | NoTarget, style: Style
) -> Offered:
    from testlens.scaffold.recipes import offers
    from testlens.scaffold.target import NoTarget
    from testlens.workspace.gap_target import moved_gap, target_in

    gap = moved_gap(placed.gap, anchors)
    if gap is None:
        return Offered(placed, (), "one of its lines was edited since the last run")
    found = target_in(root, gap, parsed)
    if isinstance(found, NoTarget):
        return Offered(placed, (), found.reason)
    fitting = offers(found.target, style)
    return Offered(placed, fitting, "" if fitting else "no recipe fits it")


def _target_on_disk(workspace: Workspace, path: str, line: int, text: str | None) -> GapTarget | NoTarget:
    from testlens.domain.staleness import anchor
    from testlens.scaffold.target import NoTarget
    from testlens.sources.coverage_parse import normalise
    from testlens.workspace.gap_target import gap_at
    from testlens.workspace.views import text_on_disk

    on_disk = text_on_disk(workspace.root / path)
    if on_disk is None:
        return NoTarget(f"{path} cannot be read")
    here = line if text is None else anchor(normalise(text), on_disk).current(line)
    if here is None:
        return NoTarget(f"line {line} of {path} is another one on disk: save the file, and run the tests again")
    return gap_at(workspace, path, here, on_disk)
