"""Publish and subscribe between the requests of one isolate: plain data, and wakeups for the loops that read it.

A reader's loop reads the channel between its polls of KV. What an item says is in KV when it is published, but for
messages (`queues/message_channel.py`). The channel may lose items (an eviction, another isolate); the reader then finds
them in KV, later.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from typing import Generic, TypeVar

from waypost_worker.clock import Clock, Wakeup, Wakeups
from waypost_worker.limits import (
    MAX_LOCAL_BYTES,
    MAX_LOCAL_ITEMS_PER_TOPIC,
    MAX_LOCAL_TOPICS,
    REORDER_WINDOW_SECONDS,
)

T = TypeVar("T")

MAX_AGE_MS = REORDER_WINDOW_SECONDS * 1000
"""Older items are dropped with the next `publish`."""

ITEM_BYTES = 200
"""What an item costs besides itself, with its share of a topic."""

_Topic = deque[tuple[int, T, int, int]]
"""The items of a topic: `(number, item, bytes, when it was published)`."""


class LocalChannel(Generic[T]):
    """Recent items by topic, bounded in number, bytes and age; the topic with the oldest last item is dropped first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # In the order of their last items.
        self._topics: OrderedDict[str, _Topic[T]] = OrderedDict()
        self._count = 0
        self.bytes = 0
        """What the items cost, by the sizes that `publish` was given."""
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

    def has_subscriber(self, topic: str) -> bool:
        """Whether a loop that is not lost listens to `topic`."""
        wakeups = self._wakeups.get(topic)
        if wakeups is None:
            return False
        wakeups.drop_lost()
        return bool(wakeups)

    def publish(self, topic: str, item: T, size: int = 0) -> None:
        """Adds `item`, of about `size` bytes, to `topic`, and wakes the subscribers."""
        self._count += 1
        now = self._clock.now_ms()
        items = self._topics.get(topic)
        if items is None:
            items = self._topics[topic] = deque()
        else:
            self._topics.move_to_end(topic)
        items.append((self._count, item, size + ITEM_BYTES, now))
        self.bytes += size + ITEM_BYTES
        while len(items) > MAX_LOCAL_ITEMS_PER_TOPIC or now - items[0][3] > MAX_AGE_MS:
            self.bytes -= items.popleft()[2]
        while self._topics and (
            len(self._topics) > MAX_LOCAL_TOPICS
            or self.bytes > MAX_LOCAL_BYTES
            or now - next(iter(self._topics.values()))[-1][3] > MAX_AGE_MS
        ):
            self.bytes -= sum(dropped[2] for dropped in self._topics.popitem(last=False)[1])
        self.wake(topic)

    def drop(self, topic: str, is_dropped: Callable[[T], bool]) -> None:
        """Removes the items of `topic` that `is_dropped` accepts. Readers may have had them."""
        items = self._topics.get(topic, deque())
        kept = deque(entry for entry in items if not is_dropped(entry[1]))
        self.bytes -= sum(entry[2] for entry in items) - sum(entry[2] for entry in kept)
        if kept:
            self._topics[topic] = kept
        else:
            self._topics.pop(topic, None)

    def wake(self, topic: str) -> None:
        """Wakes the subscribers of `topic` without an item."""
        if topic in self._wakeups:
            self._wakeups[topic].set()

    def position(self) -> int:
        """The present position, for a later `since`."""
        return self._count

    def has_since(self, topic: str, position: int) -> bool:
        """Whether `since` returns something. Cheap: mostly a stream finds nothing new."""
        items = self._topics.get(topic)
        return items is not None and items[-1][0] > position

    def since(self, topic: str, position: int) -> list[T]:
        """The items published on `topic` after `position`, oldest first, as far as they are still there."""
        if not self.has_since(topic, position):
            return []
        items = self._topics[topic]
        if items[0][0] > position:
            # All of them: by C alone, since a response asks for all requests of its session.
            return list(map(itemgetter(1), items))
        return [entry[1] for entry in items if entry[0] > position]
