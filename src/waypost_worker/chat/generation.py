"""Generation of an answer: reads the model's stream, shows each piece to this isolate's readers, and stores the answer.

It runs as a background task, so that a client that disconnects does not end it. The text is written to KV in chunks,
about one a second, and the whole answer into the conversation at the end. If the isolate is lost, readers find the
chunks, and the answer counts as partial.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress

from waypost_worker.chat.chunks import TAKEN_OVER, Chunk
from waypost_worker.chat.context import ChatContext
from waypost_worker.chat.early_pieces import Said
from waypost_worker.chat.live_answer import FinishReason, LiveAnswer, Outcome
from waypost_worker.chat.page_calls import STOPPED, failed
from waypost_worker.chat.turn import AnswerTurn
from waypost_worker.chat.unfinished import MISSED_INTERVALS
from waypost_worker.conversations.conversation import Conversation
from waypost_worker.conversations.message import ChatMessage, open_page_calls
from waypost_worker.errors import ModelError, RateLimited, StorageUnavailable, Unavailable, WaypostError
from waypost_worker.limits import (
    ANSWER_GRACE_SECONDS,
    GENERATION_RESERVED_OPERATIONS,
    MAX_ANSWER_CHARACTERS,
    MAX_ANSWER_SECONDS,
)
from waypost_worker.models.model import AnswerCutOff, raising_model_errors

TAKEN_AWAY = Outcome(
    "error",
    0,
    "answer_broken_off",
    "This answer was not saved for some seconds, and is gone on with elsewhere; send the question again to hear it.",
)

TICKS_PER_CHUNK = 10
"""How often the generation loop checks for stop requests and pending writes: each tenth of a second on the paid plan,
each second on the free one, where a wakeup takes a hundredth of the CPU time that there is."""


class Generation:
    """Generates the answer of `turn` into `live`, for this isolate's readers, and into the store."""

    def __init__(self, context: ChatContext, conversation: Conversation, turn: AnswerTurn, live: LiveAnswer) -> None:
        self._conversation = conversation
        self._turn = turn
        self._live = live
        self._chunks = context.chunks(turn.answer.generation)
        self._log = context.log
        self._clock = context.invocation.clock
        self._meter = context.invocation.meter
        self._plan = context.invocation.plan
        now = self._clock.now_ms()
        self._started_ms = now
        self._written_ms = now
        self._stop_check = Interval(self._plan.stop_look_ms, now)
        # A quarter of the conversation's lifetime: it must outlive the answer, and a write may take a while to become
        # visible.
        self._renewal = Interval(context.settings.conversation_ttl_seconds * 250, now)
        self._sign_ms = now
        self._longest_silence_ms = 0
        self._number = 0
        self._pieces_written = (0, 0, 0)
        self._unwritten: Chunk | None = None
        self._flushing: asyncio.Task[None] | None = None

    async def run(self, pieces: AsyncGenerator[Said, None], undo: Callable[[], Awaitable[None]]) -> None:
        """Reads `pieces` to the end and stores the answer; never raises. If the model fails before its first text,
        calls `undo`, which takes the turn back. An answer whose last calls are the page's waits for their outputs."""
        reason: FinishReason = "error"
        failure: ModelError | RateLimited | None = None
        try:
            with raising_model_errors(self._log):
                async with aclosing(pieces):
                    reason = await self._consume(pieces)
        except AnswerCutOff:
            reason = "length"
        except (ModelError, RateLimited) as error:
            failure = error
        if reason == "stop" and open_page_calls(self._live.tool_events):
            reason = "tool-calls"
        elif reason != "stop":
            self._end_page_calls()
        self._live.show()
        if self._flushing is not None:
            await self._flushing
        if failure is not None and self._live.is_unsaid:
            outcome = await self._take_back(undo, failure)
        else:
            outcome = await self._store(reason, failure)
        if self._number or self._unwritten:
            await self._write_last_chunk(outcome)
        self._live.outcome = outcome

    async def keep(self) -> None:
        """Returns once all that the answer has by now is in KV, and no other generation has taken it over before.

        Raises:
            StorageUnavailable: KV has not taken it, or another one has.
        """
        while self._flushing is not None and not self._flushing.done():
            await asyncio.wait({self._flushing})
        self._flushing = asyncio.ensure_future(self._flush())
        # Not awaited itself: this may be cancelled, and the write must not.
        await asyncio.wait({self._flushing})
        if self._unwritten is None:
            # In this order: another one says first that it takes over, and reads what is written after that.
            await self._look_for_stop()
        if self._unwritten is not None or self._live.is_taken_over:
            raise StorageUnavailable("The answer is not being saved at the moment.")

    def _end_page_calls(self) -> None:
        """The answer ends otherwise than by waiting for them."""
        for call in open_page_calls(self._live.tool_events):
            self._live.add_tool_event(failed(call, STOPPED))

    async def _consume(self, pieces: AsyncGenerator[Said, None]) -> FinishReason:
        coming: asyncio.Task[Said | None] | None = None
        try:
            while (reason := self._reason_to_end()) is None:
                if coming is None:
                    coming = asyncio.ensure_future(anext(pieces, None))
                await asyncio.wait({coming}, timeout=self._plan.chunk_ms / 1000 / TICKS_PER_CHUNK)
                self._mark_alive()
                if coming.done():
                    piece, coming = coming.result(), None
                    if piece is None:
                        return "stop"
                    self._live.add(piece)
                if self._is_flush_due() and (self._flushing is None or self._flushing.done()):
                    self._flushing = asyncio.ensure_future(self._flush())
            return reason
        finally:
            if coming is not None:
                coming.cancel()
                with suppress(asyncio.CancelledError, WaypostError, AnswerCutOff):
                    await coming

    def _reason_to_end(self) -> FinishReason | None:
        now = self._clock.now_ms()
        has_left = not self._live.readers and now - self._live.left_ms >= ANSWER_GRACE_SECONDS * 1000
        if self._live.stop_requested or has_left:
            return "stopped"
        is_long = self._live.length >= MAX_ANSWER_CHARACTERS or now - self._started_ms >= MAX_ANSWER_SECONDS * 1000
        return "length" if is_long or not self._live.has_room else None

    def _is_flush_due(self) -> bool:
        has_new_text = self._pieces_written != self._live.piece_counts
        # Without new text an empty chunk as a sign of life, half as often.
        interval_ms = self._plan.chunk_ms * (1 if has_new_text else 2)
        is_due = self._clock.now_ms() - self._written_ms >= interval_ms
        return is_due and self._meter.remaining > GENERATION_RESERVED_OPERATIONS

    async def _flush(self) -> None:
        """Runs beside the loop: writes a chunk and, when due, checks for a stop request and renews the conversation."""
        now = self._clock.now_ms()
        try:
            await self._write_chunk()
            if self._stop_check.is_due(now):
                await self._look_for_stop()
            if self._renewal.is_due(now):
                await self._append(self._message(is_open=True))
        except Unavailable as failure:
            self._log(f"an answer is not being saved at the moment: {failure.code}")

    async def _look_for_stop(self) -> None:
        request = await self._chunks.stop_request()
        self._live.stop_requested |= request != ""
        self._live.is_taken_over |= request == TAKEN_OVER

    async def _write_chunk(self, outcome: Outcome | None = None) -> None:
        self._written_ms = self._clock.now_ms()
        if self._unwritten is not None:
            # A refused write may have taken effect and been read: a number never gets another text.
            await self._write(self._unwritten)
        deltas, reasoning, events = self._pieces_written
        self._pieces_written = self._live.piece_counts
        text = "".join(self._live.deltas[deltas:])
        thought = "".join(self._live.reasoning[reasoning:])
        happened = self._live.tool_events[events:]
        await self._write(Chunk(self._written_ms, text, outcome, self._live.left_by, thought, happened))

    async def _write(self, chunk: Chunk) -> None:
        self._unwritten = chunk
        self._mark_alive()
        await self._chunks.write(self._number, chunk)
        self._unwritten = None
        self._number += 1
        self._longest_silence_ms = max(self._longest_silence_ms, self._silence_ms)
        self._sign_ms = chunk.written_ms

    @property
    def _silence_ms(self) -> int:
        """For how long other isolates have seen no sign of life, by now."""
        return self._clock.now_ms() - self._sign_ms

    async def _store(self, reason: FinishReason, failure: ModelError | RateLimited | None) -> Outcome:
        self._mark_alive()
        error = (failure.code, failure.detail) if failure else (None, None)
        message_count = self._turn.message_count
        outcome = Outcome(reason, message_count, *error)
        try:
            seemed_abandoned = max(self._longest_silence_ms, self._silence_ms) > self._plan.chunk_ms * (
                MISSED_INTERVALS - 1
            )
            if seemed_abandoned or self._live.tool_events:
                # While a tool works there are few signs of life, which other isolates may see late.
                await self._look_for_stop()
            if self._live.is_taken_over:
                return TAKEN_AWAY
            if not self._live.is_blank:
                await self._append(self._message(partial=outcome.is_partial))
            else:
                # Stopped before the first delta: the question stays, and an empty answer is no message.
                await self._conversation.append([], drops=[self._turn.answer.id])
                outcome = Outcome(reason, self._turn.unanswered_count)
        except Unavailable as refused:
            self._log(f"an answer was not kept: {refused.code}")
            outcome = Outcome("error", message_count, refused.code, refused.detail)
        return outcome

    async def _append(self, message: ChatMessage) -> None:
        # What goes on here may have been begun by a clock that is ahead.
        await self._conversation.append([message], is_later=bool(message.leg))

    async def _write_last_chunk(self, outcome: Outcome) -> None:
        try:
            await self._write_chunk(outcome)
        except Unavailable as refused:
            # Readers in other isolates will find the answer in the conversation.
            self._log(f"the last chunk of an answer was not written: {refused.code}")

    async def _take_back(self, undo: Callable[[], Awaitable[None]], failure: ModelError | RateLimited) -> Outcome:
        self._mark_alive()
        try:
            await undo()
        except Unavailable as refused:
            self._log(f"a question without an answer was not taken back: {refused.code}")
        count = self._turn.previous_count
        return Outcome("error", count, failure.code, failure.detail, True, failure.retry_after_seconds)

    def _mark_alive(self) -> None:
        # Also before each write: a write that is repeated takes a third of the silence that readers here allow.
        self._live.seen_ms = self._clock.now_ms()

    def _message(self, *, partial: bool = True, is_open: bool = False) -> ChatMessage:
        answer = self._turn.answer
        return ChatMessage(
            answer.id,
            "assistant",
            self._live.text,
            self._started_ms,
            reasoning="".join(self._live.reasoning),
            tool_events=list(self._live.tool_events),
            partial=partial,
            is_open=is_open,
            is_ui=answer.is_ui and is_open,
            place=answer.place,
            leg=answer.leg,
        )


class Interval:
    """Tells when an interval is over, and starts the next one."""

    def __init__(self, interval_ms: int, now_ms: int) -> None:
        self._interval_ms = interval_ms
        self._last_ms = now_ms

    def is_due(self, now_ms: int) -> bool:
        """Whether the interval is over. If so, the next one starts at `now_ms`."""
        if now_ms - self._last_ms < self._interval_ms:
            return False
        self._last_ms = now_ms
        return True
