"""One generation of an answer, with its store and its model."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from simulation.scripted_model import ScriptedModel, Step
from simulation.virtual_time import START_MS, VirtualClock
from tests.support.chats import make_context, told
from tests.support.namespace import Namespace
from waypost_worker.chat.chunks import Chunk, ChunkStore
from waypost_worker.chat.early_pieces import Said
from waypost_worker.chat.generation import Generation
from waypost_worker.chat.live_answer import LiveAnswer, Outcome
from waypost_worker.chat.turn import Turn
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.kv.metered import MeteredKv
from waypost_worker.models.model import Piece, ToolUse
from waypost_worker.polling.plans import PAID, Plan
from waypost_worker.settings import Settings

PLAN = replace(PAID, operations_per_invocation=100_000)


class Generating(Namespace[VirtualClock]):
    """A question, and the generation of its answer. It has a reader until `leave`."""

    def __init__(self, *steps: Step, plan: Plan = PLAN, ttl_seconds: int = 3600, is_ui: bool = True) -> None:
        super().__init__(VirtualClock())
        self.model = ScriptedModel(steps)
        self.log: list[str] = []
        self.undone = 0
        self.entries: list[str] = []
        self.meter = MeteredKv(self.kv, self.clock, plan.operations_per_invocation)
        settings = Settings(plan=plan, conversation_ttl_seconds=ttl_seconds, history_limit=10)
        context = make_context(settings, self.meter, self.clock, self.model, log=self.log.append)
        self.id = context.cursors.issue("s")
        self.live = LiveAnswer(self.id, "q", START_MS)
        self.live.readers = 1
        self.conversation = context.conversation("s")
        self.turn = Turn([], ChatMessage("q", "user", "Hi", START_MS), self.id, is_ui=is_ui, limit=10)
        self.generation = Generation(context, self.conversation, self.turn, self.live)

    async def begin(self) -> None:
        """Writes question and open answer, as a chat does before it asks the model."""
        await self.conversation.append(self.turn.added, cursor=self.id, entries=self.entries)
        self.kv.asked.clear()

    async def run(self, deltas: AsyncGenerator[Said, None] | None = None) -> Outcome | None:
        await self.begin()
        await self.generation.run(deltas or _said(self.model.stream([])), self.undo)
        return self.live.outcome

    async def undo(self) -> None:
        self.undone += 1
        await self.conversation.retract(self.entries[0], [], drops=[self.id])

    def leave(self) -> None:
        self.live.readers = 0
        self.live.left_ms = self.clock.now_ms()

    def fail(self, *prefixes: str) -> None:
        """From now on the store refuses to write keys with these prefixes; without one it accepts all again."""
        self.kv.fails = lambda operation, key: operation == "put" and key.startswith(prefixes)

    def written(self, prefix: str) -> list[str]:
        return [key for operation, key in self.kv.asked if operation == "put" and key.startswith(prefix)]

    async def kept(self) -> list[str]:
        return [told(item) for item in await self.conversation.read()]

    async def chunks(self) -> list[Chunk]:
        return await ChunkStore(self.kv.kv, self.id).read(0)


async def _said(pieces: AsyncGenerator[Piece, None]) -> AsyncGenerator[Said, None]:
    """What the model says; it calls no tools."""
    async with aclosing(pieces):
        async for piece in pieces:
            assert not isinstance(piece, ToolUse)
            yield piece
