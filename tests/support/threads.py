"""Threads in one namespace."""

from collections.abc import Sequence
from typing import Any

from tests.support.builders import SetClock
from tests.support.faulty_kv import FaultyKv
from waypost_worker.conversations.thread import RecentWrites, Thread, ThreadStore
from waypost_worker.kv.memory import MemoryKv

SECRET = b"a key for tests, 32 bytes or more"
ADA = "user:ada"


class Setting:
    """One namespace, and a store of threads on it."""

    def __init__(self, kv: type[MemoryKv] = MemoryKv) -> None:
        self.clock = SetClock()
        self.inner = kv(self.clock)
        self.kv = FaultyKv(self.inner, lambda *_: False)
        self.threads = ThreadStore(self.kv, self.clock, SECRET, RecentWrites())

    async def saved(self, thread_id: str = "t", resource_id: str = ADA, **options: Any) -> Thread:
        thread = self.threads.begin(resource_id, thread_id, **options)
        await self.threads.save(thread)
        return thread

    async def found(self, thread_id: str = "t") -> Thread:
        # As another isolate sees it, which remembers nothing.
        thread = await ThreadStore(self.kv, self.clock, SECRET, RecentWrites()).find(ADA, thread_id)
        assert thread is not None
        return thread

    async def operations(self) -> Sequence[str]:
        """What was asked of the store since the last time."""
        asked = [operation for operation, _ in self.kv.asked]
        self.kv.asked.clear()
        return asked
