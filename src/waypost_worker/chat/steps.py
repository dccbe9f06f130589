"""The steps of an answer: the model's replies, and between them the calls that they ask for, in the tab or on the page.

A call is in KV, in the answer's log, before the tab may have it. So another attempt at the same question, after the
isolate has died, finds every call that may have run: it goes on with the log, sends calls without a result again under
the same ids, which the tab does not run twice, and asks the model from there.

Calls of the page's own tools are shown to it once they are in KV. When those of the tab have ended, so have the steps:
the answer waits for the page's outputs (`page_calls.py`).
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from waypost_worker.chat.call_ids import call_id, is_made_in
from waypost_worker.chat.context import ChatContext
from waypost_worker.chat.live_answer import LiveAnswer
from waypost_worker.chat.offered_tools import OfferedTools
from waypost_worker.chat.page_calls import PAGE
from waypost_worker.chat.tab_tools import TabTools, ToolReport
from waypost_worker.chat.tool_result import kept, shown
from waypost_worker.conversations.message import ChatMessage, ToolEvent, open_page_calls
from waypost_worker.errors import ModelFailed, Unavailable
from waypost_worker.kv.together import together
from waypost_worker.limits import (
    MAX_CALLS_PER_REPLY,
    MAX_CALLS_PER_STEP,
    MAX_TOOL_ARGS_BYTES,
    MAX_TOOL_LOG_BYTES,
    MAX_TOOL_NAME_LENGTH,
    MAX_TOOL_PROGRESS_BYTES,
    TOOL_RESERVED_OPERATIONS,
)
from waypost_worker.models.model import AnswerCutOff, ModelTool, Piece, Reasoning, ToolUse

Ask = Callable[[ChatMessage | None, Sequence[ModelTool]], AsyncGenerator[Piece, None]]
"""Asks the model to answer, or to go on with the answer so far, and offers it these tools."""

Error = tuple[str, str]
"""A code, and a sentence for the model."""

STOPPED = ("stopped", "The answer was ended while this call was open. It was cancelled in the tab; it may have run.")
NOT_NOTED = ("storage_unavailable", "The call could not be written down, so the tool was not called.")
NO_OPERATIONS = ("budget_spent", "This answer has used what one request may use. The tool was not called.")
OTHER_TAB = ("other_tab", "The tab that was asked is not there any more. It is not known whether the tool ran.")
LAST_STEP = ("step_limit", "The answer has reached its limit of steps. The tool was not called.")
TOO_MANY = ("too_many_calls", f"One reply may call {MAX_CALLS_PER_STEP} tools. This one was not called.")
FULL = ("too_much", "The tools of this answer have returned as much as it may keep. This one was not called.")


class Steps:
    """The steps of the answer `live` to a question. What `live` has inherited is gone on with.

    `root`: of the ids of its calls. `tools`: of the tab, if there is one; `offered`: those that the model is offered.
    """

    def __init__(
        self, context: ChatContext, live: LiveAnswer, root: str, tools: TabTools | None, offered: OfferedTools, ask: Ask
    ) -> None:
        self._context = context
        self._live = live
        self._root = root
        self._tools = tools
        self._tab = "" if tools is None else tools.tab
        self._offered = offered
        self._ask = ask
        self._keep: Callable[[], Awaitable[None]]
        self._begun = asyncio.Event()

    def begin(self, keep: Callable[[], Awaitable[None]]) -> None:
        """The question is kept, so calls may be made. `keep` returns once all that `live` has is in KV, and raises
        `Unavailable`."""
        self._keep = keep
        self._begun.set()

    async def pieces(self) -> AsyncGenerator[str | Reasoning, None]:
        """Yields the model's text and reasoning, of all steps; calls and their results go into `live`. Closing it ends
        the request to the model, or cancels the open calls in the tab.

        Raises:
            as `ask`
            AnswerCutOff: the model called tools in the last step, where it was offered none.
        """
        step = await self._finish_inherited()
        last = self._context.settings.max_steps - 1
        while True:
            uses: list[ToolUse] = []
            # Without tools it has to say something.
            tools = self._offered.tools if step < last else []
            async with aclosing(self._ask(self._so_far(), tools)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, ToolUse):
                        uses.append(piece)
                    else:
                        yield self._live.spaced(piece) if isinstance(piece, str) else piece
                    if len(uses) > MAX_CALLS_PER_REPLY:
                        raise ModelFailed("The model did not come to an end with its calls of tools.")
            if not uses:
                return
            if step >= last:
                self._log_only(step, uses)
                raise AnswerCutOff
            # A page must not run what is not in KV yet.
            self._live.hold_back()
            calls = [self._logged(step, number, use) for number, use in enumerate(uses)]
            await self._make([call for call in calls if call is not None])
            if open_page_calls(self._live.tool_events):
                return
            step += 1

    def _so_far(self) -> ChatMessage | None:
        live = self._live
        if live.is_blank:
            return None
        return ChatMessage(
            live.generation_id,
            "assistant",
            live.text,
            self._context.now_ms(),
            reasoning="".join(live.reasoning),
            partial=True,
            is_open=True,
            tool_events=list(live.tool_events),
        )

    async def _finish_inherited(self) -> int:
        """Waits for the results that the log lacks. Returns the number of the next step."""
        calls = [event for event in self._live.tool_events if event.kind == "call"]
        if not calls:
            return 0
        waiting = self._without_result(calls)
        here = [call for call in waiting if is_made_in(self._tab, call.id, call.name, call.value)]
        await self._begun.wait()
        # They are in KV: with the question, in the answer that it was written with.
        await self._run_all(here, is_repeated=True)
        for call in self._without_result(waiting):
            self._fail(call, OTHER_TAB)
        return max(call.step for call in calls) + 1

    def _log_only(self, step: int, uses: Sequence[ToolUse]) -> None:
        for number, use in enumerate(uses):
            if (call := self._logged(step, number, use)) is not None:
                self._fail(call, LAST_STEP)

    def _logged(self, step: int, number: int, use: ToolUse) -> ToolEvent | None:
        """The call as it is in the log now; `None` if it is not to be made: then its error is there too."""
        tool = self._offered.find(use.name)
        name, args, problem = tool.name if tool else use.name[:MAX_TOOL_NAME_LENGTH], use.args, None
        if args is None:
            problem = ("invalid_arguments", use.problem)
        elif (size := len(msgspec.json.encode(args))) > MAX_TOOL_ARGS_BYTES:
            args, problem = None, ("invalid_arguments", f"The arguments have {size} bytes of JSON, which are too many.")
        elif not self._room:
            args, problem = None, FULL
        elif tool is None:
            names = ", ".join(each.name for each in self._offered.tools) or "none"
            problem = ("unknown_tool", f"There is no such tool. There are: {names}.")
        elif number >= MAX_CALLS_PER_STEP:
            problem = TOO_MANY
        # A call that is not made is none of the page's: it has nothing to run.
        of_page = tool is not None and tool.of_page and problem is None
        id = call_id(self._root, step, number, PAGE if of_page else self._tab, name, args)
        call = ToolEvent("call", id, name, args, step=step, of_page=of_page)
        self._live.add_tool_event(call)
        if problem is not None:
            self._fail(call, problem)
            return None
        return call

    async def _make(self, calls: Sequence[ToolEvent]) -> None:
        """Makes the calls, at the same time, and returns once each of those in the tab has a result."""
        if not calls:
            self._live.show()
            return
        if not any(call.of_page for call in calls):
            self._live.show()
        await self._begun.wait()
        if (refusal := await self._refusal()) is not None:
            for call in calls:
                self._fail(call, refusal)
        self._live.show()
        if refusal is None and (of_tab := [call for call in calls if not call.of_page]):
            await self._run_all(of_tab, is_repeated=False)

    async def _refusal(self) -> Error | None:
        """Why no call can be made now; `None` if the calls are in KV, and may be made."""
        if self._context.invocation.meter.remaining <= TOOL_RESERVED_OPERATIONS:
            return NO_OPERATIONS
        try:
            await self._keep()
        except Unavailable:
            return NOT_NOTED
        return None

    async def _run_all(self, calls: Sequence[ToolEvent], *, is_repeated: bool) -> None:
        if (tools := self._tools) is None:
            return
        try:
            await together(*(self._run(tools, call, is_repeated=is_repeated) for call in calls))
        finally:
            # Where it was taken over, they are the calls of another answer.
            for call in [] if self._live.is_taken_over else self._without_result(calls):
                self._fail(call, STOPPED)
                self._context.background(tools.cancel(call.id))

    async def _run(self, tools: TabTools, call: ToolEvent, *, is_repeated: bool) -> None:
        # Those that an earlier attempt has heard come again.
        heard = sum(event.kind == "progress" and event.id == call.id for event in self._live.tool_events)
        reports = tools.call(call.id, call.name, call.value, is_repeated=is_repeated)
        async with aclosing(reports):
            number = 0
            async for report in reports:
                number += 1
                if report.is_final:
                    self._end(call, report)
                elif number > heard:
                    value, _ = shown(report.result, MAX_TOOL_PROGRESS_BYTES)
                    self._live.add_tool_event(ToolEvent("progress", call.id, value=value, step=call.step))

    def _without_result(self, calls: Sequence[ToolEvent]) -> list[ToolEvent]:
        ended = {event.id for event in self._live.tool_events if event.kind == "result"}
        return [call for call in calls if call.id not in ended]

    def _end(self, call: ToolEvent, report: ToolReport) -> None:
        if report.error is not None:
            self._fail(call, report.error)
            return
        value, is_error = kept(report.result, self._room)
        self._add_result(call, value, is_error=is_error)

    def _fail(self, call: ToolEvent, error: Error) -> None:
        code, message = error
        self._add_result(call, {"code": code, "message": message}, is_error=True)

    def _add_result(self, call: ToolEvent, value: Any, *, is_error: bool) -> None:
        result = ToolEvent("result", call.id, value=value, is_error=is_error, step=call.step, of_page=call.of_page)
        self._live.add_tool_event(result)

    @property
    def _room(self) -> int:
        """Bytes that the log may still take."""
        return max(MAX_TOOL_LOG_BYTES - self._live.log_bytes, 0)
