"""A voice agent's turn: one question, and one answer, which is spoken once it is complete.

With the tools of a tab it has a time limit, since a client that hears nothing for long hangs up. Calls have two thirds
of it. Then those that are open are cancelled in the tab, and the model has the rest to say what came of them. When all
of it is over, the answer is spoken as far as it goes.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial
from typing import NamedTuple

from waypost_worker.chat.asking import ask_model
from waypost_worker.chat.call_ids import own_root
from waypost_worker.chat.context import ChatContext
from waypost_worker.chat.live_answer import LiveAnswer
from waypost_worker.chat.offered_tools import OfferedTools
from waypost_worker.chat.prompt import Prompt, build_prompt
from waypost_worker.chat.replies import Replies
from waypost_worker.chat.steps import Steps
from waypost_worker.chat.tab_tools import TabTools
from waypost_worker.clock import seconds_until
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.conversations.window import last_messages
from waypost_worker.errors import ModelError, ModelFailed, RateLimited, WaypostError
from waypost_worker.kv.together import together
from waypost_worker.limits import MAX_ANSWER_CHARACTERS
from waypost_worker.models.model import AnswerCutOff, ModelTool, Piece, ToolUse, raising_model_errors

TIME_IS_UP = "I could not finish that in time."
"""What is said where the time is over, and the model has said nothing since its last call."""

CUT_OFF = "I could not finish that."
"""The same where the model was cut off."""


class TimeLimit(NamedTuple):
    """Until when calls of tools may go on, and until when the answer may."""

    calls_end_ms: int
    end_ms: int


def time_limit(start_ms: int, seconds: int) -> TimeLimit:
    """The limit of an answer that may take `seconds` from `start_ms` on."""
    return TimeLimit(start_ms + seconds * 1000 * 2 // 3, start_ms + seconds * 1000)


class Spoken(NamedTuple):
    """An answer, and how many messages the conversation has with it. `is_partial`: its time was over before the model
    had finished."""

    text: str
    message_count: int
    is_partial: bool = False


class _TimeIsUp(AnswerCutOff):
    """The answer's time is over."""


