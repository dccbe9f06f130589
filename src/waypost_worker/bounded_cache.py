"""The cache of an isolate: bounded in items, in bytes and in age, because every caller fills it and an isolate has
128 MB for all of them.

Plain data that may vanish at any time, and nothing to await.
"""

from collections import OrderedDict
from typing import Generic, TypeVar

ENTRY_BYTES = 400
"""What an entry costs besides its value: key, tuple, numbers and its place in the dictionary."""

V = TypeVar("V")


class BoundedCache(Generic[V]):
    """Values by key. Over a bound, the entries that were put longest ago are dropped first.

    An entry is never returned after `max_age_seconds`. Expired entries are removed with the next `put`, so that an idle
    isolate may hold them longer, within the bounds of items and bytes.
    """

    def __init__(self, max_items: int, max_bytes: int, max_age_seconds: int) -> None:
        self.max_items = max_items
        self.max_bytes = max_bytes
        self.bytes = 0
        """What the entries cost, by the sizes that `put` was given."""
        self._max_age_ms = max_age_seconds * 1000
        # Key -> (value, bytes, when it was put), in the order in which they were put.
        self._entries: OrderedDict[str, tuple[V, int, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def get(self, key: str, now_ms: int) -> V | None:
        """The value of `key`; `None` if there is none, or if it is too old."""
        entry = self._entries.get(key)
        return None if entry is None or now_ms - entry[2] >= self._max_age_ms else entry[0]

    def put(self, key: str, value: V, now_ms: int, size: int = 0) -> None:
        """Stores `value`, of about `size` bytes, as the newest entry. A value over the bound of bytes is not stored."""
        entries = self._entries
        self.pop(key)
        size += ENTRY_BYTES
        if size > self.max_bytes:
            return
        entries[key] = (value, size, now_ms)
        self.bytes += size
        # The clock may step back, so an entry that was put later may look older: it goes when it is the first.
        while (
            len(entries) > self.max_items
            or self.bytes > self.max_bytes
            or now_ms - next(iter(entries.values()))[2] >= self._max_age_ms
        ):
            self.bytes -= entries.popitem(last=False)[1][1]

    def pop(self, key: str) -> None:
        """Removes `key`, if it is there."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.bytes -= entry[1]
