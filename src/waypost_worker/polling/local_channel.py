"""Publish and subscribe between the requests of one isolate: plain data, and wakeups for the loops that read it.

A reader's loop reads the channel between its polls of KV. An item is published only after KV has accepted it, so KV has
everything that the channel has. The channel may lose items (an eviction, another isolate); the reader then finds them
in KV, later.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from waypost_worker.clock import Wakeup, Wakeups
from waypost_worker.limits import MAX_LOCAL_ITEMS_PER_TOPIC, MAX_LOCAL_TOPICS

T = TypeVar("T")


class LocalChannel(Generic[T]):
    """Recent items by topic. Items and topics are bounded; the topic with the oldest last item is dropped first."""

    def __init__(self) -> None:
        self._topics: OrderedDict[str, deque[tuple[int, T]]] = OrderedDict()
        self._count = 0
        self._wakeups: dict[str, Wakeups] = {}
        self._sweep_at = MAX_LOCAL_TOPICS

    @contextmanager
    def subscribe(self, topic: str, wakeup: Wakeup) -> Iterator[None]:
        """Sets `wakeup` at each item published on `topic`, for the length of the `with` block."""
        if len(self._wakeups) >= self._sweep_at:
            self._sweep()
        wakeups = self._wakeups.setdefault(topic, Wakeups())
        try:
            with wakeups.subscribe(wakeup):
                yield
        finally:
            if not wakeups and self._wakeups.get(topic) is wakeups:
                del self._wakeups[topic]

    def _sweep(self) -> None:
        for wakeups in self._wakeups.values():
            wakeups.drop_lost()
        self._wakeups = {topic: wakeups for topic, wakeups in self._wakeups.items() if wakeups}
        # Not at every call if that many are really open.
        self._sweep_at = max(MAX_LOCAL_TOPICS, 2 * len(self._wakeups))

    @property
    def listeners(self) -> int:
        """The number of topics with a subscriber."""
        return len(self._wakeups)

    def publish(self, topic: str, item: T) -> None:
        """Adds `item` to `topic`, and wakes the subscribers."""
        self._count += 1
        items = self._topics.setdefault(topic, deque(maxlen=MAX_LOCAL_ITEMS_PER_TOPIC))
        items.append((self._count, item))
        self._topics.move_to_end(topic)
        if len(self._topics) > MAX_LOCAL_TOPICS:
            self._topics.popitem(last=False)
        if topic in self._wakeups:
            self._wakeups[topic].set()

    def position(self) -> int:
        """The present position, for a later `since`."""
        return self._count

    def since(self, topic: str, position: int) -> list[T]:
        """The items published on `topic` after `position`, oldest first, as far as they are still there."""
        items = self._topics.get(topic)
        # The common case, a stream that finds nothing new, must be cheap.
        if not items or items[-1][0] <= position:
            return []
        return [item for number, item in items if number > position]
