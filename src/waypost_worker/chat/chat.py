"""Chats: a question to a thread, and its answer, whose generation does not depend on the request that asked.

The question and an open, empty answer are written together, and nothing of the answer is shown before (`beginning.py`).
So the question survives whatever happens next, and a second question to a thread whose answer is running is noticed.
Within an isolate it always is. Between isolates it is once the write is visible there; two questions that do not see
each other are both answered, and both are kept.
"""

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

import msgspec

from waypost_worker.chat.answer_stream import AnswerStream
from waypost_worker.chat.beginning import Beginning
from waypost_worker.chat.call_ids import own_root, root_in, root_of
from waypost_worker.chat.context import ChatContext
from waypost_worker.chat.found_thread import find_to_ask
from waypost_worker.chat.going_on import answer_running, find_waiting, going_on, join_waiting
from waypost_worker.chat.live_answer import LiveAnswer, Outcome
from waypost_worker.chat.next_leg import prepare_leg
from waypost_worker.chat.open_answers import OpenAnswers
from waypost_worker.chat.opening import Opening
from waypost_worker.chat.page_calls import PageAnswer, start_behind
from waypost_worker.chat.question import Question, answer_of, asked_in, broken_off, tag_of
from waypost_worker.chat.replies import ReplyBuilder
from waypost_worker.chat.resume import follow_remote, info_of, join_live, replay_ended, wait_until_begun
from waypost_worker.chat.tab_tools import TabOfAgent, TabTools
from waypost_worker.chat.turn import Turn
from waypost_worker.conversations.images import apart
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.conversations.thread import Thread, validate_thread
from waypost_worker.errors import AnswerRunning
from waypost_worker.kv.keys import thread_key
from waypost_worker.kv.together import together
from waypost_worker.limits import INTERRUPT_SECONDS
from waypost_worker.models.model import ModelTool
from waypost_worker.models.settings import Agent

Undo = Callable[[], Awaitable[None]]


