"""Conversations: a journal of appends, and a snapshot that compaction makes of it.

Each append writes its own key, `conv:{id}:{cursor}` (the journal), so that concurrent appends both survive. When the
journal is long, or its oldest entry has lived half its time, it is compacted into `conv:{id}` (the snapshot). Reading
merges the two in order of the cursors, each message once, and returns the last N.

An append renews the whole conversation without rewriting it: keys live twice as long as the conversation, compaction
rewrites what is older than half its time, and a conversation whose newest entry is too old reads as empty.

Of two concurrent compactions that see different states of the store the later snapshot stays, which may lack entries
that the other one had; and a compaction may build on a snapshot that has been replaced. Therefore compacted entries
stay in the journal for a while. Once an entry is old enough to be visible everywhere, every compaction includes it.
Some time after the first such compaction, every reader sees a snapshot that includes it. Only then it is deleted.

Tombstones (drops, clears) stay in the snapshot for longer than anything that they remove can live: a message that
becomes visible late, or a copy of an answer whose generation has not seen the tombstone.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from waypost_worker.bounded_cache import BoundedCache
from waypost_worker.clock import Clock
from waypost_worker.conversations.journal import Change, Entry, Snapshot, items_of, keep, merge, origin_of
from waypost_worker.conversations.message import ChatMessage, ForkOrigin, last_messages
from waypost_worker.errors import Unavailable
from waypost_worker.kv.bulk import get_all
from waypost_worker.kv.cursor import CursorFactory, cursor_ms
from waypost_worker.kv.keys import cursor_of, journal_key, journal_prefix, snapshot_key
from waypost_worker.kv.store import Kv, fits_metadata, list_all
from waypost_worker.limits import (
    MAX_ANSWER_SECONDS,
    MAX_CACHE_BYTES,
    MAX_CACHED_SESSIONS,
    MAX_JOURNAL_LENGTH,
    MAX_WRITE_SECONDS,
    REORDER_WINDOW_SECONDS,
)

OLD_SNAPSHOT_MS = (REORDER_WINDOW_SECONDS + MAX_WRITE_SECONDS) * 1000
"""How long after a compaction a reader may still get a snapshot from before it."""

APPENDS_PER_CHECK = 5
"""Appends of one isolate after which it checks whether compaction is due; a check costs two operations."""


_decode_snapshot = msgspec.json.Decoder(Snapshot).decode
_decode_change = msgspec.json.Decoder(Change).decode


class History(NamedTuple):
    """The last messages of a conversation, oldest first, and where it was forked from. `older`: those before them that
    happen to be stored still."""

    items: list[ChatMessage]
    origin: ForkOrigin | None
    older: Sequence[ChatMessage] = ()


MAX_VIEW_AGE_MS = 5000
"""How old a view of the store may be when it is compacted: its age adds to the staleness that the reorder window allows
for."""

SEEN_BY_ALL_MS = (REORDER_WINDOW_SECONDS + MAX_WRITE_SECONDS) * 1000 + MAX_VIEW_AGE_MS
"""How long after its cursor an entry may be missing from a compaction, whose snapshot is written some time after it has
read the journal."""

CompactionChecks = BoundedCache[tuple[int, int]]
"""Conversation -> when this isolate last checked whether compaction is due (ms), and its appends since; may be lost."""


def compaction_checks() -> CompactionChecks:
    """A new cache of checks. The greatest lifetime of a conversation is a day; a check is due more often than that."""
    return BoundedCache(MAX_CACHED_SESSIONS, MAX_CACHE_BYTES, 24 * 3600)


class Conversation:
    """One conversation, as one request sees it; its last `limit` messages are kept.

    `name`: its session id. `log` gets failures to clean up, which no caller needs to handle.
    """

    def __init__(
        self,
        kv: Kv,
        clock: Clock,
        cursors: CursorFactory,
        checks: CompactionChecks,
        name: str,
        ttl_seconds: int,
        limit: int,
        log: Callable[[str], None],
    ) -> None:
        self._kv = kv
        self._clock = clock
        self._cursors = cursors
        self._checks = checks
        self._name = name
        self._ttl_seconds = ttl_seconds
        self._limit = limit
        self._log = log
        self._loaded: tuple[tuple[Snapshot, list[Entry]] | None, int] = (None, 0)

    @property
    def _key_ttl_seconds(self) -> int:
        # The append that checks for compaction may come 13/8 of the lifetime after the last one that did: up to 5/8
        # without a check, then a silence as long as the conversation lives. And nothing may expire before a running
        # answer ends.
        return self._ttl_seconds * 2 + MAX_ANSWER_SECONDS

    def new_cursor(self) -> str:
        """A cursor for a later append: greater than those of all appends of this isolate so far."""
        return self._cursors.issue(snapshot_key(self._name))

    async def append(
        self, items: Sequence[ChatMessage], *, drops: Sequence[str] = (), cursor: str | None = None
    ) -> str:
        """Adds `items` in their order, and drops the messages whose ids are in `drops`, in one write, which is in KV on
        return.

        Returns the cursor at which the messages stand: `cursor` if it is given, which may be older, or a new one.

        Raises:
            StorageUnavailable, BudgetSpent: the write was refused; it may have taken effect.
        """
        if cursor is None:
            return await self._write(Change(items, drops), self.new_cursor())
        # The entry itself gets a new cursor: its visibility counts from now, however old the place of its messages is.
        placed = [msgspec.structs.replace(item, place=item.place or cursor) for item in items]
        await self._write(Change(placed, drops), self.new_cursor())
        return cursor

    async def replace(self, items: Sequence[ChatMessage], origin: ForkOrigin | None = None) -> None:
        """Replaces all messages with the last `limit` of `items`."""
        await self._write(Change(last_messages(items, self._limit), clears=True, origin=origin), self.new_cursor())

    async def forget(self) -> None:
        """Deletes everything. A tombstone is written first, so that late writes can't resurrect it; then what it covers
        is removed. What can't be removed now expires.

        Raises:
            StorageUnavailable, BudgetSpent: the tombstone could not be written.
        """
        cursor = self.new_cursor()
        await self._write(Change(clears=True), cursor)
        try:
            snapshot, journal = await self._load()
            removed = await self._compact(snapshot, merge(journal, [Entry(cursor, Change(clears=True))]))
            for entry in journal:
                if entry.cursor < cursor and entry.cursor not in removed:
                    await self._empty(entry)
        except Unavailable as failure:
            # It can't be read any more; it only takes up space until it expires.
            self._log(f"deleted messages of a conversation were not removed: {failure.code}")

    async def compact_if_due(self) -> None:
        """Compacts the journal if that is due; call it after `append` or `read`. A failure is only logged: the next
        call tries again.

        What this object has just read is compacted without another read. Otherwise the store is checked once every
        few appends.
        """
        try:
            await self._compact_if_due()
        except Unavailable as failure:
            self._log(f"a conversation was not compacted: {failure.code}")

    async def _compact_if_due(self) -> None:
        now = self._clock.now_ms()
        loaded, loaded_ms = self._loaded
        if loaded is None or now - loaded_ms > MAX_VIEW_AGE_MS:
            checked_ms, appends = self._checks.get(self._name, now) or (0, 0)
            if appends + 1 < APPENDS_PER_CHECK and now - checked_ms < self._ttl_seconds * 125:
                self._checks.put(self._name, (checked_ms, appends + 1), now)
                return
            loaded = await self._load()
        self._checks.put(self._name, (now, 0), now)
        if self._is_due(*loaded):
            await self._compact(*loaded)

    async def read(self) -> list[ChatMessage]:
        """The last messages, at most `limit`, oldest first; never a tool's result without its call.

        Raises:
            StorageUnavailable, BudgetSpent
        """
        return (await self.history()).items

    async def history(self) -> History:
        """The same messages, and where the conversation was forked from."""
        self._loaded = await self._load(), self._clock.now_ms()
        snapshot, journal = self._loaded[0]
        entries = merge(snapshot.entries, journal)
        if not entries or self._clock.now_ms() - cursor_ms(entries[-1].cursor) > self._ttl_seconds * 1000:
            return History([], None)
        standing = items_of(entries)
        older = standing[: max(len(standing) - self._limit, 0)]
        return History(last_messages(standing, self._limit), origin_of(entries), older)

    async def _empty(self, entry: Entry) -> None:
        """Removes the messages of `entry`. Its tombstones stay: readers that do not see the newer clear yet would
        otherwise show again what they removed."""
        if entry.change.drops or entry.change.clears:
            rest = Change(drops=entry.change.drops, clears=entry.change.clears)
            await self._write(rest, entry.cursor)
        else:
            await self._kv.delete(journal_key(self._name, entry.cursor))

    async def _write(self, change: Change, cursor: str) -> str:
        text = msgspec.json.encode(change).decode()
        await self._kv.put(
            journal_key(self._name, cursor),
            # Also if it fits into the metadata: an entry that is rewritten may still be listed as it was.
            text,
            ttl_seconds=self._key_ttl_seconds,
            metadata=text if fits_metadata(text) else None,
        )
        return cursor

    async def _load(self) -> tuple[Snapshot, list[Entry]]:
        changes: dict[str, Change] = {}
        apart: list[str] = []
        async for keys in list_all(self._kv, journal_prefix(self._name)):
            for key in keys:
                if key.metadata is None:
                    apart.append(key.name)
                else:
                    changes[cursor_of(key.name)] = _decode_change(key.metadata)
        # The snapshot is read though it may not exist: KV may cache the miss, or an older snapshot, for a minute. That
        # loses nothing, since the entries of a snapshot stay in the journal for longer than that.
        wanted = [snapshot_key(self._name), *apart]
        found = await get_all(self._kv, wanted)
        text = found.pop(wanted[0], None)
        changes |= {cursor_of(name): _decode_change(value) for name, value in found.items()}
        return _decode_snapshot(text) if text else Snapshot(), [Entry(*change) for change in sorted(changes.items())]

    def _is_due(self, snapshot: Snapshot, journal: list[Entry]) -> bool:
        fresh = [entry for entry in journal if entry.cursor not in snapshot.folded_ms]
        written_ms = [snapshot.written_ms] if snapshot.entries else []
        oldest_ms = min([*written_ms, *(cursor_ms(entry.cursor) for entry in fresh)], default=None)
        is_old = oldest_ms is not None and self._clock.now_ms() - oldest_ms > self._ttl_seconds * 500
        return is_old or len(fresh) >= MAX_JOURNAL_LENGTH

    async def _compact(self, snapshot: Snapshot, journal: list[Entry]) -> set[str]:
        """Writes a new snapshot. Returns the cursors of the entries that it then deleted from the journal."""
        now = self._clock.now_ms()
        folded_ms = {entry.cursor: _folded_since(snapshot, entry.cursor, now) for entry in journal}
        settled = {cursor for cursor, since in folded_ms.items() if now - since > OLD_SNAPSHOT_MS}
        # What was written before this time, or by a generation that ran then, has expired.
        since_ms = now - 1000 * (self._key_ttl_seconds + MAX_ANSWER_SECONDS + REORDER_WINDOW_SECONDS)
        kept = keep(merge(snapshot.entries, journal), self._limit, since_ms)
        text = msgspec.json.encode(Snapshot(now, kept, folded_ms)).decode()
        await self._kv.put(snapshot_key(self._name), text, ttl_seconds=self._key_ttl_seconds)
        for cursor in sorted(settled):
            await self._kv.delete(journal_key(self._name, cursor))
        return settled


def _folded_since(snapshot: Snapshot, cursor: str, now: int) -> int:
    """Since when (ms) every snapshot has the entry: compactions count only once none can miss the entry any more."""
    since = snapshot.folded_ms.get(cursor, now)
    return since if since - cursor_ms(cursor) > SEEN_BY_ALL_MS else now
