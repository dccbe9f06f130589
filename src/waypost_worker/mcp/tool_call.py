"""One call of a tool: a request in the tab's queue, and what is heard about it.

Nothing but the queue remembers it, so another isolate, or the same one after a restart, goes on with it from its id
alone. It ends with the host's answer; or, in an error of its own, because nobody is there, or because the time is up
that a request is kept. Then it is taken back, so that the tool does not run when nobody waits any more.
"""

from collections.abc import AsyncGenerator
from typing import Any, Self

import msgspec

from waypost_worker.errors import AlreadyAnswered, Unavailable
from waypost_worker.ids import is_tool_name
from waypost_worker.kv.cursor import cursor_ms
from waypost_worker.limits import MAX_RPC_ID_LENGTH, MCP_ABSENCE_CHECK_SECONDS
from waypost_worker.mcp.jsonrpc import TIMED_OUT, Incoming, RpcError, invalid_params
from waypost_worker.mcp.tab import Tab
from waypost_worker.queues.answer_waiter import AnswerWaiter
from waypost_worker.queues.message import Message


class RunningCall:
    """The call `request_id`. `resumed`: it was begun by an earlier request."""

    def __init__(self, tab: Tab, request_id: str, *, resumed: bool = False) -> None:
        call = tab.context
        self.request_id = request_id
        self.asked_ms = cursor_ms(request_id)
        self._tab = tab
        self._waiter = AnswerWaiter(tab.queues, call.isolate.messages, call.invocation, resumed=resumed)
        self._end_ms = self.asked_ms + call.settings.queue_ttl_seconds * 1000
        self._check_ms = self.asked_ms + call.settings.mcp_host_grace_seconds * 1000
        if resumed:
            # One look at the answers first, which says more than any presence.
            self._check_ms = max(self._check_ms, tab.now_ms() + call.settings.plan.poll_min_ms)

    @classmethod
    async def begin(cls, tab: Tab, tool: str, args: dict[str, Any], asker: str | None) -> Self:
        """Queue a call; what this returns is in KV."""
        queues = tab.queues
        # The id is issued here and not by the queue, so that answers are listened for before there can be any.
        begun = cls(tab, tab.context.isolate.cursors.issue(queues.requests))
        message = Message("request", "", tool=tool, args=args, asker=msgspec.UNSET if asker is None else asker)
        await queues.push_request(message, begun.request_id)
        return begun

    @property
    def is_spent(self) -> bool:
        """Whether this invocation can't go on waiting."""
        return self._waiter.is_spent

    async def next(self, deadline_ms: int) -> Message | None:
        """What is said next, or `None` if it is `deadline_ms`, or `is_spent`.

        Raises:
            RpcError: nobody is there, or the call's time is up.
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
                    return await self._taken_back(absence)
            if now >= deadline_ms or self.is_spent:
                return None

    async def steps(self, heartbeat_seconds: int) -> AsyncGenerator[Message | None, None]:
        """What is said, and `None` for each stretch of silence; ends after the final answer, or when the budget of
        this invocation is spent.

        Raises:
            RpcError: as `next`.
        """
        call = self._tab.context
        end_ms = self._tab.now_ms() + call.settings.plan.stream_seconds * 1000
        while self._tab.now_ms() < end_ms and not self.is_spent:
            message = await self.next(min(self._tab.now_ms() + heartbeat_seconds * 1000, end_ms))
            yield message
            if message is not None and message.final:
                return

    async def give_up(self) -> Message:
        """Take the call back because it took too long; the answer, if there is one all the same.

        Raises:
            RpcError: that it took too long.
        """
        seconds = (self._tab.now_ms() - self.asked_ms) // 1000
        return await self._taken_back(RpcError(TIMED_OUT, f"The tab has not answered for {seconds} s."))

    async def take_back(self) -> None:
        """Tell the host that nobody waits for it any more; that it was too late, or could not be told, is no error."""
        try:
            await self._tab.queues.cancel(self.request_id)
        except AlreadyAnswered:
            pass
        except Unavailable as failure:
            self._tab.context.log(f"a call was not taken back: {failure.code}")

    async def _taken_back(self, reason: RpcError) -> Message:
        try:
            answer = await self._answer_or_take_back()
        except Unavailable as failure:
            self._tab.context.log(f"a call was not taken back: {failure.code}")
            answer = None
        if answer is None:
            raise reason
        return answer

    async def _answer_or_take_back(self) -> Message | None:
        queues = self._tab.queues
        try:
            await queues.cancel(self.request_id)
        except AlreadyAnswered:
            # It has come since the last look.
            return await queues.find_answer(self.request_id)
        return None

    async def _absence(self) -> RpcError | None:
        try:
            return await self._tab.absence()
        except Unavailable as failure:
            # Whether somebody is there is not known, so the call goes on; it is looked again.
            self._tab.context.log(f"a tab's presence could not be read: {failure.code}")
            return None


async def cancel_asked(tab: Tab, rpc_id: Any) -> None:
    """Take back what the client's session has asked under this id, if it is still open."""
    queues, asker = tab.queues, tab.id_signer.asker(tab.session_id, rpc_id)
    # In order of time: an id that was used twice means the last one.
    pages = queues.pages(queues.requests)
    found = [message.id async for page in pages for message in page if message.asker == asker]
    if found:
        await RunningCall(tab, found[-1]).take_back()


def parse_call(message: Incoming) -> tuple[str, dict[str, Any]]:
    """The tool that is called, and its arguments.

    Raises:
        RpcError
    """
    name, args = message.params.get("name"), message.params.get("arguments", {})
    if not isinstance(name, str) or not is_tool_name(name):
        raise invalid_params("Unknown tool: name is not the name of one.")
    if not isinstance(args, dict):
        raise invalid_params("arguments is an object.")
    return name, args


def progress_token(message: Incoming) -> str | int | None:
    """The token under which progress is wanted, if it is.

    Raises:
        RpcError
    """
    token = message.meta.get("progressToken")
    if token is None or (isinstance(token, int) and not isinstance(token, bool)):
        return token
    if isinstance(token, str) and len(token) <= MAX_RPC_ID_LENGTH:
        return token
    raise invalid_params(f"progressToken is a whole number or a text of at most {MAX_RPC_ID_LENGTH} characters.")
