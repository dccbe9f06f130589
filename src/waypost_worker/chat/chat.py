"""Chats: a question to a thread, and its answer, whose generation does not depend on the request that asked.

The question and an open, empty answer are written together before the model is asked. So the question survives whatever
happens next, and a second question to a thread whose answer is running is noticed. Within an isolate it always is.
Between isolates it is once the write is visible there; two questions that do not see each other are both answered, and
both are kept.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from functools import partial

from waypost_worker.chat.answer_stream import AnswerStream
from waypost_worker.chat.asking import PromptBuilder, ask_model
from waypost_worker.chat.context import ChatContext
from waypost_worker.chat.generation import Generation
from waypost_worker.chat.live_answer import LiveAnswer, Outcome
from waypost_worker.chat.open_answers import OpenAnswers
from waypost_worker.chat.prompt import build_prompt
from waypost_worker.chat.question import Question, answer_of, asked_in, tag_of
from waypost_worker.chat.resume import follow_remote, info_of, join_live, replay_ended, wait_until_begun
from waypost_worker.chat.turn import Turn
from waypost_worker.conversations.conversation import Conversation
from waypost_worker.conversations.images import Images, apart, image_bytes, newest_images
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.conversations.thread import Thread, validate_thread
from waypost_worker.errors import AnswerRunning, Unavailable
from waypost_worker.kv.keys import thread_key
from waypost_worker.limits import INTERRUPT_SECONDS
from waypost_worker.models.model import Piece
from waypost_worker.models.settings import Agent

Undo = Callable[[], Awaitable[None]]


class Chat:
    """Asks questions in the thread `thread_id` of `resource_id`. A thread that does not exist begins with the first
    one."""

    def __init__(self, context: ChatContext, resource_id: str, thread_id: str) -> None:
        self._context = context
        self._name = (resource_id, thread_id)

    async def ask(self, question: Question, on_undone: Undo | None = None) -> AnswerStream:
        """Returns the stream of the answer to `question`, once the question is stored. A model that fails then ends
        the stream with an error; if that is before its first text, neither question nor answer is kept, and `on_undone`
        is called.

        A question that is refused has stopped no running answer.

        Raises:
            UnknownAgent: agents are configured, and none has the name that the question gives.
            InvalidBody: the thread's record would be too large (see `validate_thread`).
            AnswerRunning: the answer to another question of this thread is running, and `question` may not interrupt.
            RateLimited: the prompt costs more than is left of the asker's budget.
            StorageUnavailable, BudgetSpent: the thread or its conversation can't be read or written.
        """
        self._context.check_agent(question.agent)
        while True:
            running = self._context.running(*self._name)
            if running is not None and question.is_of(running.generation_id, running.message_id, running.content_tag):
                stream = await join_live(self._context, running, question.start_in(running.generation_id))
            else:
                stream = await self._ask(question, running, on_undone)
            if stream is not None:
                return stream

    async def _ask(self, question: Question, running: LiveAnswer | None, on_undone: Undo | None) -> AnswerStream | None:
        context = self._context
        if running is not None and not question.may_interrupt(running.generation_id, running.left_by):
            raise _answer_running(running.generation_id)
        generation_id = context.cursors.issue(thread_key(*self._name))
        message_id = question.message_id or f"{generation_id}-q"
        live = LiveAnswer(generation_id, message_id, context.now_ms(), question.asker, tag_of(question.content))
        # Before the first await, so that the next question in this isolate finds it.
        context.answers.add(*self._name, live)
        try:
            if running is not None:
                # Until its question is stored, it could not be read.
                await wait_until_begun(context, running, INTERRUPT_SECONDS)
            stream = await self._start(question, live, running, on_undone)
        finally:
            if live.info is None:
                # Generation never started: requests that have joined this answer ask again.
                live.outcome = Outcome("error")
                context.answers.remove(*self._name, live)
                if running is not None:
                    context.answers.put_back(*self._name, running, context.now_ms())
        return stream or await join_live(context, live)

    async def _start(
        self, question: Question, live: LiveAnswer, running: LiveAnswer | None, on_undone: Undo | None
    ) -> AnswerStream | None:
        """Writes the question down and starts generating its answer into `live`. If the conversation has that answer,
        whole or running in another isolate, returns its stream instead."""
        context = self._context
        known = await context.threads.find(*self._name)
        thread = known or context.threads.begin(*self._name)
        thread = context.threads.touch(thread, question.agent, question.metadata)
        validate_thread(thread)
        conversation = context.conversation(thread.session_id)
        history = await conversation.history()
        everything = [*history.older, *history.items]
        answer = answer_of(everything, question)
        if answer is not None:
            start = question.start_in(answer.id)
            return replay_ended(info_of(thread, answer, everything), answer, len(history.items), start)
        standing = OpenAnswers(context, running)
        await standing.look(history.items)
        for remote in standing.remote:
            info = info_of(thread, remote.item, history.items)
            if question.is_of(remote.item.id, *asked_in(history.items, remote.item)):
                return follow_remote(context, info, conversation, question.start_in(remote.item.id))
            if not question.may_interrupt(remote.item.id, remote.left_by):
                raise _answer_running(remote.item.id)
        asked = ChatMessage(live.message_id, "user", question.content, context.now_ms())
        [message], images = apart([asked], conversation.new_cursor)
        agent = self._agent(thread.agent)

        def take_turn() -> tuple[Turn, PromptBuilder]:
            turn = Turn(
                standing.items,
                message,
                live.generation_id,
                is_ui=question.is_ui,
                limit=conversation.window.messages,
                older=history.older,
                replaces_all=question.is_about_cut_message(everything),
                is_again=question.regenerate,
            )
            return turn, partial(build_prompt, newest_images(turn.asked), agent.instructions, context.settings.model)

        turn, build = take_turn()
        prompt = build(None)
        await context.charge(prompt.characters)
        context.answers.hold(live, image_bytes(prompt.messages))
        if running is not None or standing.remote:
            await standing.stop()
            turn, build = take_turn()

        async def undo() -> None:
            restored, drops = turn.rollback()
            await conversation.append(restored, drops=drops)
            if known is None:
                await context.threads.delete(thread)

        async def undo_after_asking() -> None:
            await undo()
            if on_undone is not None:
                await on_undone()

        await self._write(conversation, thread, turn, standing, images, undo)
        live.info = info_of(thread, turn.answer, turn.added)

        async def with_images(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
            shown = await conversation.shown(messages, known=dict(images))
            # They are in KV, should they be needed again.
            images.clear()
            return shown

        pieces = ask_model(context.model, build, build(None), with_images, agent.model)
        self._generate(conversation, pieces, turn, live, undo_after_asking)
        return None

    async def _write(
        self,
        conversation: Conversation,
        thread: Thread,
        turn: Turn,
        standing: OpenAnswers,
        images: Images,
        undo: Undo,
    ) -> None:
        closed, drops = standing.closing(turn.drops)
        appending = conversation.append([*closed, *turn.added], drops=drops, cursor=turn.answer.id, images=images)
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
        self, conversation: Conversation, pieces: AsyncGenerator[Piece, None], turn: Turn, live: LiveAnswer, undo: Undo
    ) -> None:
        context = self._context
        generation = Generation(context, conversation, turn, live)

        async def run() -> None:
            try:
                await generation.run(pieces, undo)
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
