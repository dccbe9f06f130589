"""One answer that is being given, with the store and the model that its giver has."""

from collections.abc import AsyncGenerator
from dataclasses import replace

from simulation.scripted_model import ScriptedModel, Step
from simulation.seeded_random import SeededRandom
from simulation.virtual_time import START_MS, VirtualClock
from tests.support.chats import told
from tests.support.namespace import Namespace
from waypost_worker.chat.chunks import Chunk, ChunkStore
from waypost_worker.chat.generation import Generation
from waypost_worker.chat.live_answer import AnswerInfo, LiveAnswer, Outcome
from waypost_worker.chat.turn import Turn
from waypost_worker.conversations.conversation import Conversation
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.kv.cursor import CursorFactory
from waypost_worker.kv.metered import MeteredKv
from waypost_worker.kv.retrying import RetryingKv
from waypost_worker.polling.invocation import Invocation
from waypost_worker.polling.plans import PAID, Plan

PLAN = replace(PAID, operations_per_invocation=100_000)


class Giving(Namespace[VirtualClock]):
    """A question that was asked, and an answer to it that can be given. Somebody listens, until `leave`."""

    def __init__(self, *steps: Step, plan: Plan = PLAN, ttl_seconds: int = 3600, is_ui: bool = True) -> None:
        super().__init__(VirtualClock())
        self.model = ScriptedModel(steps)
        self.log: list[str] = []
        self.undone = 0
        cursors = CursorFactory(self.clock, SeededRandom())
        self.id = cursors.issue("s")
        self.live = LiveAnswer(self.id, "q", START_MS)
        self.live.readers = 1
        self.meter = MeteredKv(self.kv, self.clock, plan.operations_per_invocation)
        retrying = RetryingKv(self.meter, self.clock, SeededRandom(1))
        self.conversation = Conversation(retrying, self.clock, cursors, {}, "s", ttl_seconds, 10, print)
        info = AnswerInfo(self.id, "s", "t", "r", "q", is_ui)
        invocation = Invocation(plan, self.clock, self.meter)
        chunks = ChunkStore(retrying, self.id)
        self.turn = Turn([], ChatMessage("q", "user", "Hi", START_MS), self.id, is_ui=is_ui, limit=10)
        self.generation = Generation(
            self.live, info, self.conversation, chunks, invocation, ttl_seconds, self.turn, self.log.append
        )

    async def begin(self) -> None:
        """Write question and open answer down, as is done before a model is asked."""
        await self.conversation.append(self.turn.added, cursor=self.id)
        self.kv.asked.clear()

    async def run(self, said: AsyncGenerator[str, None] | None = None) -> Outcome | None:
        await self.begin()
        await self.generation.run(said or self.model.stream([]), self.undo)
        return self.live.outcome

    async def undo(self) -> None:
        self.undone += 1
        items, drops = self.turn.rollback()
        await self.conversation.append(items, drops=drops)

    def leave(self) -> None:
        self.live.readers = 0
        self.live.left_ms = self.clock.now_ms()

    def fail(self, *prefixes: str) -> None:
        """From now on the store refuses to write what begins so; nothing at all: it takes everything again."""
        self.kv.fails = lambda operation, key: operation == "put" and key.startswith(prefixes)

    def written(self, prefix: str) -> list[str]:
        return [key for operation, key in self.kv.asked if operation == "put" and key.startswith(prefix)]

    async def kept(self) -> list[str]:
        return [told(item) for item in await self.conversation.read()]

    async def chunks(self) -> list[Chunk]:
        return await ChunkStore(self.kv.kv, self.id).read(0)
