"""The entry point of a Worker that can create many threads in one call: `PUT /threads/{resource}/{count}`."""

import asyncio
from typing import Any

import js
from workers import WorkerEntrypoint

from waypost_worker.app import App
from waypost_worker.cloudflare.clock import CloudflareClock
from waypost_worker.cloudflare.worker import make_app, serve
from waypost_worker.conversations.thread import RecentWrites, ThreadStore
from waypost_worker.kv.store import Kv

_stores: list[Kv] = []
_apps: list[App] = []


def _around(kv: Kv) -> Kv:
    _stores.append(kv)
    return kv


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        if not _apps:
            _apps.append(make_app(_around))
        path = request.js_object.url.split("/", 3)[3]
        if path.startswith("threads/"):
            _, resource_id, count = path.split("/")
            return js.Response.new(await _fill(resource_id, int(count)))
        return await serve(_apps[0], request.js_object)


async def _fill(resource_id: str, count: int) -> str:
    """Save `count` threads; each has its number as metadata."""
    threads = ThreadStore(_stores[0], CloudflareClock(), b"of no matter here", RecentWrites())
    begun = [threads.begin(resource_id, f"t{number:04d}", metadata={"n": number}) for number in range(count)]
    await asyncio.gather(*(threads.save(thread) for thread in begun))
    return str(len(begun))
