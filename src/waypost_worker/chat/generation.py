"""Giving an answer: listens to the model, lets readers see each word at once, and keeps what was said.

It runs beside the reply, so that a client that goes away does not end it. What is said is written to KV about once a
second, and the whole as an item of the conversation at the end; so whatever happens to this isolate, a reader finds
what there was, marked as partial.
"""

import asyncio
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress

from waypost_worker.chat.chunks import Chunk, ChunkStore
from waypost_worker.chat.live_answer import AnswerInfo, FinishReason, LiveAnswer, Outcome
from waypost_worker.chat.turn import Turn
from waypost_worker.conversations.conversation import Conversation
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import ModelError, ModelFailed, Unavailable, WaypostError
from waypost_worker.limits import (
    ANSWER_GRACE_SECONDS,
    GENERATION_RESERVED_OPERATIONS,
    MAX_ANSWER_CHARACTERS,
    MAX_ANSWER_SECONDS,
)
from waypost_worker.models.model import AnswerCutOff
from waypost_worker.polling.invocation import Invocation

TICK_SECONDS = 0.1
"""How often it looks up from listening: whether to stop, and whether something is to be written."""


class Generation:
    """Gives the answer `info`, which `exchange` made room for; what readers in this isolate see of it is `live`."""

    def __init__(
        self,
        live: LiveAnswer,
        info: AnswerInfo,
        conversation: Conversation,
        chunks: ChunkStore,
        invocation: Invocation,
        ttl_seconds: int,
        turn: Turn,
        log: Callable[[str], None],
    ) -> None:
        self._live = live
        self._info = info
        self._conversation = conversation
        self._chunks = chunks
        self._plan = invocation.plan
        self._meter = invocation.meter
        self._clock = invocation.clock
        self._turn = turn
        self._log = log
        now = self._clock.now_ms()
        self._started_ms = now
        self._written_ms = now
        self._stop_look = Interval(self._plan.stop_look_ms, now)
        # A quarter of its time: the conversation must outlive the answer, and a write may take a while to be seen.
        self._renewal = Interval(ttl_seconds * 250, now)
        self._number = 0
        self._deltas_written = 0
        self._unwritten: Chunk | None = None
        self._flushing: asyncio.Task[None] | None = None

    async def run(self, said: AsyncGenerator[str, None], undo: Callable[[], Awaitable[None]]) -> None:
        """Listen to `said` to its end, and keep it; never raises. If nothing is said at all, `undo` takes the exchange
        back."""
        reason: FinishReason = "error"
        failure: WaypostError | None = None
        try:
            async with aclosing(said):
                reason = await self._listen(said)
        except AnswerCutOff:
            reason = "length"
        except WaypostError as error:
            failure = error
        except Exception:
            self._log(f"a model broke off\n{traceback.format_exc()}")
            failure = ModelFailed("The model broke off.")
        if isinstance(failure, ModelError) and failure.log_detail:
            self._log(f"{failure.code}: {failure.log_detail}")
        if self._flushing is not None:
            await self._flushing
        if failure is not None and not self._live.deltas:
            await self._take_back(undo)
            self._live.failure = failure
            self._live.outcome = Outcome("error")
        else:
            self._live.outcome = await self._keep(reason, failure)

    async def _listen(self, said: AsyncGenerator[str, None]) -> FinishReason:
        coming: asyncio.Task[str | None] | None = None
        try:
            while (reason := self._reason_to_end()) is None:
                if coming is None:
                    coming = asyncio.ensure_future(anext(said, None))
                await asyncio.wait({coming}, timeout=TICK_SECONDS)
                self._show_life()
                if coming.done():
                    text, coming = coming.result(), None
                    if text is None:
                        return "stop"
                    self._live.add(text)
                if self._has_work() and (self._flushing is None or self._flushing.done()):
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
        if self._live.stop_wanted or has_left:
            return "stopped"
        is_long = self._live.characters >= MAX_ANSWER_CHARACTERS or now - self._started_ms >= MAX_ANSWER_SECONDS * 1000
        return "length" if is_long else None

    def _has_work(self) -> bool:
        has_news = len(self._live.deltas) > self._deltas_written
        # Without news a sign of life, half as often.
        interval_ms = self._plan.chunk_ms * (1 if has_news else 2)
        is_due = self._clock.now_ms() - self._written_ms >= interval_ms
        return is_due and self._meter.remaining > GENERATION_RESERVED_OPERATIONS

    async def _flush(self) -> None:
        """Beside listening: writes a piece, and, when that is due, asks whether to stop and renews the conversation."""
        now = self._clock.now_ms()
        try:
            await self._write_chunk()
            if self._stop_look.is_due(now) and await self._chunks.is_stop_requested():
                self._live.stop_wanted = True
            if self._renewal.is_due(now):
                await self._conversation.append([self._item(is_open=True)])
        except Unavailable as failure:
            self._log(f"an answer is not being saved at the moment: {failure.code}")

    async def _write_chunk(self, outcome: Outcome | None = None) -> None:
        self._written_ms = self._clock.now_ms()
        if self._unwritten is not None:
            # What was refused may have been written all the same and read: a number never gets another text.
            await self._write(self._unwritten)
        text = "".join(self._live.deltas[self._deltas_written :])
        self._deltas_written = len(self._live.deltas)
        await self._write(Chunk(self._written_ms, text, outcome))

    async def _write(self, chunk: Chunk) -> None:
        self._unwritten = chunk
        self._show_life()
        await self._chunks.write(self._number, chunk)
        self._unwritten = None
        self._number += 1

    async def _keep(self, reason: FinishReason, failure: WaypostError | None) -> Outcome:
        self._show_life()
        error = (failure.code, failure.detail) if failure else (None, None)
        message_count = self._turn.message_count
        outcome = Outcome(reason, message_count, *error)
        try:
            if self._live.deltas:
                await self._conversation.append([self._item(partial=outcome.is_partial)])
            else:
                # Stopped before the first word: the question stays, and an empty answer is none.
                await self._conversation.append([], drops=[self._info.generation_id])
                outcome = Outcome(reason, self._turn.unanswered_count)
        except Unavailable as refused:
            self._log(f"an answer was not kept: {refused.code}")
            outcome = Outcome("error", message_count, refused.code, refused.detail)
        if self._number or self._unwritten:
            try:
                await self._write_chunk(outcome)
            except Unavailable as refused:
                # Who follows it from elsewhere will find it in the conversation.
                self._log(f"the last piece of an answer was not written: {refused.code}")
        return outcome

    async def _take_back(self, undo: Callable[[], Awaitable[None]]) -> None:
        try:
            await undo()
        except Unavailable as refused:
            self._log(f"a question without an answer was not taken back: {refused.code}")

    def _show_life(self) -> None:
        # To those in this isolate; an operation that is repeated takes a third of their patience.
        self._live.seen_ms = self._clock.now_ms()

    def _item(self, *, partial: bool = True, is_open: bool = False) -> ChatMessage:
        return ChatMessage(
            self._info.generation_id,
            "assistant",
            self._live.text,
            self._started_ms,
            partial=partial,
            is_open=is_open,
            is_ui=self._info.is_ui and is_open,
            place=self._info.generation_id,
        )


class Interval:
    """Says when an interval is over, and begins the next one."""

    def __init__(self, interval_ms: int, now_ms: int) -> None:
        self._interval_ms = interval_ms
        self._last_ms = now_ms

    def is_due(self, now_ms: int) -> bool:
        """Whether it is over; asking begins the next one."""
        if now_ms - self._last_ms < self._interval_ms:
            return False
        self._last_ms = now_ms
        return True
