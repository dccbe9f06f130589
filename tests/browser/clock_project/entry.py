"""The entry point of a Worker in which time can pass: `PUT /clock/{seconds}` sets its clock ahead by that much more.

KV itself keeps the real time; what is too old to be shown is decided by the clock of the application.
"""

from typing import Any
from weakref import WeakSet

import js
from workers import WorkerEntrypoint, import_from_javascript

from waypost_worker.app import App
from waypost_worker.clock import Wakeup
from waypost_worker.cloudflare.clock import CloudflareClock
from waypost_worker.cloudflare.kv import CloudflareKv
from waypost_worker.cloudflare.worker import CloudflareRandom, serve
from waypost_worker.models.echo import EchoModel
from waypost_worker.settings import read_settings


class MovedClock(CloudflareClock):
    """The platform's clock, and what has been added to it."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead_ms = 0
        self._wakeups: WeakSet[Any] = WeakSet()

    def now_ms(self) -> int:
        return super().now_ms() + self._ahead_ms

    def wakeup(self) -> Wakeup:
        wakeup = super().wakeup()
        self._wakeups.add(wakeup)
        return wakeup

    def add(self, seconds: int) -> None:
        """Sets the clock ahead by `seconds` and wakes every wait, so that each checks whether it is due."""
        self._ahead_ms += seconds * 1000
        for wakeup in self._wakeups:
            wakeup.set()


_clocks: list[MovedClock] = []
_apps: list[App] = []


def _make_app(clock: MovedClock) -> App:
    env = import_from_javascript("cloudflare:workers").env
    settings = read_settings({"SIGNING_KEY": env.SIGNING_KEY})
    return App(settings, CloudflareKv(env.WAYPOST), clock, CloudflareRandom(), js.console.error, model=EchoModel(clock))


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        if not _apps:
            _clocks.append(MovedClock())
            _apps.append(_make_app(_clocks[0]))
        path = request.js_object.url.split("/", 3)[3]
        if path.startswith("clock/"):
            _clocks[0].add(int(path.split("/")[1]))
            return js.Response.new("")
        return await serve(_apps[0], request.js_object)
