"""The routes of threads, and the namespace behind them."""

from typing import Any
from urllib.parse import urlencode

from simulation.virtual_time import START_MS
from tests.support.namespace import Isolates
from waypost_worker.conversations.conversation import Conversation, compaction_checks
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.conversations.thread import RecentWrites, Thread, ThreadStore
from waypost_worker.models.model import Model

ADA = "user:ada@example.org"
START = "2026-01-01T00:00:00.000Z"
"""The time at which virtual time begins."""


class Setting(Isolates):
    """A client, and the namespace behind it."""

    def __init__(self, model: Model | None = None, /, **settings: Any) -> None:
        super().__init__(model, **settings)
        self.threads = ThreadStore(self.kv, self.clock, self.settings.signing_keys[0], RecentWrites())

    async def saved(self, thread_id: str = "t", resource_id: str = ADA, **metadata: Any) -> Thread:
        thread = self.threads.begin(resource_id, thread_id, metadata=metadata)
        await self.threads.save(thread)
        self.kv.asked.clear()
        return thread

    async def listed(self, resource_id: str = ADA, **parameters: str | int) -> Any:
        query = urlencode({"resourceId": resource_id, **parameters})
        reply = await self.client.call("GET", f"/api/sessions?{query}")
        return reply.json() | {"status": reply.status}

    async def delete(self, thread_id: str = "t", resource_id: str = ADA) -> Any:
        body = {"threadId": thread_id, "resourceId": resource_id}
        reply = await self.client.call("DELETE", "/api/sessions", body)
        return reply.json() | {"status": reply.status}

    async def describe(self, thread_id: str = "t", **fields: Any) -> Any:
        body = {"threadId": thread_id, "resourceId": ADA, **fields}
        reply = await self.client.call("POST", "/api/sessions/metadata", body)
        return reply.json() | {"status": reply.status}

    async def say(self, thread: Thread, text: str) -> None:
        await self._conversation(thread).append([ChatMessage(text, "user", text, START_MS)])

    async def said(self, thread: Thread) -> list[Any]:
        return [item.content for item in await self._conversation(thread).read()]

    def _conversation(self, thread: Thread) -> Conversation:
        cursors = self.client.app.isolate.cursors
        return Conversation(self.kv, self.clock, cursors, compaction_checks(), thread.session_id, 3600, 10, print)
