"""The progress of one call: sent in order, one report at a time. Of reports that wait, the last one is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class ProgressSender:
    """`send`: sends the JSON of a report, and never raises but for cancellation."""

    def __init__(self, send: Callable[[bytes], Awaitable[None]]) -> None:
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._next: bytes | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    def report(self, report: bytes) -> None:
        """Takes a report, from any thread."""
        try:
            is_here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            is_here = False
        if is_here:
            self._put(report)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, report)

    async def close(self) -> None:
        """Drops the report that waits, and returns when none is being sent, so that the answer comes last."""
        self._is_closed = True
        self._next = None
        if self._task is not None:
            await asyncio.wait([self._task])

    def _put(self, report: bytes) -> None:
        if self._is_closed:
            return
        self._next = report
        if self._task is None or self._task.done():
            self._task = self._loop.create_task(self._drain())

    async def _drain(self) -> None:
        while self._next is not None:
            report, self._next = self._next, None
            await self._send(report)
