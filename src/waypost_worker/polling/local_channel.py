"""What requests that meet in one isolate tell each other: plain data, and a bell that says that there is some.

A reader's loop looks here between its looks at KV. A hint is noted only after KV has taken the message, so it says
nothing that KV would not say later; losing all hints (an eviction, another isolate) costs time and never a message.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from waypost_worker.clock import Bell, Bells
from waypost_worker.limits import MAX_HINT_CHANNELS, MAX_HINTS_PER_CHANNEL

T = TypeVar("T")


class Hints(Generic[T]):
    """Recent items by channel, both bounded; the least recently noted channel goes first."""

    def __init__(self) -> None:
        self._channels: OrderedDict[str, deque[tuple[int, T]]] = OrderedDict()
        self._count = 0
        self._bells: dict[str, Bells] = {}
        self._sweep_at = MAX_HINT_CHANNELS

    @contextmanager
    def listening(self, channel: str, bell: Bell) -> Iterator[None]:
        """Have `bell` rung at each note on `channel`, for as long as this lasts."""
        if len(self._bells) >= self._sweep_at:
            self._sweep()
        bells = self._bells.setdefault(channel, Bells())
        try:
            with bells.listening(bell):
                yield
        finally:
            if not bells and self._bells.get(channel) is bells:
                del self._bells[channel]

    def _sweep(self) -> None:
        for bells in self._bells.values():
            bells.drop_lost()
        self._bells = {channel: bells for channel, bells in self._bells.items() if bells}
        # Not at every call where so many are really open.
        self._sweep_at = max(MAX_HINT_CHANNELS, 2 * len(self._bells))

    @property
    def listeners(self) -> int:
        """On how many channels somebody listens."""
        return len(self._bells)

    def note(self, channel: str, item: T) -> None:
        """Tell the readers of `channel`, and wake those who listen."""
        self._count += 1
        items = self._channels.setdefault(channel, deque(maxlen=MAX_HINTS_PER_CHANNEL))
        items.append((self._count, item))
        self._channels.move_to_end(channel)
        if len(self._channels) > MAX_HINT_CHANNELS:
            self._channels.popitem(last=False)
        if channel in self._bells:
            self._bells[channel].ring()

    def mark(self) -> int:
        """Now, as a point to ask from."""
        return self._count

    def since(self, channel: str, mark: int) -> list[T]:
        """What was noted on `channel` after `mark`, oldest first, as far as it is still kept."""
        items = self._channels.get(channel)
        # The common case, a stream that looks and finds nothing new, must cost next to nothing.
        if not items or items[-1][0] <= mark:
            return []
        return [item for number, item in items if number > mark]
