"""A stream that ends by itself leaves behind what the next one of its client needs in order to go on as if it had not.

Without this, each reconnect would look at KV immediately and then often, as a stream does that begins. Streams end
every few minutes, or every minute on the free plan, and that would be a large part of what an idle one costs.

It is valid for a client that comes back to the same isolate soon, with the id of the last event that it was sent: so it
has missed nothing here, and what it is owed from elsewhere comes with the next look, as it would have.
"""

from typing import NamedTuple

from waypost_worker.bounded_cache import BoundedCache
from waypost_worker.limits import MAX_CACHE_BYTES, MAX_CACHED_SESSIONS
from waypost_worker.polling.schedule import Pace
from waypost_worker.polling.wake_up_key import UNTOLD, Told

HANDOVER_SECONDS = 30
"""How long a client may take to come back; most take a second."""


class Handover(NamedTuple):
    """`position`: in the local channel; `pace`: of the looks at KV; `told`: by the wake-up key."""

    position: int
    pace: Pace
    told: Told = UNTOLD


class Handovers:
    """One per isolate."""

    def __init__(self) -> None:
        self._by_cursor: BoundedCache[Handover] = BoundedCache(MAX_CACHED_SESSIONS, MAX_CACHE_BYTES, HANDOVER_SECONDS)

    def leave(self, cursor: str, handover: Handover, now_ms: int) -> None:
        """Leaves `handover` for the client that comes back with `cursor`."""
        size = len(cursor) + len(handover.told.text) + sum(map(len, handover.told.awaited))
        self._by_cursor.put(cursor, handover, now_ms, size)

    def take(self, cursor: str, now_ms: int) -> Handover | None:
        """What was left for `cursor`, once."""
        handover = self._by_cursor.get(cursor, now_ms)
        self._by_cursor.pop(cursor)
        return handover
