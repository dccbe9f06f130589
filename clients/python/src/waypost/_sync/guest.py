# Made from `waypost/_async/guest.py` by `npm run python-client`: change that one.
"""The agent's side of a session: calls the host's tools. A repeated call with the same id runs once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from waypost._core.calling import Caller, OpenCall
from waypost._core.ids import new_id
from waypost._sync.driver import Driver
from waypost._wire import sessions
from waypost.types import SessionInfo

CALL_SECONDS = 300.0
"""Long, because a person may have to answer."""


class Guest:
    """A guest of one session. With a `key`, nothing is sent in the clear, and no answer in the clear is accepted."""

    def __init__(self, driver: Driver, code: str, token: str | None = None, key: str | None = None) -> None:
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

    def info(self) -> SessionInfo:
        """Reads the session: whether its host is there, and its tools."""
        return self._driver.send(sessions.read_session(self.code, self.token))

    def call(
        self,
        tool: str,
        args: Mapping[str, Any] | None = None,
        *,
        id: str | None = None,
        timeout: float = CALL_SECONDS,
        on_progress: Callable[[Any], None] | None = None,
    ) -> Any:
        """Calls a tool and returns its result. It runs at most once, however often the network fails on the way. A
        caller that is interrupted (Ctrl-C) takes the call back.

        Raises:
            ToolError: the tool's own error; `unknown_tool`, `invalid_arguments`, `refused`, `cancelled`.
            CallTimeout: no answer within `timeout` seconds. The call stays open: the same `id` goes on waiting.
            SessionOver, ApiError, TransportError: the server refuses, or can't be reached.
            DecryptionError: the answer does not come from the host.
        """
        call = self._caller.begin(id or new_id(), tool, args)
        return self._finish(call, timeout, on_progress)

    def submit(self, tool: str, args: Mapping[str, Any] | None = None, *, id: str | None = None) -> PendingCall:
        """Queues a call, and does not wait for its answer. Raises `ApiError`, `TransportError`."""
        call = self._caller.begin(id or new_id(), tool, args)
        self._driver.run(self._caller.submit(call, self._driver.retry))
        return PendingCall(self, call)

    def cancel(self, id: str) -> None:
        """Takes a call back. Succeeds also if it is answered, or the session is over."""
        self._driver.run(self._caller.cancel(id))

    def _finish(self, call: OpenCall, timeout: float, on_progress: Callable[[Any], None] | None) -> Any:
        try:
            return self._driver.run(self._caller.finish(call, timeout, on_progress))
        except KeyboardInterrupt:
            self._driver.finish_despite_cancellation(self._caller.cancel(call.id))
            raise


class PendingCall:
    """A call that is open at the server. `id`: the same `id`, tool and arguments are the same call, also elsewhere."""

    def __init__(self, guest: Guest, call: OpenCall) -> None:
        self._guest = guest
        self._call = call
        self.id = call.id
        self.tool = call.tool

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} of {self.tool}>"

    def result(self, timeout: float = CALL_SECONDS, *, on_progress: Callable[[Any], None] | None = None) -> Any:
        """Waits for the result. A caller that is interrupted (Ctrl-C) takes the call back. Raises what `call()` raises."""
        return self._guest._finish(self._call, timeout, on_progress)

    def cancel(self) -> None:
        """Takes it back."""
        self._guest.cancel(self.id)
