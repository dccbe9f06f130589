"""Reading a thread's answer again: join it where it is generated, follow it from elsewhere, replay it once it has
ended; look at it, and stop it."""

from collections.abc import AsyncGenerator, Sequence

from waypost_worker.chat.answer_events import START, AnswerEvent, Position
from waypost_worker.chat.answer_stream import LOST, AnswerStream, follow_live, follow_stored, replay
from waypost_worker.chat.context import ChatContext
from waypost_worker.chat.found_thread import find_to_read
from waypost_worker.chat.live_answer import AnswerInfo, LiveAnswer
from waypost_worker.chat.page_calls import STOPPED, closed
from waypost_worker.chat.unfinished import Unfinished, as_partial, inspect
from waypost_worker.clock import seconds_until
from waypost_worker.conversations.conversation import Conversation
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.conversations.thread import Thread
from waypost_worker.limits import INTERRUPT_SECONDS, MAX_ANSWER_SECONDS


async def resume(
    context: ChatContext, resource_id: str, thread_id: str, generation_id: str | None, start: Position
) -> AnswerStream | None:
    """Returns the stream of the thread's running answer, or of the answer `generation_id`, running or ended, from
    `start` on. Returns `None` if there is no such answer.

    Raises:
        StorageUnavailable, BudgetSpent: the thread or its conversation can't be read.
    """
    running = context.running(resource_id, thread_id)
    if running is not None and generation_id in (None, running.generation_id):
        joined = await join_live(context, running, start if generation_id else START)
        if joined is not None:
            return joined
    found = await find_to_read(context, resource_id, thread_id)
    if found is None:
        return None
    thread, conversation, (items, *_) = found
    matching = [item for item in items if (item.is_open if generation_id is None else item.id == generation_id)]
    if not matching:
        return None
    answer = matching[-1]
    info = info_of(thread, answer, items)
    if answer.is_open:
        unfinished = await inspect_open(context, answer)
        if unfinished.is_alive:
            return follow_remote(context, info, conversation, start)
        if generation_id is None:
            return None
        return AnswerStream(info, _stream(replay(as_partial(unfinished.item), len(items), start, LOST)))
    return replay_ended(info, answer, len(items), start)


async def stop_answer(
    context: ChatContext, resource_id: str, thread_id: str, generation_id: str | None
) -> tuple[bool, str | None]:
    """Stops the thread's running answer if its id is `generation_id`; `None` stops it whatever its id is.

    Returns whether it was stopped, and the id of the answer that is or was running, or waits for outputs of the page;
    `None` if there is none. In this isolate the answer has ended on return. In another one it is only asked to end.

    Raises:
        StorageUnavailable, BudgetSpent: the thread can't be read, or the request to stop can't be written.
    """
    running = context.running(resource_id, thread_id)
    if running is not None:
        is_meant = generation_id in (None, running.generation_id)
        if is_meant:
            await stop_live(context, running)
        return is_meant, running.generation_id
    found = await find_to_read(context, resource_id, thread_id)
    if found is None:
        return False, None
    _, conversation, history = found
    stopped = await stop_open(context, history.items, generation_id)
    return stopped if stopped[1] is not None else await _stop_waiting(conversation, history.items, generation_id)


async def _stop_waiting(
    conversation: Conversation, items: Sequence[ChatMessage], generation_id: str | None
) -> tuple[bool, str | None]:
    """Ends the last answer among `items` that waits for the page: it takes no outputs any more."""
    waiting = next((item for item in reversed(items) if item.waits and not item.is_open), None)
    if waiting is None:
        return False, None
    is_meant = generation_id in (None, waiting.id)
    if is_meant:
        place = conversation.place_of(waiting.id)
        await conversation.append([closed(waiting, STOPPED)], cursor=place, is_later=True)
    return is_meant, waiting.id


async def stop_open(
    context: ChatContext, items: Sequence[ChatMessage], generation_id: str | None = None
) -> tuple[bool, str | None]:
    """Asks the last answer among `items` that another isolate generates to end; otherwise as `stop_answer`."""
    for item in reversed(items):
        if item.is_open and (await inspect_open(context, item)).is_alive:
            is_meant = generation_id in (None, item.id)
            if is_meant:
                await context.chunks(item.generation).request_stop()
            return is_meant, item.id
    return False, None


async def join_live(context: ChatContext, live: LiveAnswer, start: Position = START) -> AnswerStream | None:
    """Returns the stream of an answer that this isolate generates, from `start` on, once it has begun:
    its question is stored, and the model is being asked.

    Returns `None` if generation never started: the question had been answered already, or the request that asked it is
    gone.
    """
    await wait_until_begun(context, live)
    if live.info is None:
        return None
    return AnswerStream(live.info, follow_live(live, context.invocation, start))


async def wait_until_begun(context: ChatContext, live: LiveAnswer, seconds: int = MAX_ANSWER_SECONDS) -> None:
    """Returns once `live` has begun or ended, or counts as lost, or after `seconds`."""
    live.readers += 1
    give_up_ms = context.now_ms() + seconds * 1000
    wakeup = context.invocation.clock.wakeup()
    try:
        with live.wakeups.subscribe(wakeup):
            while not live.has_begun and live.is_running(context.now_ms()) and context.now_ms() < give_up_ms:
                await wakeup.wait(seconds_until(min(live.lost_at_ms, give_up_ms), context.now_ms()))
    finally:
        live.readers -= 1
        live.left_ms = context.now_ms()


def follow_remote(
    context: ChatContext, info: AnswerInfo, conversation: Conversation, start: Position = START
) -> AnswerStream:
    """Returns the stream of an answer that another isolate generates, from `start` on."""
    chunks = context.unretried_chunks(info.leg or info.generation_id)
    events = follow_stored(info.generation_id, chunks, conversation, context.invocation, start, info.leg)
    return AnswerStream(info, events)


def replay_ended(info: AnswerInfo, answer: ChatMessage, message_count: int, start: Position = START) -> AnswerStream:
    """Returns the stream of an answer that has ended, from `start` on, in a conversation of
    `message_count` messages."""
    return AnswerStream(info, _stream(replay(answer, message_count, start)))


async def stop_live(context: ChatContext, live: LiveAnswer) -> None:
    """Stops an answer that this isolate generates; returns once it has ended, or after `INTERRUPT_SECONDS`."""
    live.stop_requested = True
    give_up_ms = context.now_ms() + INTERRUPT_SECONDS * 1000
    wakeup = context.invocation.clock.wakeup()
    with live.wakeups.subscribe(wakeup):
        while live.is_running(context.now_ms()) and context.now_ms() < give_up_ms:
            await wakeup.wait(seconds_until(min(live.lost_at_ms, give_up_ms), context.now_ms()))


async def inspect_open(context: ChatContext, item: ChatMessage) -> Unfinished:
    """Reads the text so far of an open answer that this isolate does not generate, and whether it is still running."""
    return await inspect(item, context.chunks(item.generation), context.invocation.clock, context.invocation.plan)


def info_of(thread: Thread, answer: ChatMessage, items: Sequence[ChatMessage]) -> AnswerInfo:
    """The ids of `answer`, one of the messages `items` of the thread; its question is the last user message before
    it."""
    questions = [item.id for item in items[: items.index(answer)] if item.role == "user"]
    return AnswerInfo(
        answer.id,
        thread.session_id,
        thread.thread_id,
        thread.resource_id,
        questions[-1] if questions else "",
        answer.is_ui,
        thread.forked_from,
        answer.leg,
    )


async def _stream(events: Sequence[AnswerEvent]) -> AsyncGenerator[AnswerEvent, None]:
    for event in events:
        yield event
