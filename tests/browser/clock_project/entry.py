"""The entry point of a Worker in which time can pass: `PUT /clock/{seconds}` sets its clock ahead by that much more.

KV itself keeps the real time; what is too old to be shown is decided by the clock of the application.
"""

from typing import Any

import js
from workers import WorkerEntrypoint, import_from_javascript

from waypost.app import App
from waypost.cloudflare import CloudflareClock, CloudflareRandom, serve
from waypost.cloudflare_kv import CloudflareKv
from waypost.echo_model import EchoModel
from waypost.settings import read_settings


class MovedClock(CloudflareClock):
    """The platform's clock, and what has been added to it."""

    ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms


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
            _clocks[0].ahead_ms += int(path.split("/")[1]) * 1000
            return js.Response.new("")
        return await serve(_apps[0], request.js_object, self.ctx)
