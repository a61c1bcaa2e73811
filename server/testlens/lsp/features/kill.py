"""Kills a survivor: looks for a test that tells it apart, adds that to its file, and says what came of it on both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from lsprotocol.types import ApplyWorkspaceEditParams, MessageActionItem, MessageType, ShowMessageRequestParams

from testlens.lsp.convert import uri_of
from testlens.lsp.features import problems
from testlens.lsp.features.arguments import folder_of, parse
from testlens.lsp.features.code_lens import refresh_lenses
from testlens.lsp.features.jobs import Job
from testlens.lsp.features.mutants import find_survivor
from testlens.lsp.features.survivor_actions import pragma_edit
from testlens.lsp.folders import Folder
from testlens.lsp.progress import ProgressBar, shown_progress
from testlens.lsp.protocol import KILL, JobResult, KillArguments
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from testlens.domain.mutants import Mutant
    from testlens.domain.problems import Problem
    from testlens.scaffold.kill.search import NotKilled
    from testlens.workspace.killing import Killer, Killing

_IGNORE = "Ignore this line"


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    feature = _Killing(server)

    @server.command(KILL)
    def kill(_ls: TestlensServer, *arguments: object) -> dict[str, Any]:
        return attrs.asdict(feature.start(parse(arguments, KillArguments)))


class _Killing:
    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._writing = server.writing

    def start(self, wanted: KillArguments) -> JobResult:
        """Start to look for a test; nothing of it is waited for."""
        folder = folder_of(self._server, wanted.folder)
        return self._writing.start(folder, "Killing a mutant", lambda job: self._kill(job, wanted))

    async def _kill(self, job: Job, wanted: KillArguments) -> None:
        folder, bar = job.folder, job.bar
        from testlens.domain.problems import Problem
        from testlens.scaffold.kill.search import NotKilled
        from testlens.workspace.named_mutants import mutant_named

        assert folder.workspace is not None
        mutant = await folder.background.do(mutant_named, folder.workspace, wanted.name)
        if isinstance(mutant, Problem):
            problems.tell_as_error(self._server, mutant)
            return
        killer = await self._killer(folder, job.python)
        found = await _look_for(killer, mutant, wanted, bar)
        if isinstance(found, Problem):
            problems.tell_as_error(self._server, found)
        elif isinstance(found, NotKilled):
            self._server.spawn(self._offer_to_ignore(folder, found, mutant, wanted))
        else:
            await self._insert(folder, killer, found, bar)

    async def _killer(self, folder: Folder, python: str) -> Killer:
        from testlens.workspace.killing import Killer

        assert folder.workspace is not None
        scaffolder = await self._writing.scaffolders.ready(folder, python)
        return Killer(folder.workspace, scaffolder.session, python, folder.workspace.settings.config.scaffold_budget)

    async def _insert(self, folder: Folder, killer: Killer, killing: Killing, bar: ProgressBar) -> None:
        from testlens.workspace.named_mutants import other_survivors, take_kills
        from testlens.workspace.scaffolding import Verdict

        workspace, written = folder.workspace, killing.written
        assert workspace is not None
        placed = await self._writing.put(folder, written)
        if placed is None:
            return
        others = await folder.background.do(other_survivors, workspace, killing.mutant)
        also = await killer.also_killed(killing, others, shown_progress(bar))
        killed_by = {mutant.name: written.node_ids[0] for mutant in (killing.mutant, *also)}
        await folder.take(lambda: take_kills(workspace, killing.mutant.file, killed_by))
        verdict = Verdict("passed", (), (), _said(killing, len(also)))
        self._server.verdicts.tell(placed.uri, written, verdict, f"new {killing.way}")
        refresh_lenses(self._server)

    async def _offer_to_ignore(self, folder: Folder, found: NotKilled, mutant: Mutant, wanted: KillArguments) -> None:
        """Say how far it was looked, and let the user ignore the mutant, which changes nothing that anybody sees."""
        from testlens.workspace.killing import said_of

        document = self._server.documents.find(uri_of(folder.root / mutant.file))
        placed = None if document is None else await find_survivor(self._server, document, mutant.name)
        edit = pragma_edit(self._server, document, placed) if document is not None and placed is not None else None
        said = said_of(found, mutant)
        if wanted.test is not None:
            said = f"nothing that {wanted.test.rpartition('::')[2]} holds in the end is another on the mutant"
        can_ignore = edit is not None and wanted.test is None
        actions = [MessageActionItem(_IGNORE)] if can_ignore else []
        message = f"{said[:1].upper()}{said[1:]}."
        answer = await self._server.window_show_message_request_async(
            ShowMessageRequestParams(MessageType.Warning, message, actions)
        )
        if answer is not None and answer.title == _IGNORE and edit is not None:
            await self._server.workspace_apply_edit_async(ApplyWorkspaceEditParams(edit, "Ignore mutants"))


async def _look_for(
    killer: Killer, mutant: Mutant, wanted: KillArguments, bar: ProgressBar
) -> Killing | NotKilled | Problem:
    if wanted.test is not None:
        return await killer.add_assertion(mutant, wanted.test, shown_progress(bar))
    return await killer.write_test(mutant, shown_progress(bar))


def _said(killing: Killing, also: int) -> str:
    more = f", and on {also} other mutant{'s' if also > 1 else ''} of `{killing.mutant.function}`" if also else ""
    return f"green, and red on the mutant{more}"
