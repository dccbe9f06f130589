"""The platform's clock and its timers, as the clock port.

What is made while one request is served must not be awaited by another. A promise may be resolved by another, though:
what waits for it goes on in the request that it belongs to, or is dropped if that is over. That is the compatibility
flag `handle_cross_request_promise_resolution`, on for every date from 2024-10-14:
https://developers.cloudflare.com/workers/configuration/compatibility-flags/#handling-cross-request-promise-resolution
"""

import asyncio
from typing import Any

import js

from waypost_worker.clock import Wakeup


class CloudflareClock:
    """The platform's clock: it stands still while code runs, and moves on input and output."""

    def __init__(self) -> None:
        # Looked up once: several times in each request the two steps to it would cost more than the call.
        self._now = js.Date.now

    def now_ms(self) -> int:
        return int(self._now())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def wakeup(self) -> Wakeup:
        return _JsWakeup(self)


LOST_MS = 60_000
"""How late a timer can't be that still comes."""


class _JsWakeup:
    """A promise for each wait, which the runtime's own timer or another request resolves, whichever comes first.

    No function of Python's is handed to JavaScript, so no proxy is left behind, and the timer is taken back: one of
    asyncio's would stay until its time is over.
    """

    def __init__(self, clock: CloudflareClock) -> None:
        self._clock = clock
        self._is_rung = False
        self._is_lost = False
        self._lost_ms = 0
        self._wake: Any = None

    def set(self) -> None:
        self._is_rung = True
        if self._wake is not None:
            self._wake()

    async def wait(self, seconds: float) -> None:
        if not self._is_rung:
            self._lost_ms = self._clock.now_ms() + round(seconds * 1000) + LOST_MS
            waiting = js.Promise.withResolvers()
            wake = self._wake = waiting.resolve
            timer = js.setTimeout(wake, seconds * 1000)
            try:
                await waiting.promise
            except GeneratorExit:
                # Taken away by the garbage collector, while another request runs: its own is over, timers and all.
                raise
            except BaseException:
                # What hangs on the promise is freed with it.
                wake()
                self._end(timer)
                raise
            self._end(timer)
        self._is_rung = False

    def is_lost(self) -> bool:
        if self._wake is not None and self._clock.now_ms() >= self._lost_ms:
            # The promise holds the loop, and this held the promise: across two heaps no garbage collector sees that.
            self._wake = None
            self._is_lost = True
        return self._is_lost

    def _end(self, timer: Any) -> None:
        self._wake = None
        self._is_lost = False
        js.clearTimeout(timer)
