"""Following an answer: what was said so far, then each word as it comes, then how it ended."""

from collections.abc import AsyncGenerator

import msgspec

from waypost_worker.chat.chunks import Chunk, ChunkStore
from waypost_worker.chat.live_answer import LiveAnswer, Outcome
from waypost_worker.clock import seconds_until
from waypost_worker.conversations.conversation import Conversation
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import BudgetSpent, StorageUnavailable
from waypost_worker.kv.store import KvError
from waypost_worker.limits import ANSWER_HEARTBEAT_SECONDS, FOLLOW_PATIENCE_SECONDS
from waypost_worker.polling.invocation import Invocation

DOUBT_SECONDS = 10
"""How often one who hears nothing from elsewhere looks whether the answer is in the conversation."""

LOST = Outcome("error", 0, "answer_broken_off", "Whoever gave the answer is gone. What was said so far was kept.")


class TextDelta(msgspec.Struct, frozen=True):
    """Some text; `end` is how many characters of the answer there are with it."""

    text: str
    end: int


class KeepAlive(msgspec.Struct, frozen=True):
    """Nothing for a while: the reader is told that the connection is alive."""


AnswerEvent = TextDelta | KeepAlive | Outcome
"""The last one is an `Outcome`, unless the follower's own budget ends first."""


async def follow_live(live: LiveAnswer, invocation: Invocation, start: int = 0) -> AsyncGenerator[AnswerEvent, None]:
    """Follow an answer that is given in this isolate, from its character `start` on."""
    clock, wakeup = invocation.clock, invocation.clock.wakeup()
    told, taken = start, 0
    spoke_ms = clock.now_ms()
    live.readers += 1
    try:
        with live.wakeups.subscribe(wakeup):
            while True:
                outcome = live.outcome
                text = "".join(live.deltas[taken:])
                end = live.characters
                taken = len(live.deltas)
                if end > told:
                    yield TextDelta(text[len(text) - (end - told) :], end)
                    told, spoke_ms = end, clock.now_ms()
                if outcome is not None:
                    yield outcome
                    return
                # While what was said was being sent, it may have ended.
                if live.outcome is None and not live.is_running(clock.now_ms()):
                    yield LOST
                    return
                if clock.now_ms() - spoke_ms >= ANSWER_HEARTBEAT_SECONDS * 1000:
                    spoke_ms = clock.now_ms()
                    yield KeepAlive()
                await wakeup.wait(seconds_until(spoke_ms + ANSWER_HEARTBEAT_SECONDS * 1000, clock.now_ms()))
    finally:
        live.readers -= 1
        live.left_ms = clock.now_ms()


async def follow_stored(
    generation_id: str, chunks: ChunkStore, conversation: Conversation, invocation: Invocation, start: int = 0
) -> AsyncGenerator[AnswerEvent, None]:
    """Follow an answer that is given elsewhere, by the pieces in KV, from its character `start` on."""
    clock, interval_ms = invocation.clock, invocation.plan.chunk_ms
    number = end = 0
    told = start
    heard_ms = spoke_ms = clock.now_ms()
    # The giver shows a sign of life every other interval. Where none comes, it has ended, perhaps too soon for a piece.
    doubt_ms = heard_ms + 3 * interval_ms
    try:
        while True:
            found = await _read(chunks, number)
            number += len(found)
            text = "".join(chunk.text for chunk in found)
            end += len(text)
            if end > told:
                yield TextDelta(text[told - end :], end)
                told, spoke_ms = end, clock.now_ms()
            if found:
                heard_ms = clock.now_ms()
                doubt_ms = heard_ms + 3 * interval_ms
                if found[-1].outcome is not None:
                    yield found[-1].outcome
                    return
            elif clock.now_ms() >= doubt_ms:
                doubt_ms = clock.now_ms() + DOUBT_SECONDS * 1000
                items = await _read_items(conversation)
                if (item := ended_item(items, generation_id)) is not None:
                    for followed in replay(item, len(items), told):
                        yield followed
                    return
                if clock.now_ms() - heard_ms >= FOLLOW_PATIENCE_SECONDS * 1000:
                    yield LOST
                    return
            look_ms = clock.now_ms() + interval_ms
            while (now := clock.now_ms()) < look_ms:
                if now - spoke_ms >= ANSWER_HEARTBEAT_SECONDS * 1000:
                    spoke_ms = now
                    yield KeepAlive()
                await clock.sleep(min((look_ms - now) / 1000, ANSWER_HEARTBEAT_SECONDS))
    except BudgetSpent:
        # Its reader comes back with a place, or reads the conversation.
        return


def ended_item(items: list[ChatMessage], generation_id: str) -> ChatMessage | None:
    """The answer in the conversation, if it has ended."""
    return next((item for item in items if item.id == generation_id and not item.is_open), None)


def replay(item: ChatMessage, message_count: int, start: int = 0) -> list[AnswerEvent]:
    """An answer that has ended, from its character `start` on."""
    text = str(item.content)
    said: list[AnswerEvent] = [TextDelta(text[start:], len(text))] if len(text) > start else []
    return [*said, Outcome("stopped" if item.partial else "stop", message_count)]


async def _read(chunks: ChunkStore, number: int) -> list[Chunk]:
    try:
        return await chunks.read(number)
    except KvError:
        # The next look may succeed; patience ends by itself.
        return []


async def _read_items(conversation: Conversation) -> list[ChatMessage]:
    try:
        return await conversation.read()
    except StorageUnavailable:
        return []
