"""Planted bugs of streams that end early so that their clients meet a younger isolate (see `planted.py`)."""

from collections.abc import AsyncGenerator
from typing import Any

from simulation.replaced import replaced
from waypost_worker.queues import event_stream
from waypost_worker.queues.departures import YOUNGER_SECONDS, Departures
from waypost_worker.queues.feed import Feed


def flaps() -> Any:
    """The isolate does not remember what it was left for: a client that comes back to it is sent away again."""

    def leaves(self: Any, scope: str, opened_ms: int, isolate_born_ms: int, now_ms: int) -> bool:
        return bool(self._is_younger(isolate_born_ms, self._born_ms))

    return replaced(Departures, "leaves", leaves)


def leaves_before_the_batch_is_out() -> Any:
    """A stream ends when it has read the message of a younger isolate, and not when it has sent it."""

    async def look(feed: Any, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        async for batch in original(feed, *args, **kwargs):
            if feed.leaves():
                return
            yield batch

    original = event_stream._look
    return replaced(event_stream, "_look", look)


def leaves_for_an_older_isolate() -> Any:
    """A stream ends after the message of any isolate that is not of the same age."""

    def is_another(born_ms: int, other_born_ms: int) -> bool:
        return born_ms > 0 and abs(born_ms - other_born_ms) > YOUNGER_SECONDS * 1000

    return replaced(Departures, "_is_younger", staticmethod(is_another))


def leaves_with_what_it_holds_back() -> Any:
    """A stream ends though its last look held something back, since the older host has left meanwhile."""
    return replaced(Feed, "is_holding", property(lambda self: False))


DEPARTURE_BUGS = (flaps, leaves_before_the_batch_is_out, leaves_for_an_older_isolate, leaves_with_what_it_holds_back)
