"""The platform's clock and timers, as the clock port.

An object made while one request is served must not be awaited by another. But another request may resolve a promise:
its awaiting code continues in the request that it belongs to, or is dropped if that has ended. This is the
compatibility flag `handle_cross_request_promise_resolution`, on for every date from 2024-10-14:
https://developers.cloudflare.com/workers/configuration/compatibility-flags/#handling-cross-request-promise-resolution
"""

import asyncio
import time
from typing import Any

import js

from waypost_worker.clock import Wakeup


class CloudflareClock:
    """The platform's clock: it stands still while code runs, and advances with input and output."""

    def __init__(self) -> None:
        # Looked up once: a look-up costs more than the call.
        self.with_resolvers = js.Promise.withResolvers
        self.set_timeout, self.clear_timeout = js.setTimeout, js.clearTimeout

    def now_ms(self) -> int:
        # `Date.now()`, called by WebAssembly itself. It has lost some nanoseconds on its way through a float.
        return (time.time_ns() + 500_000) // 1_000_000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def wakeup(self) -> Wakeup:
        return _JsWakeup(self)


LOST_MS = 60_000
"""A timer that is later than this will never fire."""


class _JsWakeup:
    """A promise for each wait, resolved by a timer of the runtime or by another request, whichever comes first.

    No Python function is passed to JavaScript, so no proxy leaks; and the timer is cleared, where one of asyncio would
    stay until it is due.
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
            waiting = self._clock.with_resolvers()
            wake = self._wake = waiting.resolve
            timer = self._clock.set_timeout(wake, seconds * 1000)
            try:
                await waiting.promise
            except GeneratorExit:
                # The garbage collector closes this while another request runs: its own has ended, with its timers.
                raise
            except BaseException:
                # Resolving frees what waits on the promise.
                wake()
                self._end(timer)
                raise
            self._end(timer)
        self._is_rung = False

    def is_lost(self) -> bool:
        if self._wake is not None and self._clock.now_ms() >= self._lost_ms:
            # The promise holds the loop, and this held the promise: a cycle across two heaps, which no garbage
            # collector sees.
            self._wake = None
            self._is_lost = True
        return self._is_lost

    def _end(self, timer: Any) -> None:
        self._wake = None
        self._is_lost = False
        self._clock.clear_timeout(timer)
