"""Conversations for tests: one store, seen by two isolates, on a clock that stands where it is put."""

from collections.abc import Callable, Sequence
from typing import Any

from simulation.seeded_random import SeededRandom
from tests.support.builders import SetClock
from tests.support.faulty_kv import Fault, FaultyKv
from tests.support.namespace import Namespace
from waypost_worker.conversations.conversation import (
    APPENDS_PER_CHECK,
    CompactionChecks,
    Conversation,
    compaction_checks,
)
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.conversations.recent_pops import RecentPops
from waypost_worker.kv.cursor import CursorFactory
from waypost_worker.kv.retrying import RetryingKv
from waypost_worker.kv.store import Kv, ListPage
from waypost_worker.limits import MAX_JOURNAL_LENGTH

TTL = 3600


class Setting(Namespace[SetClock]):
    """One conversation in one store, as two isolates see it. `kv.fails` can be set to make the store fail."""

    def __init__(self, limit: int = 10, ttl_seconds: int = TTL) -> None:
        super().__init__(SetClock())
        self.limit = limit
        self.ttl_seconds = ttl_seconds
        self.checks = compaction_checks()
        self.log: list[str] = []
        self.pops = RecentPops()
        self.here = self.isolate(0, self.checks, pops=self.pops)
        self.elsewhere = self.isolate(1, compaction_checks())
        self._compactions = 0

    def isolate(
        self, seed: int, checks: CompactionChecks, name: str = "c1", pops: RecentPops | None = None
    ) -> Conversation:
        """The conversation `name`, as another isolate sees it."""
        random = SeededRandom(seed)
        kv = RetryingKv(self.kv, self.clock, random)
        cursors = CursorFactory(self.clock, random)
        ttl_seconds, limit, log = self.ttl_seconds, self.limit, self.log.append
        return Conversation(kv, self.clock, cursors, checks, name, ttl_seconds, limit, log, pops=pops)

    async def journal(self) -> list[str]:
        """The keys of the journal."""
        return await self.keys("conv:c1:")

    async def snapshot(self) -> str | None:
        """The snapshot as it is stored."""
        return await self.kv.kv.get("conv:c1")

    async def compact(self) -> None:
        """So many appends that compaction is due."""
        self._compactions += 1
        await said(
            self.here, *(f"{self._compactions}-{number:03}" for number in range(MAX_JOURNAL_LENGTH + APPENDS_PER_CHECK))
        )


class HidingKv(FaultyKv):
    """Does not list what it `hides`, and lists `has_no_value` without a value: as a store that is behind."""

    has_no_value = ""

    def __init__(self, kv: Kv, fails: Fault) -> None:
        super().__init__(kv, fails)
        self.hides: Callable[[str], bool] = lambda key: False

    async def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        return {key: value for key, value in (await super().get_many(keys)).items() if key != self.has_no_value}

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        page = await super().list(prefix, cursor=cursor, limit=limit)
        return ListPage(tuple(key for key in page.keys if not self.hides(key.name)), page.cursor)


def item(id: str, content: Any = "text", **fields: Any) -> ChatMessage:
    """A message; the user's, unless `role` says otherwise."""
    return ChatMessage(id, fields.pop("role", "user"), content, 0, **fields)


def answer(id: str, content: str, **fields: Any) -> ChatMessage:
    """An assistant's message."""
    return item(id, content, role="assistant", **fields)


def ids(items: list[ChatMessage]) -> list[str]:
    """Whose items they are."""
    return [one.id for one in items]


async def said(conversation: Conversation, *names: str) -> None:
    """Append one message after the other, and compact after each if that is due."""
    for name in names:
        await conversation.append([item(name)])
        await conversation.compact_if_due()
