"""An answer and a reader that follows it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace

from simulation.seeded_random import SeededRandom
from simulation.virtual_time import START_MS, VirtualClock
from tests.support.faulty_kv import FaultyKv
from waypost_worker.chat.answer_events import AnswerEvent, Position
from waypost_worker.chat.answer_stream import follow_live, follow_stored
from waypost_worker.chat.chunks import Chunk, ChunkStore
from waypost_worker.chat.live_answer import LiveAnswer, Outcome
from waypost_worker.conversations.conversation import Conversation, compaction_checks
from waypost_worker.conversations.message import ChatMessage, ToolEvent
from waypost_worker.kv.cursor import CursorFactory
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.metered import MeteredKv
from waypost_worker.kv.retrying import RetryingKv
from waypost_worker.kv.store import Kv, KvError
from waypost_worker.polling.invocation import Invocation
from waypost_worker.polling.plans import PAID, Plan

PLAN = replace(PAID, operations_per_invocation=100_000)
DONE = Outcome("stop", 2)


class Following:
    """An answer and a reader that follows it; `heard` has what the reader got, with the time in seconds."""

    def __init__(self, plan: Plan = PLAN, store: Kv | None = None, writer_store: Kv | None = None) -> None:
        self.clock = VirtualClock()
        self.kv = FaultyKv(store or MemoryKv(self.clock), lambda *_: False)
        self.meter = MeteredKv(self.kv, self.clock, plan.operations_per_invocation)
        self.invocation = Invocation(plan, self.clock, self.meter, SeededRandom())
        self.live = LiveAnswer("g", "q", START_MS)
        self.conversation = self.conversation_on(RetryingKv(self.meter, self.clock, SeededRandom(1)))
        self.writer_store = writer_store or self.kv.kv
        self.number = 0
        self.heard: list[tuple[AnswerEvent, float]] = []

    def conversation_on(self, kv: Kv) -> Conversation:
        return Conversation(
            kv, self.clock, CursorFactory(self.clock, SeededRandom()), compaction_checks(), "s", 3600, 10, print
        )

    def follow_live(self, start: int = 0, reasoning: int = 0, tools: int = 0) -> AsyncGenerator[AnswerEvent, None]:
        return follow_live(self.live, self.invocation, Position(start, reasoning, tools))

    def follow_stored(self, start: int = 0, reasoning: int = 0, tools: int = 0) -> AsyncGenerator[AnswerEvent, None]:
        position = Position(start, reasoning, tools)
        return follow_stored("g", ChunkStore(self.meter, "g"), self.conversation, self.invocation, position)

    async def hear(self, followed: AsyncGenerator[AnswerEvent, None]) -> list[AnswerEvent]:
        async with aclosing(followed):
            async for told in followed:
                self.heard.append((told, round(asyncio.get_running_loop().time(), 3)))
        return self.told

    @property
    def told(self) -> list[AnswerEvent]:
        return [told for told, _ in self.heard]

    async def write(
        self, text: str = "", outcome: Outcome | None = None, reasoning: str = "", events: Sequence[ToolEvent] = ()
    ) -> None:
        """Write the next chunk; again while it is refused."""
        chunk = Chunk(self.clock.now_ms(), text, outcome, reasoning=reasoning, tool_events=list(events))
        while True:
            with suppress(KvError):
                await ChunkStore(self.writer_store, "g").write(self.number, chunk)
                self.number += 1
                return
            await asyncio.sleep(1)

    async def keep(self, text: str, *, partial: bool = False) -> None:
        await self.conversation_on(self.writer_store).append([ChatMessage("g", "assistant", text, 0, partial=partial)])
