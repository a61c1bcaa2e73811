"""Tells the client's test explorer of all tests that are known, and of each run while it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from lsprotocol.types import TEXT_DOCUMENT_DID_SAVE, DidSaveTextDocumentParams

from testlens.lsp.convert import from_line, uri_of
from testlens.lsp.explorer_messages import PlacedTest, TestsParams
from testlens.lsp.folders import Folder
from testlens.lsp.protocol import TESTS
from testlens.lsp.server import TestlensServer
from testlens.lsp.test_events import TestEvents, report_of
from testlens.lsp.work import Worker

if TYPE_CHECKING:
    from testlens.domain.snapshot import TestResult
    from testlens.runners.events import Event
    from testlens.workspace.test_places import TestPlace, TestPlaces

T = TypeVar("T")

# Writing a message takes the event loop's time, which all other answers wait for.
_MOST_AT_ONCE = 200


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    server.test_explorer = feature = TestExplorer(server)

    @server.feature(TEXT_DOCUMENT_DID_SAVE)
    def saved(params: DidSaveTextDocumentParams) -> None:
        document = server.documents.find(params.text_document.uri)
        if document is not None and document.folder.snapshot is not None:
            feature.tell(document.folder)  # its tests may lie elsewhere now

    server.on_snapshot.append(feature.tell)
    server.on_state.append(feature.follow_run)
    server.on_test_event.append(feature.take)
    server.on_removal.append(feature.forget)


@dataclass(slots=True)
class _Told:
    """What the client was told of the tests of one folder.

    `found` were found by looking for tests, and have not run; `absent` have run, and were not found. `ran` is what
    tests did in runs, which the client was told as they went on.
    """

    places: dict[str, PlacedTest] = field(default_factory=dict)
    results: dict[str, TestResult] = field(default_factory=dict)
    found: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    ran: dict[str, TestResult] = field(default_factory=dict)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class _News:
    """What the client does not know yet."""

    places: list[PlacedTest]
    gone: list[str]
    results: dict[str, TestResult]


class TestExplorer:
    """Keeps in mind what the client was told, and tells it what is new."""

    __test__ = False

    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._told: dict[Folder, _Told] = {}
        self._places: dict[Folder, TestPlaces] = {}
        self._events: dict[Folder, TestEvents] = {}
        # Reading and parsing the tests of a large project must not be in the way of marks.
        self._reader = Worker("tests")

    def tell(self, folder: Folder) -> None:
        """Tell the client what is new, or nothing more, as it wants it."""
        if not self._server.options.test_explorer:
            self._told.pop(folder, None)
        elif folder.workspace is not None:
            folder.spawn(self._tell(folder, self._told.setdefault(folder, _Told())))

    async def take_found(self, folder: Folder, found: frozenset[str]) -> None:
        """Take over all tests that there are, run or not."""
        assert folder.workspace is not None
        told = self._told.setdefault(folder, _Told())
        known = await self._reader.do(folder.workspace.store.outcomes)
        told.found, told.absent = found, frozenset(known.keys() - found)
        await self._tell(folder, told)

    def follow_run(self, folder: Folder) -> None:
        """Notice when a run begins or ends."""
        run, events = folder.run, self._events.get(folder)
        if events is not None and (run is None or run.job != events.run.job):
            del self._events[folder]
            events.end()
            self._run_has_ended(folder, events)
        if run is not None and folder not in self._events and self._server.options.test_explorer:
            self._events[folder] = TestEvents(self._server, folder, run)

    def take(self, folder: Folder, event: Event) -> None:
        """Pass on what a run reports."""
        events = self._events.get(folder)
        if events is not None:
            events.take(event)

    def forget(self, folder: Folder) -> None:
        """Drop what is kept of a folder."""
        for kept in (self._told, self._places, self._events):
            kept.pop(folder, None)

    def _run_has_ended(self, folder: Folder, events: TestEvents) -> None:
        told, run = self._told.get(folder), events.run
        if told is None:
            return
        told.ran |= {test: ran for test, ran in events.results.items() if told.results.get(test) != ran}
        found_before = (told.found, told.absent)
        told.absent = told.absent.difference(events.results)
        if run.whole and 0 < run.total <= run.done:
            told.found = told.absent = frozenset()
        if (told.found, told.absent) != found_before:
            self.tell(folder)

    async def _tell(self, folder: Folder, told: _Told) -> None:
        from testlens.workspace.test_places import TestPlaces

        async with told.turn:
            places = self._places.setdefault(folder, TestPlaces(folder.root))
            news = await self._reader.do(_news, folder, places, told)
            if self._told.get(folder) is not told:
                return
            is_first, told.is_new = told.is_new, False
            told.places |= {place.id: place for place in news.places}
            told.results |= news.results
            for test in news.gone:
                told.places.pop(test, None)
                told.results.pop(test, None)
            await self._send(folder, is_first, news, self._untold(folder, told, news.results))

    def _untold(self, folder: Folder, told: _Told, results: Mapping[str, TestResult]) -> Mapping[str, TestResult]:
        """Those of the results that no run has told the client."""
        events = self._events.get(folder)
        running = {} if events is None else events.results
        return {
            test: result
            for test, result in results.items()
            if told.ran.pop(test, None) != result and running.get(test) != result
        }

    async def _send(self, folder: Folder, reset: bool, news: _News, reports: Mapping[str, TestResult]) -> None:
        """Tell the client part by part, places before results."""
        gone = news.gone
        for part in _parts(news.places):
            self._server.protocol.notify(TESTS, TestsParams(folder.uri, reset, part, gone, []))
            reset, gone = False, []
            await asyncio.sleep(0)
        for results in _parts(list(reports.items())):
            told = [report_of(folder, test, result) for test, result in results]
            self._server.protocol.notify(TESTS, TestsParams(folder.uri, reset, [], gone, told))
            reset, gone = False, []
            await asyncio.sleep(0)
        if reset or gone:
            self._server.protocol.notify(TESTS, TestsParams(folder.uri, reset, [], gone, []))


def _news(folder: Folder, places: TestPlaces, told: _Told) -> _News:
    """Reads what is remembered and the files of tests."""
    workspace = folder.workspace
    assert workspace is not None
    # The newest data may be another tool's: what tests did when they ran here is known all the same.
    results = workspace.snapshot.outcomes or workspace.store.outcomes()
    known = places.of(sorted((results.keys() | told.found) - told.absent))
    placed = {test: _placed(test, place) for test, place in known.items()}
    return _News(
        [place for test, place in placed.items() if told.places.get(test) != place],
        [test for test in told.places if test not in placed],
        {test: results[test] for test in placed if test in results and told.results.get(test) != results[test]},
    )


def _placed(test: str, place: TestPlace) -> PlacedTest:
    lines = [None if line is None else from_line(line) for line in place.lines]
    return PlacedTest(test, uri_of(place.file), lines)


def _parts(entries: list[T]) -> list[list[T]]:
    return [entries[first : first + _MOST_AT_ONCE] for first in range(0, len(entries), _MOST_AT_ONCE)]
