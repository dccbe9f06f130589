"""Chats: a question to a thread, and its answer, whose generation does not depend on the request that asked.

The question and an open, empty answer are written together before the model is asked. So the question survives whatever
happens next, and a second question to a thread whose answer is running is noticed. Within an isolate it always is.
Between isolates it is once the write is visible there; two questions that do not see each other are both answered, and
both are kept.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any

import msgspec

from waypost_worker.chat.answer_stream import AnswerStream
from waypost_worker.chat.context import ChatContext
from waypost_worker.chat.generation import Generation
from waypost_worker.chat.live_answer import LiveAnswer, Outcome
from waypost_worker.chat.prompt import build_prompt
from waypost_worker.chat.resume import follow_remote, info_of, inspect_open, join_live, replay_ended, stop_live
from waypost_worker.chat.turn import Turn, answer_to
from waypost_worker.chat.unfinished import as_partial
from waypost_worker.conversations.conversation import Conversation
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.conversations.thread import Thread, validate_thread
from waypost_worker.errors import AnswerRunning, Unavailable
from waypost_worker.kv.keys import thread_key
from waypost_worker.limits import REORDER_WINDOW_SECONDS
from waypost_worker.models.settings import Agent

Undo = Callable[[], Awaitable[None]]


class Question(msgspec.Struct, frozen=True):
    """A question. With a `message_id` it is idempotent: asked again, it gets the answer that it has or is getting.

    `regenerate`: the conversation from that message on is dropped, and the question is answered again.
    `interrupt`: a running answer is stopped first, instead of refusing the question.
    """

    content: Any
    message_id: str | None = None
    agent: str | None = None
    metadata: dict[str, Any] | None = None
    is_ui: bool = False
    regenerate: bool = False
    interrupt: bool = False

    @property
    def may_interrupt(self) -> bool:
        """Whether it stops a running answer. `regenerate` does too, since it discards that answer."""
        return self.interrupt or self.regenerate


class Chat:
    """Asks questions in the thread `thread_id` of `resource_id`. A thread that does not exist begins with the first
    one."""

    def __init__(self, context: ChatContext, resource_id: str, thread_id: str) -> None:
        self._context = context
        self._name = (resource_id, thread_id)

    async def ask(self, question: Question) -> AnswerStream:
        """Returns the stream of the answer to `question`, once the model has produced its first text.

        Raises:
            UnknownAgent: agents are configured, and none has the name that the question gives.
            InvalidBody: the thread's record would be too large (see `validate_thread`).
            AnswerRunning: the answer to another question of this thread is running, and `question` may not interrupt.
            RateLimited: the prompt costs more than is left of the asker's budget.
            ModelFailed, ModelTimedOut: the model failed before its first text; neither question nor answer is kept.
            StorageUnavailable, BudgetSpent: the thread or its conversation can't be read or written.
        """
        self._context.check_agent(question.agent)
        while True:
            running = self._context.running(*self._name)
            if running is not None and question.message_id == running.message_id and not question.regenerate:
                stream = await join_live(self._context, running)
            else:
                stream = await self._ask(question, running)
            if stream is not None:
                return stream

    async def _ask(self, question: Question, running: LiveAnswer | None) -> AnswerStream | None:
        context = self._context
        if running is not None and not question.may_interrupt:
            raise _answer_running(running.generation_id)
        generation_id = context.cursors.issue(thread_key(*self._name))
        live = LiveAnswer(generation_id, question.message_id or f"{generation_id}-q", context.now_ms())
        # Before the first await, so that the next question in this isolate finds it.
        context.answers.add(*self._name, live)
        try:
            if running is not None:
                await stop_live(context, running)
            stream = await self._start(question, live)
        finally:
            if live.info is None:
                # Generation never started: requests that have joined this answer ask again.
                live.outcome = Outcome("error")
                context.answers.remove(*self._name, live)
        return stream or await join_live(context, live)

    async def _start(self, question: Question, live: LiveAnswer) -> AnswerStream | None:
        """Writes the question down and starts generating its answer into `live`. If the conversation has that answer,
        whole or running in another isolate, returns its stream instead."""
        context = self._context
        known = await context.threads.find(*self._name)
        thread = known or context.threads.begin(*self._name)
        thread = context.threads.touch(thread, question.agent, question.metadata)
        validate_thread(thread)
        conversation = context.conversation(thread.session_id)
        items = await conversation.read()
        answer = None if question.regenerate else answer_to(items, question.message_id)
        if answer is not None:
            return replay_ended(info_of(thread, answer, items), answer, len(items))
        abandoned: list[ChatMessage] = []
        for index, item in enumerate(items):
            if item.is_open:
                unfinished = await inspect_open(context, item)
                if unfinished.is_alive and not question.may_interrupt:
                    info = info_of(thread, item, items)
                    if info.message_id == question.message_id:
                        return follow_remote(context, info, conversation)
                    raise _answer_running(item.id)
                if unfinished.is_alive:
                    await context.chunks(item.id).request_stop()
                else:
                    abandoned.append(as_partial(unfinished.item))
                items[index] = as_partial(unfinished.item)
        message = ChatMessage(live.message_id, "user", question.content, context.now_ms())
        limit = conversation.window.messages
        turn = Turn(items, message, live.generation_id, is_ui=question.is_ui, limit=limit)
        agent = self._agent(thread.agent)
        prompt = build_prompt(turn.asked, agent.instructions, context.settings.model)
        await context.charge(prompt.characters)

        async def undo() -> None:
            restored, drops = turn.rollback()
            await conversation.append(restored, drops=drops)
            if known is None:
                await context.threads.delete(thread)

        await self._write(conversation, thread, turn, abandoned, undo)
        live.info = info_of(thread, turn.answer, turn.added)
        deltas = context.model.stream(prompt.messages, agent.model)
        self._generate(conversation, deltas, turn, live, undo)
        return None

    async def _write(
        self, conversation: Conversation, thread: Thread, turn: Turn, abandoned: Sequence[ChatMessage], undo: Undo
    ) -> None:
        # An abandoned answer without text is no message. It is dropped only once no location can still see it running:
        # from far away a running answer may look abandoned, and what is dropped never comes back.
        settled_ms = self._context.now_ms() - REORDER_WINDOW_SECONDS * 1000
        empty = [item.id for item in abandoned if not item.content and item.timestamp_ms < settled_ms]
        drops = turn.drops + empty
        closed = [item for item in abandoned if item.content and item.id not in drops]
        appending = conversation.append([*closed, *turn.added], drops=drops, cursor=turn.answer.id)
        # Concurrently: the answer waits for both.
        outcomes = await asyncio.gather(appending, self._context.threads.save(thread), return_exceptions=True)
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if failures:
            try:
                await undo()
            except Unavailable as failure:
                self._context.log(f"a question that was refused was not taken back: {failure.code}")
            raise failures[0]

    def _generate(
        self, conversation: Conversation, deltas: AsyncGenerator[str, None], turn: Turn, live: LiveAnswer, undo: Undo
    ) -> None:
        context = self._context
        generation = Generation(context, conversation, turn, live)

        async def run() -> None:
            try:
                await generation.run(deltas, undo)
            finally:
                context.answers.remove(*self._name, live)

        context.background(run())
        context.background(conversation.compact_if_due())

    def _agent(self, name: str | None) -> Agent:
        model = self._context.settings.model
        agent = model.agents.get(name or "", Agent())
        return Agent(agent.instructions or model.instructions or None, agent.model)


def _answer_running(generation_id: str) -> AnswerRunning:
    return AnswerRunning(
        "Another message of this thread is being answered: wait for it, stop it, or send this one with interrupt.",
        generation_id,
    )