class VoiceAgent:
    """Answers questions in the conversation `session_id`. `tools`: those that the model may use, within `limit`."""

    def __init__(
        self, context: ChatContext, session_id: str, tools: TabTools | None = None, limit: TimeLimit | None = None
    ) -> None:
        self._context = context
        self._conversation = context.conversation(session_id)
        self._tools = tools
        self._limit = limit

    async def answer(self, question: str) -> Spoken:
        """Returns the answer.

        Question and answer are kept together, in one write, before this returns; also if the client disconnects before
        that. If this raises, neither is kept, unless tools were called.

        Raises:
            RateLimited: a prompt costs more than is left of the asker's budget.
            ModelFailed, ModelTimedOut, PromptTooLong: the model failed, also after a part of its answer.
            StorageUnavailable, BudgetSpent: the conversation or the tools can't be read, or the answer not written.
        """
        items, of_tab = await together(self._conversation.read(), self._tools_of_tab())
        ended = asyncio.Event()
        turns: list[Spoken] = []
        failures: list[WaypostError] = []

        async def work() -> None:
            try:
                turns.append(await self._turn(items, question, of_tab))
            except WaypostError as failure:
                failures.append(failure)
            finally:
                ended.set()
            await self._conversation.compact_if_due()

        self._context.background(work())
        await ended.wait()
        if failures:
            raise failures[0]
        if not turns:
            # The platform ended the background task.
            raise ModelFailed("The model broke off.")
        return turns[0]

    async def _tools_of_tab(self) -> list[ModelTool]:
        return [] if self._tools is None else await self._tools.tools()

    async def _turn(self, items: Sequence[ChatMessage], text: str, of_tab: Sequence[ModelTool]) -> Spoken:
        context, model = self._context, self._context.settings.model
        cursor = self._conversation.new_cursor()
        question = ChatMessage(f"{cursor}-q", "user", text, context.now_ms())
        offered = OfferedTools(of_tab, model.prompt_budget // 2)
        instructions = offered.instructions(model.instructions, self._tools)

        def build(so_far: ChatMessage | None, budget: int | None) -> Prompt:
            asked = [*items, question, *([so_far] if so_far else [])]
            return build_prompt(asked, instructions, model, budget, takes_reasoning=context.model.takes_reasoning())

        prompt = build(None, None)
        await context.charge(prompt.characters + offered.characters)
        live = LiveAnswer(cursor, question.id, context.now_ms())
        if self._tools is None or self._limit is None:
            pieces = ask_model(context.model, partial(build, None), prompt, self._conversation.shown)
        else:
            replies = Replies(context, build, self._conversation.shown, None, offered.characters)
            pieces = self._in_steps(live, replies, offered, self._tools, self._limit)
        try:
            is_partial = not await self._generate(pieces, live)
        except (ModelError, RateLimited):
            if live.tool_events:
                # What tools have done must not be forgotten.
                await self._keep(question, live, is_partial=True)
            raise
        answer = await self._keep(question, live, is_partial=is_partial)
        limit = self._conversation.window.messages
        return Spoken(live.text, len(last_messages([*items, question, answer], limit)), is_partial)

    async def _in_steps(
        self, live: LiveAnswer, replies: Replies, offered: OfferedTools, tools: TabTools, limit: TimeLimit
    ) -> AsyncGenerator[Piece, None]:
        """The pieces of an answer that calls tools.

        Raises:
            _TimeIsUp, and as `Steps.pieces`
        """

        def ask(so_far: ChatMessage | None, offers: Sequence[ModelTool]) -> AsyncGenerator[Piece, None]:
            return replies.ask(so_far, offers if self._context.now_ms() < limit.calls_end_ms else [])

        async def keep() -> None:
            # No one can ask for an answer that has broken off, so nothing would read the log of its calls.
            pass

        steps = Steps(self._context, live, own_root(live.generation_id), tools, offered, ask)
        steps.begin(keep)
        clock = self._context.invocation.clock
        is_over = asyncio.ensure_future(clock.sleep(seconds_until(limit.end_ms, clock.now_ms())))
        try:
            async with aclosing(steps.pieces()) as pieces:
                while True:
                    coming = asyncio.ensure_future(anext(pieces, None))
                    try:
                        await asyncio.wait({coming, is_over}, return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        if is_late := not coming.done():
                            coming.cancel()
                            await asyncio.wait({coming})
                    if is_late:
                        raise _TimeIsUp
                    if (piece := coming.result()) is None:
                        return
                    yield piece
        finally:
            is_over.cancel()

    async def _keep(self, question: ChatMessage, live: LiveAnswer, *, is_partial: bool) -> ChatMessage:
        reasoning = "".join(live.reasoning)
        answer = ChatMessage(
            live.generation_id,
            "assistant",
            live.text,
            self._context.now_ms(),
            reasoning=reasoning,
            partial=is_partial,
            tool_events=live.tool_events,
        )
        # Under a new cursor: its id is as old as the model took, and an append must not be late.
        await self._conversation.append([question, answer])
        return answer

    async def _generate(self, stream: AsyncGenerator[Piece, None], live: LiveAnswer) -> bool:
        """Adds the text of the answer to `live`, and the reasoning, which is kept but not spoken. Returns whether it
        was in time."""
        try:
            with raising_model_errors(self._context.log):
                async with aclosing(stream) as pieces:
                    async for piece in pieces:
                        if isinstance(piece, ToolUse):
                            continue  # The model was offered no tools.
                        live.add(piece)
                        if live.length > MAX_ANSWER_CHARACTERS:
                            raise ModelFailed("The model did not come to an end.")
        except AnswerCutOff as reason:
            # It may be spoken as it is.
            is_late = isinstance(reason, _TimeIsUp)
            if live.has_said_nothing and (is_late or live.tool_events):
                live.add(live.spaced(TIME_IS_UP if is_late else CUT_OFF))
            return not is_late
        return True
