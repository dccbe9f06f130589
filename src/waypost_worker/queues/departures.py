"""Where two isolates serve one session, its streams leave the older one: their clients come back to the younger one.

An isolate that is being replaced (an update of the runtime, a deployment, too much memory) serves its open streams for
up to 20 minutes, while new requests reach another isolate. What those queue is found in KV only, seconds later. So a
stream ends when it has sent a message that a younger isolate accepted: its client reconnects, and that request is new.

Nothing may flap where both isolates go on, as in two locations: the client may come back to the older one. By the times
that each isolate states of itself, at most one of two is the younger, so that they can't send a client to and fro. And
the older one remembers what it was left for: it does not end streams for the same isolate again, nor more than once a
minute.
"""

from typing import NamedTuple

from waypost_worker.bounded_cache import BoundedCache
from waypost_worker.limits import MAX_CACHE_BYTES, MAX_CACHED_SESSIONS

YOUNGER_SECONDS = 5
"""An isolate that began so much later is younger. Others are of one age: their clocks differ by seconds."""

PAUSE_SECONDS = 60
"""The time from one departure to the next one in the same queue."""

MEMORY_SECONDS = 600
"""Two streams' lives: how long the isolate remembers what it was left for."""


class _Departure(NamedTuple):
    at_ms: int
    isolate_born_ms: int


class Departures:
    """The streams that left this isolate for a younger one; one per isolate. `born_ms`: when the isolate began."""

    def __init__(self, born_ms: int) -> None:
        self._born_ms = born_ms
        self._last: BoundedCache[_Departure] = BoundedCache(MAX_CACHED_SESSIONS, MAX_CACHE_BYTES, MEMORY_SECONDS)

    def leaves(self, scope: str, opened_ms: int, isolate_born_ms: int, now_ms: int) -> bool:
        """Whether a stream of the queue `scope`, open since `opened_ms`, ends now because it has sent a message that an
        isolate accepted which began at `isolate_born_ms`. If so, it must end.

        All streams that were open at the first departure may follow it; those that were opened later have come back.
        """
        if not self._is_younger(isolate_born_ms, self._born_ms):
            return False
        last = self._last.get(scope, now_ms)
        departure = _Departure(now_ms, isolate_born_ms)
        if last is not None and opened_ms <= last.at_ms:
            departure = _Departure(last.at_ms, max(isolate_born_ms, last.isolate_born_ms))
        elif last is not None:
            is_soon = now_ms - last.at_ms < PAUSE_SECONDS * 1000
            if is_soon or not self._is_younger(isolate_born_ms, last.isolate_born_ms):
                return False
        self._last.put(scope, departure, now_ms)
        return True

    @staticmethod
    def _is_younger(born_ms: int, other_born_ms: int) -> bool:
        return born_ms - other_born_ms > YOUNGER_SECONDS * 1000
