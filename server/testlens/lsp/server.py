"""The language server: what it holds, how its features hear of changes, and where they are registered."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol.types import TextDocumentSyncKind
from pygls.lsp.server import LanguageServer
from pygls.protocol import default_converter

from testlens import __version__
from testlens.lsp.documents import Document, Documents
from testlens.lsp.folders import Folder, Folders
from testlens.lsp.gap_targets import GapTargets
from testlens.lsp.options import Options
from testlens.lsp.typed_protocol import TestlensProtocol
from testlens.lsp.verdicts import Verdicts
from testlens.lsp.work import Worker

if TYPE_CHECKING:
    from testlens.lsp.features.test_explorer import TestExplorer
    from testlens.lsp.features.writing import Writing
    from testlens.runners.events import Event

logger = logging.getLogger(__name__)

T = TypeVar("T")
Listener = Callable[[Folder], None]


class TestlensServer(LanguageServer):
    """Holds folders, documents and options; features add themselves to the listeners.

    `quick` is the one thread for short work that an editor waits for; long work is on each folder's own. `typed_at` is
    when something was last typed in a document, in seconds as of `time.monotonic`.
    """

    __test__ = False

    def __init__(self) -> None:
        # Documents are sent whole: pygls applies changes by lines that it also ends at form feeds, as no editor does.
        super().__init__(
            "testlens",
            __version__,
            TextDocumentSyncKind.Full,
            protocol_cls=TestlensProtocol,
            converter_factory=default_converter,
        )
        self.options = Options()
        self.quick = Worker("quick")
        self.folders = Folders(self)
        self.documents = Documents(self)
        self.gap_targets = GapTargets(self)
        self.verdicts = Verdicts(self)
        self.typed_at = -math.inf
        self.writing: Writing  # added by its feature, before those that write
        self.test_explorer: TestExplorer  # likewise
        self.on_state: list[Listener] = []
        self.on_reports: list[Listener] = []
        self.on_snapshot: list[Listener] = []
        self.on_running: list[Listener] = []
        self.on_edit: list[Callable[[Document], None]] = []
        self.on_test_event: list[Callable[[Folder, Event], None]] = []
        self.on_removal: list[Listener] = []
        self.on_shutdown: list[Callable[[], Awaitable[None]]] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def announce_state(self, folder: Folder) -> None:
        """Tell the features that a folder begins or stops doing something."""
        _tell_of(folder, self.on_state)

    def announce_reports(self, folder: Folder) -> None:
        """Tell the features that reports of files have changed."""
        _tell_of(folder, self.on_reports)

    def announce_running(self, folder: Folder) -> None:
        """Tell the features that other tests are shown as running."""
        _tell_of(folder, self.on_running)

    def announce_snapshot(self, folder: Folder) -> None:
        """Tell the features that there is a new snapshot and its plan."""
        _tell_of(folder, self.on_snapshot)

    def announce_test_event(self, folder: Folder, event: Event) -> None:
        """Tell the features what a test run of a folder reports."""

        def with_event(listener: Callable[[Folder, Event], None]) -> Listener:
            return lambda told: listener(told, event)

        _tell_of(folder, [with_event(listener) for listener in self.on_test_event])

    def announce_edit(self, uri: str) -> None:
        """Tell the features that typing in a document has paused."""
        document = self.documents.find(uri)
        if document is not None:
            _tell(self.on_edit, document)

    def announce_removal(self, folder: Folder) -> None:
        """Tell the features that a folder is gone."""
        _tell(self.on_removal, folder)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start work on the event loop that nobody waits for; what goes wrong in it is logged."""
        self._loop = asyncio.get_running_loop()
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_log_failure)
        return task

    def call_soon(self, function: Callable[..., None], *args: object) -> None:
        """Call `function` on the event loop, from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *args)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log it. A popup for every mistake of ours helps nobody, and a closed client cannot show one."""
        logger.error("%s: %s", getattr(source, "__name__", source), error)

    def shutdown(self) -> None:
        """Stop everything without waiting: the client may still hold our standard input open."""
        if self._stop_event is not None:
            self._stop_event.set()
        self.folders.stop()
        self.quick.stop()
        self.thread_pool.shutdown(wait=False, cancel_futures=True)


def create_server() -> TestlensServer:
    """A server with all features."""
    from testlens.lsp.features import ALL

    server = TestlensServer()
    for feature in ALL:
        feature.register(server)
    return server


def serve() -> None:
    """Speak LSP on standard input and output until the client is gone."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # A thread in the middle of a computation yields to the event loop after this many seconds.
    sys.setswitchinterval(0.001)
    create_server().start_io()
    logging.shutdown()
    # Threads in the middle of a large parse have nothing to lose, and the editor waits for us to end.
    os._exit(0)


def _tell_of(folder: Folder, listeners: Sequence[Listener]) -> None:
    # What a removed folder still does, such as ending its test run, is no news to anybody.
    if folder.is_open():
        _tell(listeners, folder)


def _tell(listeners: Sequence[Callable[[T], None]], what: T) -> None:
    for listener in listeners:
        try:
            listener(what)
        except Exception:
            logger.exception("A feature failed.")


def _log_failure(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("A task failed.", exc_info=error)
