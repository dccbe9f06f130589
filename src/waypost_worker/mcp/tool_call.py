"""One running tool call: a request in the tab's queue, and the host's responses to it.

Its only state is the queue, so any isolate resumes it from its id alone. It ends with the host's final response; or
with an error of its own, when the tab is away or the request has expired. Then the request is cancelled, so that the
tool does not run when no client waits for its result.
"""

from collections.abc import AsyncGenerator
from typing import Any, Self

import msgspec

from waypost_worker.errors import AlreadyAnswered, Unavailable
from waypost_worker.ids import is_tool_name
from waypost_worker.kv.cursor import cursor_ms
from waypost_worker.limits import MAX_RPC_ID_LENGTH, MCP_ABSENCE_CHECK_SECONDS
from waypost_worker.mcp.closed_tab import require_open
from waypost_worker.mcp.jsonrpc import TIMED_OUT, Incoming, RpcError, as_integer, as_object, invalid_params
from waypost_worker.mcp.tab import Tab
from waypost_worker.queues.message import Message
from waypost_worker.queues.response_waiter import ResponseWaiter

STREAMS_WAIT_LONGER = " Clients that accept text/event-stream by name can wait longer."
"""The advice for a client that takes JSON only: its request must be answered before proxies close it."""


class RunningCall:
    """The call `request_id`. `resumed`: an earlier invocation began it."""

    def __init__(self, tab: Tab, request_id: str, *, resumed: bool = False) -> None:
        context = tab.context
        self.request_id = request_id
        self.asked_ms = cursor_ms(request_id)
        self._tab = tab
        self._waiter = ResponseWaiter(tab.queues, context.isolate.messages, context.invocation, resumed=resumed)
        self._end_ms = self.asked_ms + context.settings.queue_ttl_seconds * 1000
        self._check_ms = self.asked_ms + context.settings.mcp_host_grace_seconds * 1000
        if resumed:
            # First one look at the responses, which say more than the presence does.
            self._check_ms = max(self._check_ms, tab.now_ms() + context.settings.plan.poll_min_ms)

    @classmethod
    async def begin(cls, tab: Tab, tool: str, args: dict[str, Any], asker: str | None) -> Self:
        """Queues a call. The tab may have it before it is in KV: `require_stored`.

        Raises:
            RpcError: the session is over (see `closed_tab.py`).
        """
        await require_open(tab)
        queues = tab.queues
        # The id is issued here and not by the queue: the waiter must exist before there can be a response.
        call = cls(tab, tab.context.isolate.cursors.issue(queues.requests))
        raw = msgspec.Raw(msgspec.json.encode(args))
        message = Message("request", "", tool=tool, args=raw, asker=msgspec.UNSET if asker is None else asker)
        call._waiter.sent = await queues.send_request(message, call.request_id, is_issued=True)
        return call

    async def require_stored(self) -> None:
        """Returns once the call is in KV. Only then its client may be given an id to come back with.

        Raises:
            Unavailable: the store has not taken it.
        """
        await self._waiter.sent.stored()

    @property
    def is_spent(self) -> bool:
        """Whether this invocation has no operations left to wait with."""
        return self._waiter.is_spent

    async def next(self, deadline_ms: int) -> Message | None:
        """The host's next message, progress or the final response; `None` at `deadline_ms`, or when `is_spent`.

        Raises:
            RpcError: the tab is away, or the request has expired.
            Unavailable: the store has not taken the call, and no response has come.
        """
        while True:
            message = await self._waiter.next(self.request_id, min(deadline_ms, self._check_ms, self._end_ms))
            now = self._tab.now_ms()
            if message is not None:
                self._check_ms = now + MCP_ABSENCE_CHECK_SECONDS * 1000
                return message
            if now >= self._end_ms:
                return await self.give_up()
            if now >= self._check_ms:
                self._check_ms = now + MCP_ABSENCE_CHECK_SECONDS * 1000
                if absence := await self._absence():
                    return await self._response_or_cancel(absence)
            if now >= deadline_ms or self.is_spent:
                return None

    async def messages(
        self, first: Message | None, heartbeat_seconds: int, *, gives_up: bool
    ) -> AsyncGenerator[Message | None, None]:
        """`first` if there is one, then the host's further messages, and `None` after each `heartbeat_seconds` without
        one. Ends after the final response, or when the budget of this invocation is spent; `gives_up`: then with the
        result of `give_up`.

        Raises:
            RpcError: as `next` and `give_up`.
        """
        if first is not None:
            yield first
            if first.final:
                return
        end_ms = self._tab.now_ms() + self._tab.context.settings.plan.mcp_stream_seconds * 1000
        while self._tab.now_ms() < end_ms and not self.is_spent:
            message = await self.next(min(self._tab.now_ms() + heartbeat_seconds * 1000, end_ms))
            yield message
            if message is not None and message.final:
                return
        if gives_up:
            yield await self.give_up()

    async def give_up(self, advice: str = "") -> Message:
        """Cancels the call because it has taken too long. Returns the final response if one has come meanwhile.
        `advice`: a sentence at the end of the error, after a space.

        Raises:
            RpcError: -31002, in every other case.
        """
        seconds = (self._tab.now_ms() - self.asked_ms) // 1000
        text = f"The tab has not answered for {seconds} s, so the call is cancelled.{advice}"
        return await self._response_or_cancel(RpcError(TIMED_OUT, text))

    async def cancel(self) -> None:
        """Cancels the call. That it has its final response already, or that the store fails, is no error."""
        try:
            await self._tab.queues.cancel(self.request_id)
        except AlreadyAnswered:
            pass
        except Unavailable as failure:
            self._tab.context.log(f"a call was not cancelled: {failure.code}")

    async def _response_or_cancel(self, reason: RpcError) -> Message:
        try:
            response = await self._late_response()
        except Unavailable as failure:
            self._tab.context.log(f"a call was not cancelled: {failure.code}")
            response = None
        if response is None:
            raise reason
        return response

    async def _late_response(self) -> Message | None:
        """The final response that has come since the last look; without one, the call is cancelled."""
        queues = self._tab.queues
        try:
            await queues.cancel(self.request_id)
        except AlreadyAnswered:
            return await queues.find_final_response(self.request_id)
        return None

    async def _absence(self) -> RpcError | None:
        try:
            return await self._tab.absence()
        except Unavailable as failure:
            # The presence is not known, so the call goes on; the next check reads it again.
            self._tab.context.log(f"a tab's presence could not be read: {failure.code}")
            return None


def parse_call(message: Incoming) -> tuple[str, dict[str, Any]]:
    """The name of the tool that `tools/call` names, and its arguments.

    Raises:
        RpcError: -32602
    """
    name, args = message.params.get("name"), as_object(message.params.get("arguments"))
    if not isinstance(name, str) or not is_tool_name(name):
        raise invalid_params("Unknown tool: name must be the name of a tool.")
    if args is None:
        raise invalid_params("arguments must be an object.")
    return name, args


def progress_token(message: Incoming) -> str | int | None:
    """The token that progress notifications carry; `None` if the client asks for none.

    Raises:
        RpcError: -32602
    """
    token = message.meta.get("progressToken")
    if token is None or (isinstance(token, str) and len(token) <= MAX_RPC_ID_LENGTH):
        return token
    if (number := as_integer(token)) is not None:
        return number
    raise invalid_params(f"progressToken must be an integer or a string of at most {MAX_RPC_ID_LENGTH} characters.")
