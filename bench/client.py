"""The least LSP client there is: JSON-RPC over a server's standard streams, with the time at which messages came."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Seconds after which a server that says nothing counts as hung.
_PATIENCE = 120.0
# Seconds that a server may take to end.
_GOODBYE = 10.0
# What requests of the server are answered with; null to those that are not named.
_RESULTS: Mapping[str, Any] = {"workspace/applyEdit": {"applied": False}}


@dataclass(frozen=True, slots=True)
class Message:
    """A notification or request of the server, and when its first byte came (`time.perf_counter`)."""

    method: str
    params: Any
    at: float


class Client:
    """Speaks to one server. Its requests are answered as by a client that does as it is told, but edits nothing."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._answers: dict[int, asyncio.Future[tuple[Any, float]]] = {}
        self._watchers: list[tuple[Callable[[Message], bool], asyncio.Future[Message]]] = []
        self._last_id = 0
        self._listening = asyncio.create_task(self._listen())

    async def request(self, method: str, params: Any) -> Any:
        """The result of a request; raises `RuntimeError` with the server's error."""
        result, _ = await self._ask(method, params)
        return result

    async def wait_for_answer(self, method: str, params: Any) -> float:
        """Seconds from sending a request to the first byte of the answer: how long the server made us wait.

        What comes after that is the transfer of the answer, and our own reading of it.
        """
        began = time.perf_counter()
        _, at = await self._ask(method, params)
        return at - began

    async def _ask(self, method: str, params: Any) -> tuple[Any, float]:
        self._last_id += 1
        answer = self._answers[self._last_id] = asyncio.get_running_loop().create_future()
        self._send({"id": self._last_id, "method": method, "params": params})
        return await asyncio.wait_for(answer, _PATIENCE)

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def expect(
        self, method: str, wanted: Callable[[Any], object], patience: float = _PATIENCE
    ) -> asyncio.Future[Message]:
        """The next message `method` with `wanted` params, within `patience` seconds; await it after causing it."""
        loop = asyncio.get_running_loop()
        coming: asyncio.Future[Message] = loop.create_future()
        loop.call_later(patience, _give_up, coming, f"The server sent no {method}.")
        self._watchers.append((lambda message: message.method == method and bool(wanted(message.params)), coming))
        return coming

    async def initialize(self, folder: Path, options: Mapping[str, Any]) -> None:
        """Open `folder` in the server."""
        uri = folder.as_uri()
        params = {
            "processId": None,
            "rootUri": uri,
            "capabilities": {"window": {"workDoneProgress": True}},
            "workspaceFolders": [{"uri": uri, "name": folder.name}],
            "initializationOptions": options,
        }
        await self.request("initialize", params)

    def open_document(self, file: Path) -> None:
        """Open a Python file in the server."""
        document = {"uri": file.as_uri(), "languageId": "python", "version": 1, "text": file.read_text("utf-8")}
        self.notify("textDocument/didOpen", {"textDocument": document})

    async def stop(self) -> None:
        """End the server. Raises TimeoutError where it does not, after it has told where each of its threads stands."""
        self.notify("exit", None)
        try:
            await asyncio.wait_for(self._process.wait(), _GOODBYE)
        except TimeoutError:
            self._process.send_signal(signal.SIGABRT)
            await self._process.wait()
            # Processes that it started may hold the pipe open for ever.
            self._listening.cancel()
            raise TimeoutError(
                f"The server did not end within {_GOODBYE:g} s; standard error says where it stood."
            ) from None
        await asyncio.wait_for(self._listening, _GOODBYE)

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        while header := await self._process.stdout.readline():
            at = time.perf_counter()
            length = 0
            while header.strip():
                name, _, value = header.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
                header = await self._process.stdout.readline()
            self._take(await self._process.stdout.readexactly(length), at)

    def _take(self, body: bytes, at: float) -> None:
        message = json.loads(body)
        if "method" not in message:
            _answer(self._answers.pop(message["id"]), message, at)
            return
        if "id" in message:
            self._send({"id": message["id"], "result": _RESULTS.get(message["method"])})
        self._tell(Message(message["method"], message.get("params"), at))

    def _tell(self, message: Message) -> None:
        for watcher in list(self._watchers):
            is_wanted, coming = watcher
            if not coming.done() and is_wanted(message):
                self._watchers.remove(watcher)
                coming.set_result(message)


def _answer(answer: asyncio.Future[tuple[Any, float]], message: Mapping[str, Any], at: float) -> None:
    if answer.done():
        return
    if "error" in message:
        answer.set_exception(RuntimeError(str(message["error"])))
    else:
        answer.set_result((message["result"], at))


def _give_up(coming: asyncio.Future[Message], reason: str) -> None:
    if not coming.done():
        coming.set_exception(TimeoutError(reason))


@asynccontextmanager
async def started(command: Sequence[str]) -> AsyncIterator[Client]:
    """A client of the server that `command` starts; the server is stopped at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONFAULTHANDLER": "1"},
    )
    client = Client(process)
    try:
        yield client
    finally:
        await client.stop()
