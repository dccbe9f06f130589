"""Threads in one namespace."""

from typing import Any

from tests.support.builders import SetClock
from tests.support.namespace import Namespace
from waypost_worker.conversations.thread import RecentWrites, Thread, ThreadStore
from waypost_worker.kv.memory import MemoryKv

SECRET = b"a key for tests, 32 bytes or more"
ADA = "user:ada"


class Setting(Namespace[SetClock]):
    """One namespace, and a store of threads on it."""

    def __init__(self, store: type[MemoryKv] = MemoryKv) -> None:
        super().__init__(SetClock(), store)
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
