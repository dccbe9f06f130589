"""The events of an answer: what there is of it so far, each addition as it is generated, and how it ended.

An answer is followed in memory where it is generated (`follow_live`), by its chunks in KV everywhere else
(`follow_stored`), and replayed from the conversation once it has ended (`replay`).
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from waypost_worker.chat.answer_events import START, AnswerEvent, KeepAlive, Position, additions
from waypost_worker.chat.chunks import Chunk, ChunkStore
from waypost_worker.chat.live_answer import AnswerInfo, FinishReason, LiveAnswer, Outcome
from waypost_worker.clock import Clock, seconds_until
from waypost_worker.conversations.conversation import Conversation
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import BudgetSpent, DailyLimit, StorageUnavailable
from waypost_worker.kv.store import KvError
from waypost_worker.limits import ANSWER_HEARTBEAT_SECONDS, FOLLOW_PATIENCE_SECONDS
from waypost_worker.polling.invocation import Invocation

CONVERSATION_CHECK_SECONDS = 10
"""Interval between checks of the conversation while no chunk arrives."""

LOST = Outcome("error", 0, "answer_broken_off", "The isolate that generated the answer is gone. Its text was kept.")


class AnswerStream(msgspec.Struct, frozen=True):
    """An answer and its events. Close `events` if they are not read to the end. `goes_on`: its reader is the page that
    has sent outputs, and has what precedes them."""

    info: AnswerInfo
    events: AsyncGenerator[AnswerEvent, None]
    goes_on: bool = False


async def follow_live(
    live: LiveAnswer, invocation: Invocation, start: Position = START
) -> AsyncGenerator[AnswerEvent, None]:
    """Yields the events of an answer that this isolate generates, from `start` on."""
    clock, wakeup = invocation.clock, invocation.clock.wakeup()
    sent, pieces_read = start, (0, 0, 0)
    sent_ms = clock.now_ms()
    live.readers += 1
    live.is_left = False
    has_ended = False
    try:
        with live.wakeups.subscribe(wakeup):
            while True:
                outcome = live.outcome
                deltas, pieces, happened = pieces_read
                text, reasoning = "".join(live.deltas[deltas:]), "".join(live.reasoning[pieces:])
                shown = live.shown_events
                events = live.tool_events[happened:shown]
                end = Position(live.characters, live.reasoning_characters, shown)
                pieces_read = (len(live.deltas), len(live.reasoning), shown)
                for event in additions(text, reasoning, events, sent, end):
                    yield event
                    sent, sent_ms = event.end, clock.now_ms()
                if outcome is not None:
                    has_ended = True
                    yield outcome
                    return
                # The answer may have ended while the text was being sent: then the next turn yields the rest.
                if live.outcome is None and not live.is_running(clock.now_ms()):
                    yield LOST
                    return
                if clock.now_ms() - sent_ms >= ANSWER_HEARTBEAT_SECONDS * 1000:
                    sent_ms = clock.now_ms()
                    yield KeepAlive()
                await wakeup.wait(seconds_until(sent_ms + ANSWER_HEARTBEAT_SECONDS * 1000, clock.now_ms()))
    finally:
        live.readers -= 1
        live.is_left = not has_ended
        live.left_ms = clock.now_ms()


async def follow_stored(
    generation_id: str,
    chunks: ChunkStore,
    conversation: Conversation,
    invocation: Invocation,
    start: Position = START,
    leg: str = "",
) -> AsyncGenerator[AnswerEvent, None]:
    """Yields the events of an answer that another isolate generates, from `start` on: tails its chunks in KV, those of
    its `leg`."""
    clock, interval_ms = invocation.clock, invocation.plan.chunk_ms
    number = 0
    sent, end = start, START
    chunk_seen_ms = sent_ms = clock.now_ms()
    # A generation writes at least every second interval. Without a chunk for longer it has ended, perhaps so soon that
    # it never wrote one.
    check_ms = chunk_seen_ms + 3 * interval_ms
    try:
        while True:
            arrived = await _read(chunks, number)
            number += len(arrived)
            text = "".join(chunk.text for chunk in arrived)
            reasoning = "".join(chunk.reasoning for chunk in arrived)
            events = [event for chunk in arrived for event in chunk.tool_events]
            end = Position(end.text + len(text), end.reasoning + len(reasoning), end.tools + len(events))
            for event in additions(text, reasoning, events, sent, end):
                yield event
                sent, sent_ms = event.end, clock.now_ms()
            if arrived:
                chunk_seen_ms = clock.now_ms()
                check_ms = chunk_seen_ms + 3 * interval_ms
                if arrived[-1].outcome is not None:
                    yield arrived[-1].outcome
                    return
            elif clock.now_ms() >= check_ms:
                check_ms = clock.now_ms() + CONVERSATION_CHECK_SECONDS * 1000
                items = await _read_items(conversation)
                if (answer := ended_answer(items, generation_id, leg)) is not None:
                    for last in replay(answer, len(items), sent):
                        yield last
                    return
                if clock.now_ms() - chunk_seen_ms >= FOLLOW_PATIENCE_SECONDS * 1000:
                    yield LOST
                    return
            look_ms = clock.now_ms() + interval_ms
            while (now := clock.now_ms()) < look_ms:
                if now - sent_ms >= ANSWER_HEARTBEAT_SECONDS * 1000:
                    sent_ms = now
                    yield KeepAlive()
                await clock.sleep(seconds_until(min(look_ms, sent_ms + ANSWER_HEARTBEAT_SECONDS * 1000), now))
    except (BudgetSpent, DailyLimit):
        # The stream ends without an outcome: its reader resumes with an event id, or reads the conversation.
        return


async def until(
    events: AsyncGenerator[AnswerEvent, None], clock: Clock, end_ms: int
) -> AsyncGenerator[AnswerEvent, None]:
    """Yields `events` until their end, or the first one at `end_ms` or later: without an outcome, to be resumed."""
    async with aclosing(events):
        async for event in events:
            yield event
            if clock.now_ms() >= end_ms:
                return


def ended_answer(items: list[ChatMessage], generation_id: str, leg: str = "") -> ChatMessage | None:
    """The answer `generation_id` if the conversation has it and its `leg` has ended."""
    generation = leg or generation_id
    for item in items:
        # An older copy may be visible still, which waits for the outputs that this leg has; a newer one follows it.
        is_of_it = item.generation == generation and not item.is_open
        if item.id == generation_id and (is_of_it or item.generation > generation):
            return item
    return None


def replay(
    answer: ChatMessage, message_count: int, start: Position = START, outcome: Outcome | None = None
) -> list[AnswerEvent]:
    """The events of an answer that has ended, from `start` on: what is left of its reasoning, its text and its tool
    events, and its `outcome`; by default, that it waits for the page if it does, and was stopped if it is partial."""
    text = str(answer.content)
    end = Position(len(text), len(answer.reasoning), len(answer.tool_events))
    reason: FinishReason = "tool-calls" if answer.waits else "stopped" if answer.partial else "stop"
    outcome = outcome or Outcome(reason, message_count)
    return [*additions(text, answer.reasoning, answer.tool_events, start, end), outcome]


async def _read(chunks: ChunkStore, number: int) -> list[Chunk]:
    try:
        return await chunks.read(number)
    except KvError:
        # The next look may succeed, and FOLLOW_PATIENCE_SECONDS bounds how long they may fail.
        return []


async def _read_items(conversation: Conversation) -> list[ChatMessage]:
    try:
        return await conversation.read()
    except StorageUnavailable:
        return []
