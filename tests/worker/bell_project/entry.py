"""A Worker with one wakeup for each name: `/wait/{name}/{seconds}` waits, `/ring/{name}` sets it from another request;
`/later/{seconds}` sets the clock ahead and returns the names of the wakeups that are lost now. `/step` returns
whether a step of a task has a stack of its own, on which it could block."""

import asyncio
from typing import Any

import js
from pyodide.ffi import can_run_sync
from workers import WorkerEntrypoint

from waypost_worker.cloudflare.clock import CloudflareClock
from waypost_worker.cloudflare.soon import run_soon_in_microtasks


class Clock(CloudflareClock):
    """Can be set ahead."""

    ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms


_clocks: list[Clock] = []
_wakeups: dict[str, Any] = {}


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        if not _clocks:
            _clocks.append(Clock())
            run_soon_in_microtasks(asyncio.get_running_loop())
        clock = _clocks[0]
        what, *parts = request.js_object.url.split("/")[3:]
        if what == "wait":
            name, seconds = parts
            wakeup = _wakeups.setdefault(name, clock.wakeup())
            began = js.Date.now()
            await wakeup.wait(float(seconds))
            return js.Response.new(str(js.Date.now() - began))
        if what == "ring":
            _wakeups[parts[0]].set()
        if what == "later":
            clock.ahead_ms += int(parts[0]) * 1000
            lost = sorted(name for name, wakeup in _wakeups.items() if wakeup.is_lost())
            return js.Response.new(" ".join(lost))
        if what == "step":
            return js.Response.new(str(await _stack_of_a_step()))
        return js.Response.new("")


async def _stack_of_a_step() -> bool:
    await asyncio.sleep(0)
    return can_run_sync()
