"""A request's body, read piece by piece: within its limit, and for as long as it keeps coming.

Whoever sends a byte every few seconds would otherwise hold a request open for as long as they like.
"""

from collections.abc import Callable
from typing import Protocol

from waypost_worker.clock import Clock
from waypost_worker.errors import BodyTimeout
from waypost_worker.limits import MAX_BODY_SECONDS, MAX_BODY_SILENCE_SECONDS


class BodySource(Protocol):
    """Where a body comes from."""

    async def read(self) -> bytes | None:
        """The next bytes; `None` at the end, or once it was given up."""
        ...

    def give_up(self) -> None:
        """Take no more of it: a `read` that waits ends."""
        ...


class Alarm(Protocol):
    """Rings later, without anybody waiting for it."""

    def set(self, seconds: float, ring: Callable[[], None]) -> Callable[[], None]:
        """Have `ring` called after `seconds`. What is returned must be called once in the end: it frees what is held,
        and there is no ringing any more."""
        ...


async def read_body(
    source: BodySource, limit: int, clock: Clock, alarm: Alarm, declared: int | None = None
) -> bytes | None:
    """The whole body, or `None` once it is known to be over `limit` bytes; what would come after that is not taken.

    `declared`: its Content-Length, if it has one. The server before this one sees to it that it is true, so once so
    many bytes are there, the end need not be waited for.

    Raises:
        BodyTimeout: nothing came for ten seconds, or it was not all there after a minute.
    """
    watch = _Watch(source, clock, alarm)
    try:
        chunk = await source.read()
        # The common case: all of it came at once.
        if chunk is not None and declared is not None and len(chunk) == declared <= limit:
            return chunk
        chunks: list[bytes] = []
        size = 0
        while chunk is not None:
            watch.heard()
            size += len(chunk)
            if size > limit:
                source.give_up()
                return None
            chunks.append(chunk)
            chunk = None if size == declared else await source.read()
    finally:
        watch.end()
    if watch.is_over:
        raise BodyTimeout(
            f"A body must not pause for {MAX_BODY_SILENCE_SECONDS} s, and be there within {MAX_BODY_SECONDS} s."
        )
    return b"".join(chunks)


class _Watch:
    """Gives a body up once it is late. It looks at the clock when an alarm rings, and sets none for each piece: a body
    may come in as many pieces as it has bytes."""

    def __init__(self, source: BodySource, clock: Clock, alarm: Alarm) -> None:
        self.is_over = False
        self._source = source
        self._clock = clock
        self._alarm = alarm
        self._began_ms = self._heard_ms = clock.now_ms()
        self._unset = [alarm.set(MAX_BODY_SILENCE_SECONDS, self._ring)]

    def heard(self) -> None:
        self._heard_ms = self._clock.now_ms()

    def end(self) -> None:
        for unset in self._unset:
            unset()

    def _ring(self) -> None:
        now = self._clock.now_ms()
        due_ms = min(self._heard_ms + MAX_BODY_SILENCE_SECONDS * 1000, self._began_ms + MAX_BODY_SECONDS * 1000)
        if now >= due_ms:
            self.is_over = True
            self._source.give_up()
        else:
            # The one that rings is freed with the others in the end, not in the middle of its call.
            self._unset.append(self._alarm.set((due_ms - now) / 1000, self._ring))
