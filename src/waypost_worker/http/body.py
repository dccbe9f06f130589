"""Reads a request's body in chunks, within limits of size, silence and time.

Without the limits of time, a client could hold a request open by sending a byte every few seconds.
"""

from collections.abc import Callable
from typing import Protocol

from waypost_worker.clock import Clock
from waypost_worker.errors import BodyTimeout
from waypost_worker.http.body_budget import BodyShare
from waypost_worker.limits import (
    BODY_MEMORY_FACTOR,
    MAX_BODY_SECONDS,
    MAX_BODY_SILENCE_SECONDS,
    MAX_DECODED_BODY_BYTES,
    MAX_LARGE_BODY_SECONDS,
    MAX_USUAL_BODY_BYTES,
    PASSED_ON_MEMORY_FACTOR,
)

DISCARD_SILENCE_SECONDS = 1
"""How long a body that is discarded may pause. Its request is refused already: its reply must not wait for long."""


class BodySource(Protocol):
    """Where a body comes from."""

    async def read(self) -> bytes | None:
        """The next bytes; `None` at the end, or after `give_up`."""
        ...

    def give_up(self) -> None:
        """Stop reading: a `read` that waits returns `None`."""
        ...


class Alarm(Protocol):
    """A timer that calls a function, for code that does not await it."""

    def set(self, seconds: float, ring: Callable[[], None]) -> Callable[[], None]:
        """Calls `ring` after `seconds`. Returns a function that cancels the timer and frees it; it must be called once,
        also after the ring."""
        ...


async def read_body(
    source: BodySource, limit: int, clock: Clock, alarm: Alarm, share: BodyShare, declared: int | None = None
) -> bytes | None:
    """The whole body, or `None` once it is known to exceed `limit` bytes; the rest is then left in `source`.

    `share`: counts each chunk; and what the body takes when it is decoded, unless `limit` is that of bodies which are
    not.

    `declared`: its Content-Length, or `None`. The server in front of this one enforces it, so once that many bytes have
    arrived, the end need not be awaited.

    Raises:
        BodyTimeout: nothing arrived for ten seconds, or not all of it within a minute (three, if it may be large).
        Busy: `share` has no room for it; the rest is left in `source`.
    """
    decodes = limit <= MAX_DECODED_BODY_BYTES
    max_seconds = MAX_BODY_SECONDS if limit <= MAX_USUAL_BODY_BYTES else MAX_LARGE_BODY_SECONDS
    watch = _Watch(source, clock, alarm, max_seconds)
    try:
        chunk = await source.read()
        # The common case: the first chunk is the whole body.
        if chunk is not None and declared is not None and len(chunk) == declared <= limit:
            share.take(_weight(declared, decodes))
            if decodes:
                share.take_decoding(chunk)
            return chunk
        chunks: list[bytes] = []
        size = 0
        while chunk is not None:
            watch.heard()
            size += len(chunk)
            if size > limit:
                return None
            share.take(_weight(len(chunk), decodes))
            chunks.append(chunk)
            chunk = None if size == declared else await source.read()
        body = b"".join(chunks)
        if decodes and not watch.is_over:
            share.take_decoding(body)
    finally:
        watch.end()
    if watch.is_over:
        raise BodyTimeout(
            f"A body must not pause for {MAX_BODY_SILENCE_SECONDS} s, and must be complete within {max_seconds} s."
        )
    return body


def _weight(size: int, decodes: bool) -> int:
    return size if decodes else -(-size * PASSED_ON_MEMORY_FACTOR // BODY_MEMORY_FACTOR)


async def discard_body(source: BodySource, clock: Clock, alarm: Alarm) -> None:
    """Reads what is left in `source`, and keeps none of it. Gives up after a second without bytes, or a minute."""
    watch = _Watch(source, clock, alarm, MAX_BODY_SECONDS, DISCARD_SILENCE_SECONDS)
    try:
        while await source.read() is not None:
            watch.heard()
    finally:
        watch.end()


class _Watch:
    """Gives a body up once it is late. Checks the clock when an alarm rings, instead of setting an alarm for each
    chunk: a body may come in as many chunks as it has bytes."""

    def __init__(
        self,
        source: BodySource,
        clock: Clock,
        alarm: Alarm,
        max_seconds: int,
        silence_seconds: int = MAX_BODY_SILENCE_SECONDS,
    ) -> None:
        self.is_over = False
        self._max_seconds = max_seconds
        self._silence_ms = silence_seconds * 1000
        self._source = source
        self._clock = clock
        self._alarm = alarm
        self._began_ms = self._heard_ms = clock.now_ms()
        self._unset = [alarm.set(silence_seconds, self._ring)]

    def heard(self) -> None:
        self._heard_ms = self._clock.now_ms()

    def end(self) -> None:
        for unset in self._unset:
            unset()

    def _ring(self) -> None:
        now = self._clock.now_ms()
        due_ms = min(self._heard_ms + self._silence_ms, self._began_ms + self._max_seconds * 1000)
        if now >= due_ms:
            self.is_over = True
            self._source.give_up()
        else:
            # The alarm that rings is freed at the end, like the others: not within its own call.
            self._unset.append(self._alarm.set((due_ms - now) / 1000, self._ring))
