"""The entry point of a Worker whose store fails on request: `PUT /faults` with a JSON object of the fields below.

What is in front of the store is the application as it is; the store behind the faults is the real binding.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

import js
import msgspec
from workers import WorkerEntrypoint

from waypost_worker.app import App
from waypost_worker.cloudflare.kv import CloudflareKv
from waypost_worker.cloudflare.worker import make_app, serve
from waypost_worker.http.loads import Loads
from waypost_worker.kv.delegating import DelegatingKv
from waypost_worker.kv.store import Kv, KvError, ListPage
from waypost_worker.queues.message import Message
from waypost_worker.queues.message_channel import MessageChannel
from waypost_worker.queues.queue import Queues

P = ParamSpec("P")
T = TypeVar("T")


class Faults(msgspec.Struct):
    """`refuse`: operation -> probability. `slow`: operation -> seconds; otherwise `delay_seconds`. `stale_seconds`: the
    age of a listing. `forget`: no local channel. `thrown`: operation -> the text of the error that the binding throws.
    """

    refuse: dict[str, float] = {}
    delay_seconds: float = 0.0
    slow: dict[str, float] = {}
    stale_seconds: float = 0.0
    forget: bool = False
    thrown: dict[str, str] = {}


class FaultyNamespace:
    """In front of the namespace's binding: throws as the platform does, in JavaScript, the text that `thrown` has for
    an operation. `asked`: the operations that it was asked for since then."""

    def __init__(self, namespace: Any) -> None:
        self.namespace = namespace
        self.thrown: dict[str, str] = {}
        self.asked: list[str] = []

    def __getattr__(self, operation: str) -> Any:
        def call(*args: Any) -> Any:
            self.asked.append(operation)
            if text := self.thrown.get(operation):
                return js.Promise.reject(js.Error.new(text))
            return getattr(self.namespace, operation)(*args)

        return call


class FaultyKv(DelegatingKv):
    """In front of the real store."""

    def __init__(self, kv: Kv) -> None:
        super().__init__(kv)
        self.faults = Faults()
        self.listings: dict[tuple[str, str | None], tuple[float, ListPage]] = {}

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        await self._meet("list")
        now = js.Date.now() / 1000
        kept = self.listings.get((prefix, cursor))
        if kept and now - kept[0] < self.faults.stale_seconds:
            return kept[1]
        page = await self.kv.list(prefix, cursor=cursor, limit=limit)
        self.listings[prefix, cursor] = (now, page)
        return page

    async def _around(self, operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        await self._meet(operation.__name__.removesuffix("_many"))
        return await operation(*args, **kwargs)

    async def _meet(self, operation: str) -> None:
        if seconds := self.faults.slow.get(operation, self.faults.delay_seconds):
            await asyncio.sleep(seconds)
        if random.random() < self.faults.refuse.get(operation, 0):
            raise KvError(f"{operation} refused")


_stores: list[FaultyKv] = []
_namespaces: list[FaultyNamespace] = []
_apps: list[App] = []


def _around(kv: Kv) -> Kv:
    assert isinstance(kv, CloudflareKv)
    _namespaces.append(FaultyNamespace(kv._namespace))
    kv._namespace = _namespaces[0]
    _stores.append(FaultyKv(kv))
    return _stores[0]


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        if not _apps:
            _apps.append(make_app(_around))
        app, store, path = _apps[0], _stores[0], request.js_object.url.split("/", 3)[3]
        if path == "faults":
            store.faults = msgspec.json.decode(await request.js_object.text(), type=Faults)
            _namespaces[0].thrown = store.faults.thrown
            _namespaces[0].asked.clear()
            # As at midnight: what is set now is tried immediately.
            app.isolate.daily_limits.__init__(app.clock)
            return js.Response.new("")
        if path == "asked":
            return js.Response.new(json.dumps(Counter(_namespaces[0].asked)))
        if path.startswith("backlog/"):
            _, code, count = path.split("/")
            return js.Response.new(await _fill(app, store.kv, code, int(count)))
        if store.faults.forget:
            app.isolate.messages.__init__(app.clock)
            app.isolate.changes.__init__(app.clock)
        return await serve(app, request.js_object)


async def _fill(app: App, kv: Kv, code: str, count: int) -> str:
    """Queues `count` requests concurrently."""
    loads = Loads(app.isolate.loads, None, app.clock)
    queues = Queues(kv, code, app.isolate.cursors, MessageChannel(app.clock), 3600, loads)
    numbered = (msgspec.Raw(b'{"n":%d}' % number) for number in range(count))
    messages = [Message("request", "", tool="work", args=args) for args in numbered]
    queued = await asyncio.gather(*(queues.push_request(message, None) for message in messages))
    return str(len(queued))
