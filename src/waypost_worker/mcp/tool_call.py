"""One running tool call of an MCP client: a call in the tab's queue (`queues/call.py`), whose errors are JSON-RPC's."""

from collections.abc import AsyncGenerator
from typing import Any, Self

import msgspec

from waypost_worker.http.trace_context import TraceContext, parse_trace_context
from waypost_worker.ids import is_tool_name
from waypost_worker.kv.cursor import cursor_ms
from waypost_worker.limits import MAX_RPC_ID_LENGTH
from waypost_worker.mcp.closed_tab import require_open
from waypost_worker.mcp.jsonrpc import TIMED_OUT, Incoming, RpcError, as_integer, as_object, invalid_params
from waypost_worker.mcp.tab import Tab
from waypost_worker.queues.call import Call
from waypost_worker.queues.message import Message, traced

STREAMS_WAIT_LONGER = " Clients that accept text/event-stream by name can wait longer."
"""The advice for a client that takes JSON only: its request must be answered before proxies close it."""


class RunningCall(Call):
    """The call `request_id`. `resumed`: an earlier invocation began it.

    Its errors are `RpcError`s: the tab is away, or the request has expired.
    """

    def __init__(self, tab: Tab, request_id: str, *, resumed: bool = False) -> None:
        context = tab.context
        self._tab = tab
        self._is_resumed = resumed
        super().__init__(
            tab.queues,
            context.isolate.messages,
            context.invocation,
            request_id,
            cursor_ms(request_id),
            ttl_seconds=context.settings.queue_ttl_seconds,
            grace_seconds=context.settings.mcp_host_grace_seconds,
            absence=tab.absence,
            too_late=self._timed_out,
            log=context.log,
            resumed=resumed,
        )

    @classmethod
    async def begin(
        cls, tab: Tab, tool: str, args: dict[str, Any], asker: str | None, trace: TraceContext | None
    ) -> Self:
        """Queues a call as a part of `trace`. The tab may have it before it is in KV: `require_stored`.

        Raises:
            RpcError: the session is over (see `closed_tab.py`).
        """
        await require_open(tab)
        queues = tab.queues
        # The id is issued here and not by the queue: the waiter must exist before there can be a response.
        call = cls(tab, tab.context.isolate.cursors.issue(queues.requests))
        raw = msgspec.Raw(msgspec.json.encode(args))
        message = Message("request", "", tool=tool, args=raw, asker=msgspec.UNSET if asker is None else asker)
        call.sent(await queues.send_request(traced(message, trace), call.request_id, is_issued=True))
        return call

    async def next(self, deadline_ms: int) -> Message | None:
        """As that of any call. What it returns is recorded as delivered, unless the call is resumed."""
        message = await super().next(deadline_ms)
        if message is not None and not self._is_resumed:
            self._tab.context.delivered(message.accepted_ms)
        return message

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
        return await self.response_or_cancel(self._timed_out(advice))

    def _timed_out(self, advice: str = "") -> RpcError:
        seconds = (self._tab.now_ms() - self.asked_ms) // 1000
        return RpcError(TIMED_OUT, f"The tab has not answered for {seconds} s, so the call is cancelled.{advice}")


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


def trace_of(tab: Tab, message: Incoming) -> TraceContext | None:
    """The trace that a call belongs to. Its `_meta` names the client's own operation, so it wins over the header, which
    an HTTP library may have added: https://modelcontextprotocol.io/seps/414-request-meta"""
    meta = message.meta
    context = tab.context
    if (trace := parse_trace_context(meta.get("traceparent"), meta.get("tracestate"))) is None:
        return context.trace
    context.record.trace_id = trace.trace_id
    return trace


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
