"""Conversations: appends that never meet, and a snapshot that is folded from them now and then.

Every append writes a key of its own, `conv:{id}:{cursor}` (the journal), so that two at once both survive. When the
journal is long, or its oldest entry has lived half its time, it is folded into `conv:{id}` (the snapshot). Reading
merges the two, in order of the cursors, each item once, and cuts to the last N.

Every append renews all that is kept, without rewriting it: keys live twice as long as the conversation, a fold writes
what is older than half its time anew, and a conversation whose newest entry is too old reads as empty.

Two folds at once, from views of the store that differ, leave the later snapshot, which may lack what the other had; and
a fold may build on a snapshot that has been replaced. Therefore what was folded stays in the journal for a while. Once
an entry is old enough for everybody to see it, every fold has it; some time after the first such fold, every reader
sees a snapshot from after that. Only then it goes.

What takes something away (drops, clears) stays in the snapshot for longer than all that it may meet can live: an item
that shows up late, or a copy of an answer that somebody gives who has not heard of it.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

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
    MAX_CACHED_SESSIONS,
    MAX_JOURNAL_LENGTH,
    MAX_WRITE_SECONDS,
    REORDER_WINDOW_SECONDS,
)

FOLDED_LONG_ENOUGH_MS = (REORDER_WINDOW_SECONDS + MAX_WRITE_SECONDS) * 1000
"""How long after a fold somebody may still read a snapshot from before it."""

APPENDS_PER_CHECK = 5
"""Appends of one isolate after which it looks whether a fold is due; a look costs two operations."""


_decode_snapshot = msgspec.json.Decoder(Snapshot).decode
_decode_change = msgspec.json.Decoder(Change).decode


class History(NamedTuple):
    """The last items of a conversation, oldest first, and where it was forked from."""

    items: list[ChatMessage]
    origin: ForkOrigin | None


MAX_VIEW_AGE_MS = 5000
"""How old a view may be that is folded: its age adds to the staleness that the reorder window allows for."""

SEEN_BY_ALL_MS = (REORDER_WINDOW_SECONDS + MAX_WRITE_SECONDS) * 1000 + MAX_VIEW_AGE_MS
"""How long after its cursor an entry may be missing from somebody's fold, which is written a while after it looked."""

CompactionChecks = dict[str, tuple[int, int]]
"""Conversation -> when this isolate last looked if a fold is due, and its appends since; plain data, may vanish."""


