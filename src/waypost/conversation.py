"""Conversations: appends that never meet, and a snapshot that is folded from them now and then.

Every append writes a key of its own, `conv:{id}:{cursor}` (the journal), so that two at once both survive. When the
journal is long, or its oldest entry has lived half its time, it is folded into `conv:{id}` (the snapshot). Reading
merges the two, in order of the cursors, each item once, and cuts to the last N.

Every append renews all that is kept, without rewriting it: keys live half as long again as the conversation, a fold
writes what is older than half its time anew, and a conversation whose newest entry is too old reads as empty.

Two folds at once, from views of the store that differ, leave the later snapshot, which may lack what the other had.
Therefore an entry stays in the journal until it has been in the snapshot for twice the reorder window: by the end of
the first, every fold sees the entry itself; by the end of the second, every reader sees a snapshot from after that.
"""

from collections.abc import Sequence

import msgspec

from waypost.clock import Clock
from waypost.cursor import CursorFactory, cursor_ms
from waypost.item import Item, cut
from waypost.keys import cursor_of, journal_key, journal_prefix, snapshot_key
from waypost.kv import Kv, fits_metadata, list_all
from waypost.limits import KV_MAX_BULK_KEYS, MAX_CACHED_SESSIONS, MAX_JOURNAL_LENGTH, REORDER_WINDOW_SECONDS

FOLDED_LONG_ENOUGH_MS = 2 * REORDER_WINDOW_SECONDS * 1000

APPENDS_PER_CHECK = 5
"""Appends of one isolate after which it looks whether a fold is due; a look costs two operations."""


class _Entry(msgspec.Struct, frozen=True):
    """Items that were appended together, under one cursor."""

    cursor: str
    items: list[Item]


class _Snapshot(msgspec.Struct, frozen=True):
    """`folded_ms`: since when entries that may still be in the journal are in the snapshot."""

    written_ms: int = 0
    entries: list[_Entry] = []
    folded_ms: dict[str, int] = {}


_decode_snapshot = msgspec.json.Decoder(_Snapshot).decode
_decode_items = msgspec.json.Decoder(list[Item]).decode


Checks = dict[str, tuple[int, int]]
"""Conversation -> when this isolate last looked if a fold is due, and its appends since; plain data, may vanish."""


class Conversation:
    """One conversation, as one request sees it; its last `limit` items are kept."""

    def __init__(
        self, kv: Kv, clock: Clock, cursors: CursorFactory, checks: Checks, name: str, ttl_seconds: int, limit: int
    ) -> None:
        self._kv = kv
        self._clock = clock
        self._cursors = cursors
        self._checks = checks
        self._name = name
        self._ttl_seconds = ttl_seconds
        self._limit = limit

    @property
    def _key_ttl_seconds(self) -> int:
        return self._ttl_seconds * 3 // 2 + 2 * REORDER_WINDOW_SECONDS

    async def append(self, items: Sequence[Item]) -> str:
        """Add `items`, together and in their order; their cursor. What this returns from is in KV."""
        cursor = self._cursors.issue(snapshot_key(self._name))
        text = msgspec.json.encode(items).decode()
        is_small = fits_metadata(text)
        await self._kv.put(
            journal_key(self._name, cursor),
            "" if is_small else text,
            ttl_seconds=self._key_ttl_seconds,
            metadata=text if is_small else None,
        )
        return cursor

    async def tidy(self) -> None:
        """To be called after `append`: folds the journal when that is due. Failing to costs nothing but time."""
        now = self._clock.now_ms()
        looked_ms, appends = self._checks.get(self._name, (0, 0))
        if appends + 1 < APPENDS_PER_CHECK and now - looked_ms < self._ttl_seconds * 125:
            self._checks[self._name] = (looked_ms, appends + 1)
            return
        if len(self._checks) >= MAX_CACHED_SESSIONS:
            self._checks.clear()
        self._checks[self._name] = (now, 0)
        snapshot, journal = await self._load()
        if self._is_due(snapshot, journal):
            await self._fold(snapshot, journal)

    async def read(self) -> list[Item]:
        """The last items, oldest first; no more than are kept, and never a tool's answer without its call."""
        entries = _merge(*await self._load())
        if not entries or self._clock.now_ms() - cursor_ms(entries[-1].cursor) > self._ttl_seconds * 1000:
            return []
        return cut(_items(entries), self._limit)

    async def _load(self) -> tuple[_Snapshot, list[_Entry]]:
        # A miss, or an older snapshot, may be remembered for a minute. That loses nothing: what a snapshot has is in
        # the journal for longer than that.
        text = await self._kv.get(snapshot_key(self._name))
        snapshot = _decode_snapshot(text) if text else _Snapshot()
        entries: dict[str, list[Item]] = {}
        apart: list[str] = []
        async for keys in list_all(self._kv, journal_prefix(self._name)):
            for key in keys:
                if key.metadata is None:
                    apart.append(key.name)
                else:
                    entries[cursor_of(key.name)] = _decode_items(key.metadata)
        for start in range(0, len(apart), KV_MAX_BULK_KEYS):
            values = await self._kv.get_many(apart[start : start + KV_MAX_BULK_KEYS])
            entries |= {cursor_of(name): _decode_items(value) for name, value in values.items()}
        return snapshot, [_Entry(cursor, items) for cursor, items in sorted(entries.items())]

    def _is_due(self, snapshot: _Snapshot, journal: list[_Entry]) -> bool:
        fresh = [entry for entry in journal if entry.cursor not in snapshot.folded_ms]
        written_ms = [snapshot.written_ms] if snapshot.entries else []
        oldest_ms = min([*written_ms, *(cursor_ms(entry.cursor) for entry in fresh)], default=None)
        is_old = oldest_ms is not None and self._clock.now_ms() - oldest_ms > self._ttl_seconds * 500
        return is_old or len(fresh) >= MAX_JOURNAL_LENGTH

    async def _fold(self, snapshot: _Snapshot, journal: list[_Entry]) -> None:
        now = self._clock.now_ms()
        settled = {cursor for cursor, since in snapshot.folded_ms.items() if now - since > FOLDED_LONG_ENOUGH_MS}
        folded_ms = {entry.cursor: snapshot.folded_ms.get(entry.cursor, now) for entry in journal}
        kept = _keep(_merge(snapshot, journal), self._limit)
        folded = _Snapshot(now, kept, {cursor: since for cursor, since in folded_ms.items() if cursor not in settled})
        text = msgspec.json.encode(folded).decode()
        await self._kv.put(snapshot_key(self._name), text, ttl_seconds=self._key_ttl_seconds)
        for cursor in sorted(settled & folded_ms.keys()):
            await self._kv.delete(journal_key(self._name, cursor))


def _merge(snapshot: _Snapshot, journal: list[_Entry]) -> list[_Entry]:
    merged = {entry.cursor: entry for entry in snapshot.entries} | {entry.cursor: entry for entry in journal}
    return [merged[cursor] for cursor in sorted(merged)]


def _items(entries: list[_Entry]) -> list[Item]:
    """Each item once: the first place where it stands."""
    items: dict[str, Item] = {}
    for entry in entries:
        for item in entry.items:
            items.setdefault(item.id, item)
    return list(items.values())


def _keep(entries: list[_Entry], limit: int) -> list[_Entry]:
    """The newest entries that hold `limit` different items; whole, since the cut is made when they are read."""
    ids: set[str] = set()
    for index in range(len(entries) - 1, -1, -1):
        if len(ids) >= limit:
            return entries[index + 1 :]
        ids.update(item.id for item in entries[index].items)
    return entries
