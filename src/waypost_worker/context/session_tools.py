"""The tools of a session's tab, as a chat's model uses them: its calls are requests in the session's queue.

A call waits as an MCP client's does (`queues/call.py`). It spends the same budget as a guest's request.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec

from waypost_worker.chat.tab_tools import ToolReport
from waypost_worker.clock import to_iso
from waypost_worker.context.page_link import page_link
from waypost_worker.context.request_context import RequestContext
from waypost_worker.errors import RateLimited, Unavailable
from waypost_worker.kv.keys import tools_key
from waypost_worker.limits import TOOL_RESERVED_OPERATIONS
from waypost_worker.models.model import ModelTool
from waypost_worker.queues.call import Call
from waypost_worker.queues.message import Message, traced
from waypost_worker.security.rate_limits import Limit
from waypost_worker.sessions.session import Session
from waypost_worker.sessions.tool_definitions import RULES, check_each

LOOK_MS = 2000
"""Interval at which a waiting call looks whether its time, or the operations of its invocation, are over."""

NO_TIME = ("timed_out", "This answer has no time left for calls. The tool was not called.")

_decode_tools = msgspec.json.Decoder(list[dict[str, Any]]).decode


class NoResult(Exception):
    """The call ends without a response. `code` and `sentence` are for the model."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class SessionTools:
    """The tools of `session`, for the chat of one request. `end_ms`: until when calls may go on; without it, each has
    `tool_seconds`."""

    def __init__(self, context: RequestContext, session: Session, end_ms: int | None = None) -> None:
        self._context = context
        self._session = session
        self._end_ms = end_ms
        self._queues = context.queues(session)

    def about(self, *, has_tools: bool) -> str:
        return "Your tools belong to the web page that the user has open." if has_tools else ""

    @property
    def tab(self) -> str:
        return self._session.code

    async def tools(self) -> list[ModelTool]:
        session, store = self._session, self._context.sessions()
        if session.tools_version is None:
            text = await store.tools(session)
        else:
            text = (await self._context.kv.get(tools_key(session.code)) or "[]").encode()
        tools = _decode_tools(text)
        if session.tools_rules != RULES:
            # Of another version. What is left out is named in MCP's list.
            tools = [tool for _, tool in check_each(tools)[0]]
        return [_model_tool(tool) for tool in tools]

    async def call(
        self, call_id: str, name: str, args: dict[str, Any], *, is_repeated: bool
    ) -> AsyncGenerator[ToolReport, None]:
        call = self._new_call(call_id, is_repeated=is_repeated)
        if not self._seconds:
            yield ToolReport(error=NO_TIME)
            return
        try:
            await self._context.limits.spend(Limit.REQUEST, f"guest:{self._session.code}")
            await self._send(call, name, args, is_repeated=is_repeated)
            async with aclosing(self._messages(call)) as messages:
                async for message in messages:
                    yield _report(message)
        except NoResult as end:
            yield ToolReport(error=(end.code, end.sentence))
        except (RateLimited, Unavailable) as failure:
            yield ToolReport(error=(failure.code, failure.detail))

    async def cancel(self, call_id: str) -> None:
        await self._new_call(call_id, is_repeated=True).cancel()

    @property
    def _seconds(self) -> float:
        """How long a call may take that is made now."""
        seconds = self._context.settings.tool_seconds
        if self._end_ms is None:
            return seconds
        return min(seconds, max(self._end_ms - self._context.clock.now_ms(), 0) / 1000)

    def _new_call(self, call_id: str, *, is_repeated: bool) -> Call:
        context, seconds = self._context, self._seconds
        return Call(
            self._queues,
            context.isolate.messages,
            context.invocation,
            call_id,
            context.clock.now_ms(),
            ttl_seconds=seconds,
            # Before its time is over: that the tab is away says more.
            grace_seconds=min(context.settings.mcp_host_grace_seconds, seconds / 2),
            absence=self._absence,
            too_late=lambda: NoResult(
                "timed_out",
                f"The tab has not answered for {seconds:.0f} s, so the call was cancelled. It may have run.",
            ),
            log=context.log,
            resumed=is_repeated,
        )

    async def _send(self, call: Call, name: str, args: dict[str, Any], *, is_repeated: bool) -> None:
        if is_repeated and any(message.final for message in await self._queues.responses_to(call.request_id)):
            return
        message = Message("request", "", tool=name, args=msgspec.Raw(msgspec.json.encode(args)))
        call.sent(await self._queues.send_request(traced(message, self._context.trace), call.request_id))

    async def _messages(self, call: Call) -> AsyncGenerator[Message, None]:
        context = self._context
        while True:
            message = await call.next(context.clock.now_ms() + LOOK_MS)
            if message is None and context.invocation.meter.remaining <= TOOL_RESERVED_OPERATIONS:
                sentence = "This answer has used what one request may use, so the call was cancelled. It may have run."
                message = await call.response_or_cancel(NoResult("budget_spent", sentence))
            if message is None:
                continue
            context.delivered(message.accepted_ms)
            try:
                yield message
            finally:
                # What it took of the isolate's room for large values: the log has its beginning only.
                context.loads.release()
            if message.final:
                return

    async def _absence(self) -> NoResult | None:
        online, seen_ms = await self._context.presence().last_seen(self._session.code)
        return None if online else self._away(seen_ms)

    def _away(self, seen_ms: int | None) -> NoResult:
        state = "has not been there yet" if seen_ms is None else f"is away since {to_iso(seen_ms)}"
        return NoResult("tab_away", f"The tab {state}, so the call was cancelled. {self._advice()}")

    def _advice(self) -> str:
        link = page_link(self._context, self._session)
        return f"Ask the user to open {link} and connect it again." if link else "Ask the user to open it again."


def _model_tool(tool: dict[str, Any]) -> ModelTool:
    return ModelTool(tool["name"], tool.get("description") or tool.get("title") or "", tool["inputSchema"])


def _report(message: Message) -> ToolReport:
    if message.error is not msgspec.UNSET:
        return ToolReport(error=(message.error.code, message.error.message))
    result = msgspec.Raw(b"null") if message.result is msgspec.UNSET else message.result
    return ToolReport(result, is_final=bool(message.final))