class Conversation:
    """One conversation, as one request sees it; its last `limit` items are kept. What it fails to clean up, and
    nobody needs to be told, it says to `log`."""

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
        # The append that looks for a fold may come 13/8 of the time after the last one: up to 5/8 without a look, and a
        # silence as long as the conversation lives. And nothing may end before an answer that is being given.
        return self._ttl_seconds * 2 + MAX_ANSWER_SECONDS

    def new_cursor(self) -> str:
        """A place in the conversation, for an append to come: later than all that this isolate has appended."""
        return self._cursors.issue(snapshot_key(self._name))

    async def append(
        self, items: Sequence[ChatMessage], *, drops: Sequence[str] = (), cursor: str | None = None
    ) -> str:
        """Add `items`, together and in their order, after taking away those named in `drops`; the cursor where they
        stand, which may be one made before. What this returns from is in KV."""
        if cursor is None:
            return await self._write(Change(items, drops), self.new_cursor())
        # The entry itself has a cursor of its own: everybody sees it some time after that, however long ago its place
        # was made.
        placed = [msgspec.structs.replace(item, place=item.place or cursor) for item in items]
        await self._write(Change(placed, drops), self.new_cursor())
        return cursor

    async def replace(self, items: Sequence[ChatMessage], origin: ForkOrigin | None = None) -> None:
        """Forget all that there is, and hold `items` instead: the last ones, as many as are kept."""
        await self._write(Change(last_messages(items, self._limit), clears=True, origin=origin), self.new_cursor())

    async def forget(self) -> None:
        """Forget all that there is. The word for it is written first, so that nothing of it can come back; what it
        covers is then removed as far as that goes, and expires otherwise."""
        cursor = self.new_cursor()
        await self._write(Change(clears=True), cursor)
        try:
            snapshot, journal = await self._load()
            removed = await self._compact(snapshot, merge(journal, [Entry(cursor, Change(clears=True))]))
            for entry in journal:
                if entry.cursor < cursor and entry.cursor not in removed:
                    await self._empty(entry)
        except Unavailable as failure:
            # Nobody can read it any more; it is only still there.
            self._log(f"what a conversation forgot was not removed: {failure.code}")

    async def compact_if_due(self) -> None:
        """To be called after `append` or `read`: folds the journal when that is due. Failing to costs nothing but time,
        and is only logged.

        What was read just before is folded as it was; otherwise it looks, after some appends, at what there is.
        """
        try:
            await self._tidy()
        except Unavailable as failure:
            self._log(f"a conversation was not folded: {failure.code}")

    async def _tidy(self) -> None:
        now = self._clock.now_ms()
        loaded, loaded_ms = self._loaded
        if loaded is None or now - loaded_ms > MAX_VIEW_AGE_MS:
            looked_ms, appends = self._checks.get(self._name, (0, 0))
            if appends + 1 < APPENDS_PER_CHECK and now - looked_ms < self._ttl_seconds * 125:
                self._checks[self._name] = (looked_ms, appends + 1)
                return
            loaded = await self._load()
        if len(self._checks) >= MAX_CACHED_SESSIONS:
            self._checks.clear()
        self._checks[self._name] = (now, 0)
        if self._is_due(*loaded):
            await self._compact(*loaded)

    async def read(self) -> list[ChatMessage]:
        """The last items, oldest first; no more than are kept, and never a tool's answer without its call."""
        return (await self.history()).items

    async def history(self) -> History:
        """The same, and where the conversation was forked from."""
        self._loaded = await self._load(), self._clock.now_ms()
        snapshot, journal = self._loaded[0]
        entries = merge(snapshot.entries, journal)
        if not entries or self._clock.now_ms() - cursor_ms(entries[-1].cursor) > self._ttl_seconds * 1000:
            return History([], None)
        return History(last_messages(items_of(entries), self._limit), origin_of(entries))

    async def _empty(self, entry: Entry) -> None:
        """Remove the items of `entry`. What it takes away must not come back for those who do not know yet that all
        was forgotten, so that much of it stays."""
        if entry.change.drops or entry.change.clears:
            rest = Change(drops=entry.change.drops, clears=entry.change.clears)
            await self._write(rest, entry.cursor)
        else:
            await self._kv.delete(journal_key(self._name, entry.cursor))

    async def _write(self, change: Change, cursor: str) -> str:
        text = msgspec.json.encode(change).decode()
        await self._kv.put(
            journal_key(self._name, cursor),
            # Also what fits into the metadata: an entry that is written anew may be listed as it was before.
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
        # The snapshot is asked for though it may not be there: a miss, or an older one, may be remembered for a minute.
        # That loses nothing, since what a snapshot has is in the journal for longer than that.
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
        """Write the snapshot anew; the cursors of those entries that then could be removed from the journal."""
        now = self._clock.now_ms()
        folded_ms = {entry.cursor: _folded_since(snapshot, entry.cursor, now) for entry in journal}
        settled = {cursor for cursor, since in folded_ms.items() if now - since > FOLDED_LONG_ENOUGH_MS}
        # Until whatever was written by then, or by a giver of an answer, has expired.
        since_ms = now - 1000 * (self._key_ttl_seconds + MAX_ANSWER_SECONDS + REORDER_WINDOW_SECONDS)
        kept = keep(merge(snapshot.entries, journal), self._limit, since_ms)
        text = msgspec.json.encode(Snapshot(now, kept, folded_ms)).decode()
        await self._kv.put(snapshot_key(self._name), text, ttl_seconds=self._key_ttl_seconds)
        for cursor in sorted(settled):
            await self._kv.delete(journal_key(self._name, cursor))
        return settled


def _folded_since(snapshot: Snapshot, cursor: str, now: int) -> int:
    """Since when the entry is in every snapshot: a fold that others could still make without it does not count."""
    since = snapshot.folded_ms.get(cursor, now)
    return since if since - cursor_ms(cursor) > SEEN_BY_ALL_MS else now
