"""What requests that meet in one isolate tell each other: plain data, and a bell that says that there is some.

A reader's loop looks here between its looks at KV. A hint is noted only after KV has taken the message, so it says
nothing that KV would not say later; losing all hints (an eviction, another isolate) costs time and never a message.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from waypost_worker.clock import Wakeup, Wakeups
from waypost_worker.limits import MAX_LOCAL_ITEMS_PER_TOPIC, MAX_LOCAL_TOPICS

T = TypeVar("T")


class LocalChannel(Generic[T]):
    """Recent items by channel, both bounded; the least recently noted channel goes first."""

    def __init__(self) -> None:
        self._topics: OrderedDict[str, deque[tuple[int, T]]] = OrderedDict()
        self._count = 0
        self._wakeups: dict[str, Wakeups] = {}
        self._sweep_at = MAX_LOCAL_TOPICS

    @contextmanager
    def subscribe(self, topic: str, wakeup: Wakeup) -> Iterator[None]:
        """Have `bell` rung at each note on `channel`, for as long as this lasts."""
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
        # Not at every call where so many are really open.
        self._sweep_at = max(MAX_LOCAL_TOPICS, 2 * len(self._wakeups))

    @property
    def listeners(self) -> int:
        """On how many channels somebody listens."""
        return len(self._wakeups)

    def publish(self, topic: str, item: T) -> None:
        """Tell the readers of `channel`, and wake those who listen."""
        self._count += 1
        items = self._topics.setdefault(topic, deque(maxlen=MAX_LOCAL_ITEMS_PER_TOPIC))
        items.append((self._count, item))
        self._topics.move_to_end(topic)
        if len(self._topics) > MAX_LOCAL_TOPICS:
            self._topics.popitem(last=False)
        if topic in self._wakeups:
            self._wakeups[topic].set()

    def position(self) -> int:
        """Now, as a point to ask from."""
        return self._count

    def since(self, topic: str, position: int) -> list[T]:
        """What was noted on `channel` after `mark`, oldest first, as far as it is still kept."""
        items = self._topics.get(topic)
        # The common case, a stream that looks and finds nothing new, must cost next to nothing.
        if not items or items[-1][0] <= position:
            return []
        return [item for number, item in items if number > position]
