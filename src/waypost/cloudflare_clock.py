"""The platform's clock and its timers, as the clock port.

What is made while one request is served must not be awaited by another. A promise may be resolved by another, though:
what waits for it goes on in the request that it belongs to, or is dropped if that is over. That is the compatibility
flag `handle_cross_request_promise_resolution`, on for every date from 2024-10-14:
https://developers.cloudflare.com/workers/configuration/compatibility-flags/#handling-cross-request-promise-resolution
"""

import asyncio
from typing import Any

import js

from waypost.bell import Bell


class CloudflareClock:
    """The platform's clock: it stands still while code runs, and moves on input and output."""

    def __init__(self) -> None:
        # Looked up once: several times in each request the two steps to it would cost more than the call.
        self._now = js.Date.now

    def now_ms(self) -> int:
        return int(self._now())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def bell(self) -> Bell:
        return _JsBell()


class _JsBell:
    """A promise for each wait, which the runtime's own timer or another request resolves, whichever comes first.

    No function of Python's is handed to JavaScript, so no proxy is left behind, and the timer is taken back: one of
    asyncio's would stay until its time is over.
    """

    def __init__(self) -> None:
        self._is_rung = False
        self._wake: Any = None

    def ring(self) -> None:
        self._is_rung = True
        if self._wake is not None:
            self._wake()

    async def wait(self, seconds: float) -> None:
        if not self._is_rung:
            waiting = js.Promise.withResolvers()
            self._wake = waiting.resolve
            timer = js.setTimeout(self._wake, seconds * 1000)
            try:
                await waiting.promise
            finally:
                # Also when the wait is given up: what hangs on the promise is freed with it.
                self._wake()
                self._wake = None
                js.clearTimeout(timer)
        self._is_rung = False