class Chat:
    """Asks questions in the thread `thread_id` of `resource_id`. A thread that does not exist begins with the first
    one. `tab_of_agent`: finds the tools of agents that have a tab."""

    def __init__(
        self, context: ChatContext, resource_id: str, thread_id: str, tab_of_agent: TabOfAgent | None = None
    ) -> None:
        self._context = context
        self._name = (resource_id, thread_id)
        self._tab_of_agent = tab_of_agent

    async def ask(
        self, question: Question, on_undone: Undo | None = None, tools: TabTools | None = None
    ) -> AnswerStream:
        """Returns the stream of the answer to `question`, once the question is stored. A model that fails then ends
        the stream with an error; if that is before its first text, neither question nor answer is kept, and `on_undone`
        is called.

        A question that is refused has stopped no running answer. `tools`: those that the model may use; without them,
        it may use those of its agent's tab. An answer that `goes_on` is the same message; its stream begins behind what
        the page had.

        Raises:
            UnknownAgent: agents are configured, and none has the name that the question gives.
            MessageNotFound: the answer that is to go on is not there.
            InvalidBody: the outputs do not fit that answer, or the thread's record would be too large (see
                `validate_thread`).
            AnswerRunning: the answer to another question of this thread is running, and `question` may not interrupt.
            RateLimited: the prompt costs more than is left of the asker's budget.
            StorageUnavailable, BudgetSpent: the thread or its conversation can't be read or written.
        """
        self._context.check_agent(question.agent)
        while True:
            running = self._context.running(*self._name)
            if question.goes_on is not None:
                stream = await self._go_on(question, question.goes_on, running, tools)
            elif running is not None and question.is_of(running.generation_id, running.message_id, running.content_tag):
                stream = await join_live(self._context, running, question.start_in(running.generation_id))
            else:
                stream = await self._ask(question, running, on_undone, tools)
            if stream is not None:
                return stream

    async def _ask(
        self, question: Question, running: LiveAnswer | None, on_undone: Undo | None, tools: TabTools | None
    ) -> AnswerStream | None:
        context = self._context
        if running is not None and not question.may_interrupt(running.generation_id, running.left_by):
            raise _answer_running(running.generation_id)
        generation_id = context.cursors.issue(thread_key(*self._name))
        message_id = question.message_id or f"{generation_id}-q"
        live = LiveAnswer(generation_id, message_id, context.now_ms(), question.asker, tag_of(question.content))
        # Before the first await, so that the next question in this isolate finds it.
        context.answers.add(*self._name, live)
        begins = None
        try:
            if running is not None:
                # Until its question is stored, it could not be read.
                await wait_until_begun(context, running, INTERRUPT_SECONDS)
            found = await self._prepare(question, live, running, on_undone, tools)
            if isinstance(found, AnswerStream):
                return found
            begins = found
        finally:
            if begins is None:
                self._end(live, running)
        context.background(self._begin(begins, live, running))
        stream = await join_live(context, live)
        if stream is None and live.refusal is not None:
            raise live.refusal
        return stream

    async def _go_on(
        self, question: Question, sent: PageAnswer, running: LiveAnswer | None, tools: TabTools | None
    ) -> AnswerStream | None:
        context = self._context
        if running is not None and running.generation_id == sent.answer_id:
            return await join_waiting(context, running, sent)
        with context.answers.watched(*self._name) as watch:
            found = await find_waiting(context, *self._name, sent)
        if isinstance(found, AnswerStream):
            return found
        if watch.has_changed:
            # Perhaps by the same outputs, from another page: then the answer has ended as they let it.
            return None
        if running is not None and context.running(*self._name) is running:
            raise answer_running(running.generation_id)
        message_id, tag = asked_in([*found.history.older, *found.history.items], found.kept)
        live = LiveAnswer(sent.answer_id, message_id, context.now_ms(), question.asker, tag)
        context.answers.add(*self._name, live)
        begins = None
        try:
            begins = await prepare_leg(context, question, live, found, partial(self._tools, tools))
        finally:
            if begins is None:
                self._end(live, None)
        context.background(self._begin(begins, live, None))
        stream = await join_live(context, live, start_behind(found.answer.tool_events, sent))
        if stream is None and live.refusal is not None:
            raise live.refusal
        return stream and going_on(stream)

    async def _begin(self, begins: Coroutine[Any, Any, None], live: LiveAnswer, running: LiveAnswer | None) -> None:
        try:
            await begins
        finally:
            self._end(live, running)

    def _end(self, live: LiveAnswer, running: LiveAnswer | None) -> None:
        """Makes room for the next answer of the thread. If `live` never started, the requests that have joined it ask
        again, and `running`, which it was to interrupt, is the thread's answer again."""
        if live.info is None:
            live.outcome = Outcome("error")
        self._context.answers.remove(*self._name, live)
        if live.info is None and running is not None:
            self._context.answers.put_back(*self._name, running, self._context.now_ms())

    async def _prepare(
        self,
        question: Question,
        live: LiveAnswer,
        running: LiveAnswer | None,
        on_undone: Undo | None,
        tools: TabTools | None,
    ) -> AnswerStream | Coroutine[Any, Any, None]:
        """Everything that may refuse the question, but for the store. Returns what writes it down and generates its
        answer into `live`; or, if the conversation has that answer, whole or running in another isolate, its stream."""
        context = self._context
        found, (tab, of_tab) = await together(find_to_ask(context, *self._name), self._tools(tools, question.agent))
        known, conversation, history = found
        thread = known or context.threads.begin(*self._name)
        thread = context.threads.touch(thread, question.agent, question.metadata)
        validate_thread(thread)
        if tab is None and question.agent is None:
            tab, of_tab = await self._tools(None, thread.agent)
        everything = [*history.older, *history.items]
        answer = answer_of(everything, question)
        if answer is not None:
            start = question.start_in(answer.id)
            return replay_ended(info_of(thread, answer, everything), answer, len(history.items), start)
        standing = OpenAnswers(context, running, question.left)
        await standing.look(history.items)
        for remote in standing.remote:
            info = info_of(thread, remote.item, history.items)
            if question.is_of(remote.item.id, *asked_in(history.items, remote.item)):
                return follow_remote(context, info, conversation, question.start_in(remote.item.id))
            if not question.may_interrupt(remote.item.id, remote.left_by):
                raise _answer_running(remote.item.id)
        asked = ChatMessage(live.message_id, "user", question.content, context.now_ms())
        [message], images = apart([asked], conversation.new_cursor)
        opening = Opening(context, live, question, thread.agent, tab, of_tab)

        def take_turn() -> tuple[Turn, ReplyBuilder]:
            turn = Turn(
                standing.items,
                message,
                live.generation_id,
                is_ui=question.is_ui,
                limit=conversation.window.messages,
                older=history.older,
                replaces_all=question.is_about_cut_message(everything),
                is_again=question.regenerate,
                inherited=broken_off(standing.items, question, standing.abandoned),
            )
            return turn, opening.builder(turn)

        turn, build = take_turn()
        await opening.pay(turn, build)
        if running is not None or standing.remote or standing.abandoned:
            await standing.stop()
            await standing.take_over(message.id)
            turn, build = take_turn()

        closed, empty = standing.closing(turn.drops)
        # And what a turn has replaced that may be taken back yet.
        replaced = conversation.dropped_since(turn.drops[0]) if turn.drops else []
        closed_now = [*closed, *standing.leaving(turn.drops)]
        added = [*closed_now, *turn.added]
        drops = [*turn.drops, *replaced, *empty]
        entries: list[str] = []

        async def undo() -> None:
            for entry in entries:
                # Not by the ids of its messages: another isolate may have answered the same question meanwhile.
                await conversation.retract(entry, [*closed, *turn.replaced], drops=[turn.answer.id, *empty])
            # It may be another isolate's too by now.
            if known is None and not (await conversation.history()).items:
                await context.threads.delete(thread)

        async def undo_after_asking() -> None:
            await undo()
            if on_undone is not None:
                await on_undone()

        size = len(msgspec.json.encode((added, drops))) + sum(len(url) for urls in images.values() for url in urls)

        async def keep() -> None:
            append = conversation.append(
                added,
                drops=drops,
                cursor=turn.answer.id,
                images=images,
                entries=entries,
                is_later=bool(closed_now),
            )
            await together(append, context.threads.save(thread))

        root = _root(thread, question, live, turn.so_far)
        steps = opening.steps(conversation, turn, build, root, images)
        return Beginning(context, conversation, turn, live, steps).run(
            info_of(thread, turn.answer, turn.added),
            keep,
            undo,
            undo_after_asking,
            is_sure=context.can_write(len(images) + 2, size),
        )

    async def _tools(self, tools: TabTools | None, agent: str | None) -> tuple[TabTools | None, list[ModelTool]]:
        """The tab whose tools the model may use, and these tools: `tools`, or else those that `agent` has."""
        address = self._context.settings.model.agents.get(agent or "", Agent()).session
        if tools is None and agent is not None and address is not None and self._tab_of_agent is not None:
            tools = await self._tab_of_agent(agent, address)
        return tools, [] if tools is None else await tools.tools()


def _root(thread: Thread, question: Question, live: LiveAnswer, inherited: ChatMessage | None) -> str:
    if inherited is not None:
        return root_in(inherited.tool_events[0].id)
    if question.message_id is None or question.regenerate:
        return own_root(live.generation_id)
    return root_of(thread.session_id, question.message_id, tag_of(question.content))


def _answer_running(generation_id: str) -> AnswerRunning:
    return AnswerRunning(
        "Another message of this thread is being answered: wait for it, stop it, or send this one with interrupt.",
        generation_id,
    )
