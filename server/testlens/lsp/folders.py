"""The workspace folders of the client, each with its own Workspace and the thread that refreshes it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol.types import WorkspaceFolder

from testlens.lsp.convert import path_of
from testlens.lsp.progress import ProgressBar
from testlens.lsp.work import Worker

if TYPE_CHECKING:
    from testlens.domain.plan import Plan
    from testlens.domain.problems import Problem
    from testlens.domain.snapshot import FileReport, Snapshot
    from testlens.lsp.server import TestlensServer
    from testlens.workspace.selected_run import SelectedRun
    from testlens.workspace.watcher import Change, Watcher
    from testlens.workspace.workspace import Workspace

T = TypeVar("T")

logger = logging.getLogger(__name__)

_UNNOTICED = 0.5
_PROGRESS_EVERY = 0.25


@dataclass(slots=True)
class RunCounts:
    """How far a test run is: tests done, in all, and failed. `cancel` ends it, where the user may.

    `tests` are those (node ids or files) whose lines are shown as running. `continuous` says that nobody asked for this
    very run, `whole` that it is one of all tests.
    """

    job: str
    continuous: bool = False
    whole: bool = False
    done: int = 0
    total: int = 0
    failed: int = 0
    cancel: Callable[[], object] | None = None
    tests: frozenset[str] = frozenset()


class Folder:
    """One workspace folder. Lives on the event loop; its workspace works on threads.

    `workspace` and `plan` are None until they are there, and `outlook`, how far the target is, is empty; `run` is the
    test run in progress, if there is one.
    Once `is_open()` is false, nothing is announced of it any more, and all that was spawned for it is cancelled.
    """

    def __init__(self, server: TestlensServer, uri: str, root: Path) -> None:
        self.uri = uri
        self.root = root
        self.workspace: Workspace | None = None
        self.plan: Plan | None = None
        self.outlook = ""
        self.run: RunCounts | None = None
        self.background = Worker(f"refresh-{root.name}")
        # Of its own, so that hovers and lenses, which have a report already, need not wait for the next one.
        self._ahead = Worker(f"ahead-{root.name}")
        self._server = server
        self._peeked: dict[str, FileReport] = {}
        self._refreshing: asyncio.Task[None] | None = None
        self._again = False
        self._watcher: Watcher | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False

    @property
    def snapshot(self) -> Snapshot | None:
        """The newest complete snapshot; None before the first."""
        return self.workspace.snapshot if self.workspace is not None and self.plan is not None else None

    @property
    def target(self) -> float:
        """Target coverage in percent."""
        return self.workspace.settings.target if self.workspace is not None else 0.0

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong beside the snapshot's own problems."""
        found = self._watcher.problem if self._watcher is not None else None
        return (found,) if found is not None else ()

    def report(self, path: str) -> FileReport | None:
        """The newest report of a file, which may be younger than the snapshot."""
        if path in self._peeked:
            return self._peeked[path]
        return self.workspace.snapshot.files.get(path) if self.workspace is not None else None

    def relative(self, path: Path) -> str | None:
        """`path` as domain values have it, or None outside of the folder."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else None

    def is_open(self) -> bool:
        """Whether the client still has the folder."""
        return not self._stopped

    async def start(self) -> None:
        """Read what there is of the folder: open documents first, then everything, from then on watched."""
        # Not one of the tasks that `stop` cancels: what a thread has opened meanwhile has to be closed.
        workspace = await self._ahead.do(_open_workspace, self.root, self._server)
        if not self.is_open():
            workspace.close()
            return
        self.workspace = workspace
        await self.peek()
        if not self.is_open():
            return
        # Before the refresh: data that appears in between would be missed.
        watcher = await self.background.do(_start_watcher, workspace, self.changed_on_disk)
        if not self.is_open():
            watcher.stop()
            return
        self._watcher = watcher
        self.refresh()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start work on the event loop that ends with the folder."""
        task = self._server.spawn(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if not self.is_open():
            task.cancel()
        return task

    async def configure(self) -> None:
        """Put the client's settings in force."""
        if self.workspace is not None:
            await self.background.do(self.workspace.configure, self._server.options.overrides())
            self.refresh()

    async def peek(self, paths: Collection[str] = ()) -> None:
        """Read the newest data of `paths`, or of all open documents, ahead of the refresh."""
        wanted = paths or self._server.documents.paths_in(self)
        if self.workspace is None or not wanted:
            return
        try:
            self._peeked |= await self._ahead.do(self.workspace.peek, wanted)
        except Exception:
            # It only saves time: the refresh that follows must come whatever happens here.
            logger.exception("The newest data could not be looked at ahead of time.")
            return
        self._server.announce_reports(self)

    def refresh(self) -> asyncio.Task[None]:
        """Read the folder anew; a refresh in progress is followed by one more, however often this is called."""
        self._again = True
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = self.spawn(self._refresh_while_wanted())
        return self._refreshing

    async def take(self, make_snapshot: Callable[[], T]) -> T:
        """Have a new snapshot made on the folder's thread, announce it, and give what came of making it."""
        result = await self.background.do(make_snapshot)
        if self._watcher is not None:
            await self.background.do(self._watcher.note_present)
        await self._announce()
        self.spawn(self._learn_history())
        return result

    async def read_mutants(self) -> None:
        """Show what is newly known of mutants."""
        if self.workspace is not None:
            await self.background.do(self.workspace.read_mutants)
            await self.announce()

    async def add(self, run: SelectedRun) -> Problem | None:
        """Add what a run of some tests found to what is known."""
        from testlens.workspace.selected_run import take_over

        workspace = self.workspace
        assert workspace is not None
        return await self.take(lambda: take_over(workspace, run))

    def stop(self) -> None:
        """Let go of threads, watches and the store, and of all that is still going on."""
        self._stopped = True
        for task in self._tasks:
            task.cancel()
        if self._watcher is not None:
            self._watcher.stop()
        self._ahead.stop()
        self.background.stop()
        if self.workspace is not None:
            self.workspace.close()

    def changed_on_disk(self, change: Change) -> None:
        """The watcher noticed something; called on its thread."""
        self._server.call_soon(self._react, change)

    def _react(self, change: Change) -> None:
        if change == "mutants":
            self.spawn(self.read_mutants())
        elif self.run is None:
            self.spawn(self._read_again(change))

    async def _read_again(self, change: Change) -> None:
        if change == "data":
            await self.peek()
        elif self.workspace is not None and self._watcher is not None:
            await self.background.do(self.workspace.configure, self._server.options.overrides())
            await self.background.do(self._watcher.follow)
        self.refresh()

    async def _refresh_while_wanted(self) -> None:
        while self._again:
            self._again = False
            await self._refresh_once()
        self.spawn(self._learn_history())

    async def _learn_history(self) -> None:
        """Ask git, where that is allowed, and weigh the gaps anew if it knew anything."""
        workspace = self.workspace
        if workspace is None or not self._server.options.trusted:
            return
        before = workspace.snapshot
        if await self.background.do(workspace.read_history):
            self.refresh()
        elif workspace.snapshot is not before:
            await self._announce()

    async def _refresh_once(self) -> None:
        assert self.workspace is not None
        counts = [0, 0]

        def count(done: int, total: int) -> None:
            counts[:] = done, total

        job = asyncio.ensure_future(self.background.do(self.workspace.refresh, count))
        await asyncio.wait({job}, timeout=_UNNOTICED)
        if not job.done():
            await self._show(job, counts)
        await job
        await self._announce()

    async def _show(self, job: asyncio.Future[Snapshot], counts: list[int]) -> None:
        bar = ProgressBar(self._server)
        try:
            await bar.open(f"Reading the coverage of {self.root.name}")
            while not job.done():
                bar.report(counts[0], counts[1], f"{counts[0]} of {counts[1]} files")
                await asyncio.wait({job}, timeout=_PROGRESS_EVERY)
        finally:
            bar.close()

    async def announce(self) -> None:
        """Tell the features of the workspace's newest snapshot, once there has been a first one."""
        if self.workspace is not None and self.plan is not None and self.is_open():
            await self._announce()

    async def _announce(self) -> None:
        assert self.workspace is not None
        self._peeked.clear()
        self._server.announce_reports(self)
        self.plan, self.outlook = await self.background.do(_make_plan, self.workspace)
        self._server.announce_snapshot(self)


class Folders:
    """All folders of the client, which may change while the server runs."""

    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._folders: dict[str, Folder] = {}

    def __iter__(self) -> Iterator[Folder]:
        return iter(list(self._folders.values()))

    def add(self, folder: WorkspaceFolder) -> None:
        """Take in a folder of the client; one that is no place on disk has nothing to show."""
        root = path_of(folder.uri)
        if root is None or folder.uri in self._folders:
            return
        added = self._folders[folder.uri] = Folder(self._server, folder.uri, root)
        self._server.announce_state(added)
        self._server.spawn(added.start())

    def remove(self, uri: str) -> None:
        """Let go of a folder and of everything shown for it."""
        removed = self._folders.pop(uri, None)
        if removed is not None:
            self._server.announce_removal(removed)
            removed.stop()

    def stop(self) -> None:
        """Let go of all folders."""
        for folder in self:
            folder.stop()

    def named(self, uri: str | None) -> Folder | None:
        """The folder with this URI; without one, the only folder there is."""
        if uri is not None:
            return self._folders.get(uri) or self._folders.get(uri.rstrip("/"))
        return next(iter(self._folders.values())) if len(self._folders) == 1 else None

    def owner(self, path: Path) -> Folder | None:
        """The innermost folder that `path` lies in."""
        owners = [folder for folder in self._folders.values() if path.is_relative_to(folder.root)]
        return max(owners, key=lambda folder: len(folder.root.parts), default=None)


def _open_workspace(root: Path, server: TestlensServer) -> Workspace:
    # All of it now, so that the first marks need not wait for imports.
    from testlens.workspace import examine, views  # noqa: F401
    from testlens.workspace.collector import collect_rarely
    from testlens.workspace.workspace import Workspace

    # What is loaded stays, and so will the snapshot.
    collect_rarely()
    return Workspace(root, server.options.overrides())


def _make_plan(workspace: Workspace) -> tuple[Plan, str]:
    from testlens.workspace.trend import outlook_now

    plan = workspace.plan()
    return plan, outlook_now(workspace.root, plan)


def _start_watcher(workspace: Workspace, on_change: Callable[[Change], None]) -> Watcher:
    from testlens.workspace.watcher import Watcher

    watcher = Watcher(workspace, on_change)
    watcher.start()
    return watcher
