"""The pops that this isolate made in the last minutes, since a listing may not show them yet: of two pops in one
isolate that meet, each gets another message, and one that is repeated gets the same."""

import msgspec

from waypost_worker.bounded_cache import BoundedCache
from waypost_worker.conversations.journal import Change, Entry, Popped
from waypost_worker.limits import MAX_CACHE_BYTES, MAX_CACHED_SESSIONS, POP_REPEAT_SECONDS

MAX_REMEMBERED = 50
"""Pops of one conversation."""

_decode = msgspec.json.Decoder(Entry).decode


class RecentPops:
    """The entries that pops write, by conversation, from before the write. Plain data that may be lost at any time."""

    def __init__(self) -> None:
        # As JSON, whose size is known.
        self._entries: BoundedCache[tuple[bytes, ...]] = BoundedCache(
            MAX_CACHED_SESSIONS, MAX_CACHE_BYTES, POP_REPEAT_SECONDS
        )

    def of(self, conversation: str, now_ms: int) -> list[Entry]:
        """The remembered entries, oldest first."""
        return [_decode(text) for text in self._entries.get(conversation, now_ms) or ()]

    def add(self, conversation: str, entry: Entry, now_ms: int) -> None:
        """Remembers `entry`, and the newest ones before it that still fit."""
        texts = [msgspec.json.encode(entry)]
        size = len(texts[0])
        for text in reversed(self._entries.get(conversation, now_ms) or ()):
            size += len(text)
            if len(texts) == MAX_REMEMBERED or size > MAX_CACHE_BYTES // 2:
                break
            texts.append(text)
        self._entries.put(conversation, tuple(reversed(texts)), now_ms, sum(map(len, texts)) + 100 * len(texts))

    def forget_messages(self, conversation: str, now_ms: int) -> None:
        """Keeps the ids only of the pops of `conversation`."""
        entries = self.of(conversation, now_ms)
        self._entries.pop(conversation)
        for entry in entries:
            popped = entry.change.popped
            rest = Change(drops=entry.change.drops, popped=Popped(popped.id) if popped else None)
            self.add(conversation, Entry(entry.cursor, rest), now_ms)
