"""The command `waypost`, in a thread with an event loop of its own, on an application of the test's loop."""

from __future__ import annotations

import asyncio
import contextlib
import io
import sqlite3
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

import httpx2
import msgspec

from waypost import AsyncWaypost, Retry
from waypost.cli.home import home
from waypost.cli.running import run
from waypost.cli.server import Server
from waypost.types import SessionRecord

T = TypeVar("T")


class Done(NamedTuple):
    """What a command has said, and its exit code."""

    code: int
    out: str
    err: str


class Command:
    """Runs command lines against what `transport` leads to. `out` and `err`: of the one that runs. `keys`: the app keys
    that clients were made with."""

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        self._transport = transport
        self.out = io.StringIO()
        self.err = io.StringIO()
        self.keys: list[str | None] = []

    async def __call__(self, *arguments: str, stdin: str | bytes = "") -> Done:
        loop = asyncio.get_running_loop()

        def client_of(server: Server) -> AsyncWaypost:
            self.keys.append(server.app_key)
            http = httpx2.AsyncClient(transport=_Elsewhere(loop, self._transport))
            return AsyncWaypost(server.url, http_client=http, retry=Retry(max_elapsed=1.0))

        self.out, self.err = io.StringIO(), io.StringIO()
        data = stdin.encode() if isinstance(stdin, str) else stdin
        before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(data))
        try:
            with contextlib.redirect_stdout(self.out), contextlib.redirect_stderr(self.err):
                code = await asyncio.to_thread(run, list(arguments), client_of)
        finally:
            sys.stdin = before
        return Done(code, self.out.getvalue(), self.err.getvalue())


@asynccontextmanager
async def serving(
    command: Command, client: AsyncWaypost, *arguments: str
) -> AsyncIterator[tuple[str, asyncio.Task[Done]]]:
    """The code that a `serve` or `listen` prints, and the command, which ends here with its session."""
    task = asyncio.ensure_future(command(*arguments))
    while "Online" not in command.err.getvalue():
        assert not task.done(), task.result()
        await asyncio.sleep(0.01)
    try:
        yield command.out.getvalue().strip(), task
    finally:
        if not task.done():
            await ended(client, task)


async def ended(client: AsyncWaypost, task: asyncio.Task[Done]) -> Done:
    """Ends the session of the one file that the command keeps, and waits for the command."""
    [path] = (home() / "sessions").glob("*.db")
    with contextlib.closing(sqlite3.connect(path)) as database:
        [[kept]] = database.execute("SELECT record FROM session WHERE record IS NOT NULL").fetchall()
    await client.restore(msgspec.json.decode(kept, type=SessionRecord)).end()
    return await task


class _Elsewhere(httpx2.AsyncBaseTransport):
    """A transport that belongs to another event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, inner: httpx2.AsyncBaseTransport) -> None:
        self._loop = loop
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        sent = httpx2.Request(request.method, request.url, headers=request.headers, content=body)
        response = await _in(self._loop, self._inner.handle_async_request(sent))
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        stream = _Stream(self._loop, response.stream)
        return httpx2.Response(response.status_code, headers=response.headers, stream=stream)


class _Stream(httpx2.AsyncByteStream):
    def __init__(self, loop: asyncio.AbstractEventLoop, inner: httpx2.AsyncByteStream) -> None:
        self._loop = loop
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = self._inner.__aiter__()

        async def step() -> bytes | None:
            # anext() with a default crashes Python 3.11 when it is cancelled.
            try:
                return await anext(chunks)
            except StopAsyncIteration:
                return None

        while (chunk := await _in(self._loop, step())) is not None:
            yield chunk

    async def aclose(self) -> None:
        await _in(self._loop, self._inner.aclose())


async def _in(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))
