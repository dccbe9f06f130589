"""Chats: a question to a thread, and the answer to it, which goes on whoever listens.

A question and the place of its answer are written together before the model is asked, so that neither is lost and a
second question at the same time is noticed. In one isolate it always is. Between two it is as soon as the store shows
there what was written here; two questions that do not see each other are both answered and both kept.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from waypost_worker.chat.answer_stream import replay
from waypost_worker.chat.context import AnswerStream, ChatContext, as_stream, info_of
from waypost_worker.chat.generation import Generation
from waypost_worker.chat.live_answer import AnswerInfo, LiveAnswer, Outcome
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
    """What is asked. With a `message_id`, asking again is asking once; `anew`: what the conversation has from that
    message on is dropped and said anew. `interrupt`: an answer that is being given is stopped first."""

    content: Any
    message_id: str | None = None
    agent: str | None = None
    metadata: dict[str, Any] | None = None
    is_ui: bool = False
    regenerate: bool = False
    interrupt: bool = False

    @property
    def may_interrupt(self) -> bool:
        """Whether an answer that is being given is stopped for it; what is said anew makes the old one void."""
        return self.interrupt or self.regenerate


class Chat:
    """Puts questions to the thread `thread_id` of `resource_id`, which begins with the first one."""

    def __init__(self, chats: ChatContext, resource_id: str, thread_id: str) -> None:
        self._chats = chats
        self._resource_id = resource_id
        self._thread_id = thread_id

    async def ask(self, question: Question) -> AnswerStream:
        """Follow the answer to `question`; returns once the model has said its first word.

        Raises:
            UnknownAgent, InvalidBody
            AnswerRunning: another question is being answered.
            ModelFailed, ModelTimedOut: nothing was said, and nothing of the exchange is kept.
            StorageUnavailable
        """
        self._chats.check_agent(question.agent)
        while True:
            running = self._chats.running(self._resource_id, self._thread_id)
            if running is not None and question.message_id == running.message_id and not question.regenerate:
                answering = await self._chats.join(running)
            else:
                answering = await self._ask(question, running)
            if answering is not None:
                return answering

    async def _ask(self, question: Question, running: LiveAnswer | None) -> AnswerStream | None:
        chats, place = self._chats, (self._resource_id, self._thread_id)
        if running is not None and not question.may_interrupt:
            raise _in_the_way(running.generation_id)
        generation_id = chats.cursors.issue(thread_key(*place))
        live = LiveAnswer(generation_id, question.message_id or f"{generation_id}-q", chats.now_ms())
        # Before anything is awaited: whoever comes next finds it.
        chats.answers.add(*place, live)
        try:
            if running is not None:
                await chats.stop(running)
            answering = await self._start(question, live)
        finally:
            if live.info is None:
                # Nobody gives it; who has joined it asks again.
                live.outcome = Outcome("error")
                chats.answers.remove(*place, live)
        return answering or await chats.join(live)

    async def _start(self, question: Question, live: LiveAnswer) -> AnswerStream | None:
        """Write the question down and have it answered by `live`; or follow what answers it already."""
        chats = self._chats
        known = await chats.threads.find(self._resource_id, self._thread_id)
        thread = known or chats.threads.begin(self._resource_id, self._thread_id)
        thread = chats.threads.touch(thread, question.agent, question.metadata)
        validate_thread(thread)
        conversation = chats.conversation(thread.session_id)
        items = await conversation.read()
        answered = None if question.regenerate else answer_to(items, question.message_id)
        if answered is not None:
            return AnswerStream(info_of(thread, answered, items), as_stream(replay(answered, len(items))))
        ended: list[ChatMessage] = []
        for index, item in enumerate(items):
            if item.is_open:
                found = await chats.inspect(item)
                if found.is_alive and not question.may_interrupt:
                    info = info_of(thread, item, items)
                    if info.message_id == question.message_id:
                        return chats.follow(info, conversation)
                    raise _in_the_way(item.id)
                if found.is_alive:
                    await chats.chunks(item.id).request_stop()
                else:
                    ended.append(as_partial(found.item))
                items[index] = as_partial(found.item)
        asked = ChatMessage(live.message_id, "user", question.content, chats.now_ms())
        limit = chats.settings.history_limit
        turn = Turn(items, asked, live.generation_id, is_ui=question.is_ui, limit=limit)

        async def undo() -> None:
            restored, drops = turn.rollback()
            await conversation.append(restored, drops=drops)
            if known is None:
                await chats.threads.delete(thread)

        await self._write(conversation, thread, turn, ended, undo)
        self._give(conversation, thread, turn, live, undo)
        return None

    async def _write(
        self, conversation: Conversation, thread: Thread, turn: Turn, ended: Sequence[ChatMessage], undo: Undo
    ) -> None:
        # An abandoned answer without a word is no message. It goes once nobody can still be seen to give it: seen from
        # far away, one that is being given may seem abandoned, and what is dropped never comes back.
        sure_ms = self._chats.now_ms() - REORDER_WINDOW_SECONDS * 1000
        drops = turn.drops + [item.id for item in ended if not item.content and item.timestamp_ms < sure_ms]
        mended = [item for item in ended if item.content and item.id not in drops]
        appending = conversation.append([*mended, *turn.added], drops=drops, cursor=turn.added[-1].id)
        # Side by side: the answer waits for both.
        outcomes = await asyncio.gather(appending, self._chats.threads.save(thread), return_exceptions=True)
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if failures:
            try:
                await undo()
            except Unavailable as failure:
                self._chats.log(f"a question that was refused was not taken back: {failure.code}")
            raise failures[0]

    def _give(self, conversation: Conversation, thread: Thread, turn: Turn, live: LiveAnswer, undo: Undo) -> None:
        chats = self._chats
        question, answer = turn.added
        live.info = AnswerInfo(
            answer.id,
            thread.session_id,
            thread.thread_id,
            thread.resource_id,
            question.id,
            answer.is_ui,
            thread.forked_from,
        )
        ttl_seconds = chats.settings.conversation_ttl_seconds
        chunks = chats.chunks(answer.id)
        generation = Generation(live, live.info, conversation, chunks, chats.invocation, ttl_seconds, turn, chats.log)
        agent = self._agent(thread.agent)
        said = chats.model.stream(turn.prompt(agent.instructions), agent.model)

        async def run() -> None:
            try:
                await generation.run(said, undo)
            finally:
                chats.answers.remove(self._resource_id, self._thread_id, live)

        chats.background(run())
        chats.background(conversation.compact_if_due())

    def _agent(self, name: str | None) -> Agent:
        model = self._chats.settings.model
        agent = model.agents.get(name or "", Agent())
        return Agent(agent.instructions or model.instructions or None, agent.model)


def _in_the_way(generation_id: str) -> AnswerRunning:
    return AnswerRunning(
        "Another message of this thread is being answered: wait for it, stop it, or send this one with interrupt.",
        generation_id,
    )
