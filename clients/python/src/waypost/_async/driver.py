"""Runs the core's flows on asyncio and httpx2."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, TypeVar

import httpx2

from waypost._core.config import Config
from waypost._core.connecting import FAILURES, client_options, closed, failure, lower, request_options
from waypost._core.effects import (
    Effect,
    Emit,
    Flow,
    Now,
    Open,
    Outcome,
    Read,
    Send,
    Shut,
    Sleep,
    advance,
    next_effect,
)
from waypost._core.messages import Call, Reply
from waypost._core.retrying import Retry, sending
from waypost.errors import ConfigError, TransportError

T = TypeVar("T")

FAREWELL_SECONDS = 5.0
"""How long a cancelled caller waits for the server to hear of it."""


class AsyncDriver:
    """Runs flows in one event loop: the connections of a client belong to the loop that opened them."""

    def __init__(self, config: Config, retry: Retry, http_client: httpx2.AsyncClient | None) -> None:
        self.config = config
        self.retry = retry
        self._is_ours = http_client is None
        self._client = http_client
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def send(self, call: Call[T]) -> T:
        """Sends a call, with retries."""
        return await self.run(sending(call, self.retry))

    async def run(self, flow: Flow[T]) -> T:
        """Runs a flow that emits nothing, and returns its result."""
        connection, outcome = _Connection(), Outcome()
        try:
            while True:
                outcome = await self._do(advance(flow, outcome), connection)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            flow.close()
            await connection.close()

    async def iterate(self, flow: Flow[Any]) -> AsyncGenerator[Any, None]:
        """Yields what a flow emits."""
        connection, outcome = _Connection(), Outcome()
        try:
            while (effect := next_effect(flow, outcome)) is not None:
                outcome = await self._do(effect, connection)
                if isinstance(effect, Emit):
                    yield effect.value
        finally:
            flow.close()
            await connection.close()

    async def finish_despite_cancellation(self, flow: Flow[Any]) -> None:
        """Runs a flow that the caller's cancellation does not stop, for some seconds."""
        task = asyncio.ensure_future(asyncio.wait_for(self.run(flow), FAREWELL_SECONDS))
        try:
            await asyncio.shield(task)
        except (asyncio.CancelledError, TimeoutError, TransportError):
            # It goes on by itself, as long as the loop runs.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def aclose(self) -> None:
        """Closes the connections. May be called again."""
        self._is_closed = True
        if self._is_ours and self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    async def _do(self, effect: Effect, connection: _Connection) -> Outcome:
        try:
            return Outcome(await self._result(effect, connection))
        except TransportError as error:
            return Outcome(error=error)

    async def _result(self, effect: Effect, connection: _Connection) -> Any:
        if isinstance(effect, Now):
            return asyncio.get_running_loop().time()
        if isinstance(effect, Sleep):
            return await asyncio.sleep(effect.seconds)
        if isinstance(effect, Send):
            return await self._send(effect)
        if isinstance(effect, Open):
            return await self._open(effect, connection)
        if isinstance(effect, Read):
            return await self._read(effect, connection)
        if isinstance(effect, Shut):
            return await connection.close()
        return None

    async def _send(self, effect: Send) -> Reply:
        client = self._ready()
        options = request_options(self.config.base_url, effect.request, self.config.app_key, effect.request.patience)
        try:
            response = await client.send(client.build_request(**options), follow_redirects=False)
        except FAILURES as error:
            raise failure(error, self.config.base_url) from error
        return Reply(response.status_code, lower(response.headers.items()), response.content)

    async def _open(self, effect: Open, connection: _Connection) -> Reply:
        client = self._ready()
        await connection.close()
        options = request_options(self.config.base_url, effect.request, self.config.app_key, effect.silence)
        try:
            response = await client.send(client.build_request(**options), stream=True, follow_redirects=False)
            connection.hold(response)
            body = b"" if response.status_code == 200 else await response.aread()
        except FAILURES as error:
            raise failure(error, self.config.base_url) from error
        return Reply(response.status_code, lower(response.headers.items()), body)

    async def _read(self, effect: Read, connection: _Connection) -> bytes | None:
        try:
            async with asyncio.timeout_at(effect.until):
                return await connection.read()
        except FAILURES as error:
            # TimeoutError is an OSError.
            if effect.until is not None and asyncio.get_running_loop().time() >= effect.until:
                return b""
            raise failure(error, self.config.base_url) from error

    def _ready(self) -> httpx2.AsyncClient:
        if self._is_closed:
            raise closed()
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            message = (
                "This client was used in another event loop, and its connections belong to that one. Make a client in "
                "each loop: `async with AsyncWaypost() as waypost:` inside of what asyncio.run() runs."
            )
            raise ConfigError("wrong_loop", message)
        if self._client is None:
            self._client = httpx2.AsyncClient(**client_options())
        return self._client


class _Connection:
    """The open connection of a flow, if there is one."""

    def __init__(self) -> None:
        self._response: httpx2.Response | None = None
        self._chunks: AsyncGenerator[bytes, None] | None = None

    def hold(self, response: httpx2.Response) -> None:
        self._response = response
        self._chunks = response.aiter_bytes()

    async def read(self) -> bytes | None:
        """The next bytes, at least one; `None` at the end."""
        if self._chunks is None:
            return None
        async for chunk in self._chunks:
            if chunk:
                return chunk
        return None

    async def close(self) -> None:
        response, chunks, self._response, self._chunks = self._response, self._chunks, None, None
        if response is not None and chunks is not None:
            await chunks.aclose()
            await response.aclose()
