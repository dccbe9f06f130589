"""The same, entered as Waypost is; and `?times=` wake-ups after 6 ms each, by its wakeup."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import js
from workers import WorkerEntrypoint

from waypost_worker.cloudflare.clock import CloudflareClock
from waypost_worker.cloudflare.worker import enter_by


async def _fetch(request: Any) -> Any:
    query = urlsplit(request.js_object.url).query
    if query:
        wakeup = CloudflareClock().wakeup()
        for _ in range(int(parse_qs(query)["times"][0])):
            await wakeup.wait(0.006)
    return js.Response.new("{}")


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        return await _fetch(request)


enter_by(Default, _fetch)
