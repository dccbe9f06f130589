"""The agent's side of a session: calls the host's tools. A repeated call with the same id runs once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from waypost._async.driver import AsyncDriver
from waypost._core.calling import Caller, OpenCall
from waypost._core.ids import new_id
from waypost._wire import sessions
from waypost.types import SessionInfo

CALL_SECONDS = 300.0
"""Long, because a person may have to answer."""


class AsyncGuest:
    """A guest of one session. With a `key`, nothing is sent in the clear, and no answer in the clear is accepted."""

    def __init__(self, driver: AsyncDriver, code: str, token: str | None = None, key: str | None = None) -> None:
        self._driver = driver
        self._caller = Caller(code, token, key)
        self.code = code
        self.token = token

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.code}>"

    @property
    def encrypted(self) -> bool:
        """Whether this guest encrypts, because it has a key."""
        return self._caller.encrypts

    async def info(self) -> SessionInfo:
        """Reads the session: whether its host is there, and its tools."""
        return await self._driver.send(sessions.read_session(self.code, self.token))

    async def call(
        self,
        tool: str,
        args: Mapping[str, Any] | None = None,
        *,
        id: str | None = None,
        timeout: float = CALL_SECONDS,
        on_progress: Callable[[Any], None] | None = None,
    ) -> Any:
        """Calls a tool and returns its result. It runs at most once, however often the network fails on the way. A
        caller that is cancelled takes the call back.

        Raises:
            ToolError: the tool's own error; `unknown_tool`, `invalid_arguments`, `refused`, `cancelled`.
            CallTimeout: no answer within `timeout` seconds. The call stays open: the same `id` goes on waiting.
            SessionOver, ApiError, TransportError: the server refuses, or can't be reached.
            DecryptionError: the answer does not come from the host.
        """
        call = self._caller.begin(id or new_id(), tool, args)
        return await self._finish(call, timeout, on_progress)

    async def submit(
        self, tool: str, args: Mapping[str, Any] | None = None, *, id: str | None = None
    ) -> AsyncPendingCall:
        """Queues a call, and does not wait for its answer. Raises `ApiError`, `TransportError`."""
        call = self._caller.begin(id or new_id(), tool, args)
        await self._driver.run(self._caller.submit(call, self._driver.retry))
        return AsyncPendingCall(self, call)

    async def cancel(self, id: str) -> None:
        """Takes a call back. Succeeds also if it is answered, or the session is over."""
        await self._driver.run(self._caller.cancel(id))

    async def _finish(self, call: OpenCall, timeout: float, on_progress: Callable[[Any], None] | None) -> Any:
        try:
            return await self._driver.run(self._caller.finish(call, timeout, on_progress))
        except asyncio.CancelledError:
            await self._driver.finish_despite_cancellation(self._caller.cancel(call.id))
            raise


class AsyncPendingCall:
    """A call that is open at the server. `id`: the same `id`, tool and arguments are the same call, also elsewhere."""

    def __init__(self, guest: AsyncGuest, call: OpenCall) -> None:
        self._guest = guest
        self._call = call
        self.id = call.id
        self.tool = call.tool

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} of {self.tool}>"

    async def result(self, timeout: float = CALL_SECONDS, *, on_progress: Callable[[Any], None] | None = None) -> Any:
        """Waits for the result. A caller that is cancelled takes the call back. Raises what `call()` raises."""
        return await self._guest._finish(self._call, timeout, on_progress)

    async def cancel(self) -> None:
        """Takes it back."""
        await self._guest.cancel(self.id)
