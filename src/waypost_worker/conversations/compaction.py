"""Compaction: the snapshot that is made of a conversation's snapshot and journal, and when that is due.

Of two concurrent compactions that see different states of the store the later snapshot stays, which may lack entries
that the other one had; and a compaction may build on a snapshot that has been replaced. Therefore compacted entries
stay in the journal for a while. Once an entry is old enough to be visible everywhere, every compaction includes it.
Some time after the first such compaction, every reader sees a snapshot that includes it. Only then it is deleted.

Tombstones (drops, clears) stay in the snapshot for longer than anything that they remove can appear: a message that
becomes visible late, a copy of an answer whose generation has not seen the tombstone, or an older entry that is still
in the journal.
"""

from collections.abc import Sequence

from waypost_worker.conversations.journal import Entry, Snapshot, cut_off, keep, merge, newest_gone
from waypost_worker.conversations.window import Window
from waypost_worker.kv.cursor import cursor_ms
from waypost_worker.limits import MAX_JOURNAL_LENGTH, MAX_WRITE_SECONDS, REORDER_WINDOW_SECONDS, TOMBSTONE_SECONDS

OLD_SNAPSHOT_MS = (REORDER_WINDOW_SECONDS + MAX_WRITE_SECONDS) * 1000
"""How long after a compaction a reader may still get a snapshot from before it."""

LONG_JOURNAL_PART = 20
"""A journal grows while its entries are too young to be deleted. With a long one, checks and compactions wait until it
has grown by this part of its length: otherwise many quick appends would each pay for all before them."""

MAX_VIEW_AGE_MS = 5000
"""How old a view of the store may be when it is compacted: its age adds to the staleness that the reorder window allows
for."""

SEEN_BY_ALL_MS = (REORDER_WINDOW_SECONDS + MAX_WRITE_SECONDS) * 1000 + MAX_VIEW_AGE_MS
"""How long after its cursor an entry may be missing from a compaction, whose snapshot is written some time after it has
read the journal."""


def is_due(snapshot: Snapshot, journal: Sequence[Entry], now_ms: int, ttl_seconds: int) -> bool:
    """Whether a conversation that lives for `ttl_seconds` should be compacted: its journal is long, something in it or
    the snapshot has lived half its time, or was written when conversations lived shorter and would expire first."""
    fresh = [entry for entry in journal if entry.cursor not in snapshot.folded_ms]
    has_snapshot = bool(snapshot.entries)
    written_ms = [*([snapshot.written_ms] if has_snapshot else []), *(cursor_ms(entry.cursor) for entry in fresh)]
    lived = [*([snapshot.ttl_seconds] if has_snapshot else []), *(entry.change.ttl_seconds for entry in fresh)]
    if not written_ms:
        return False
    is_old = now_ms - min(written_ms) > ttl_seconds * 500
    is_long = len(fresh) >= max(MAX_JOURNAL_LENGTH, len(journal) // LONG_JOURNAL_PART)
    return is_old or is_long or min(lived) < ttl_seconds


def compacted(snapshot: Snapshot, journal: Sequence[Entry], window: Window, ttl_seconds: int, now_ms: int) -> Snapshot:
    """The next snapshot, in which `snapshot` and `journal` are merged."""
    folded_ms = {entry.cursor: _folded_since(snapshot, entry.cursor, now_ms) for entry in journal}
    # What was removed before this time can't appear any more: none of it is in the journal, and no writer that has not
    # seen its removal is left.
    oldest_ms = min((cursor_ms(entry.cursor) for entry in journal), default=now_ms)
    since_ms = min(now_ms - TOMBSTONE_SECONDS * 1000, oldest_ms)
    entries = merge(snapshot.entries, journal)
    cut = max(snapshot.cut, cut_off(entries, window))
    # Those in the journal too: the next compaction may delete them while a reader still has this snapshot.
    gone = max(snapshot.gone, newest_gone(entries, window))
    return Snapshot(now_ms, keep(entries, window, since_ms), folded_ms, cut, ttl_seconds, gone=gone)


def settled(snapshot: Snapshot) -> set[str]:
    """The cursors of entries that every reader finds in a snapshot by now, so that the journal need not have them."""
    return {cursor for cursor, since in snapshot.folded_ms.items() if snapshot.written_ms - since > OLD_SNAPSHOT_MS}


def _folded_since(snapshot: Snapshot, cursor: str, now: int) -> int:
    """Since when (ms) every snapshot has the entry: compactions count only once none can miss the entry any more."""
    since = snapshot.folded_ms.get(cursor, now)
    return since if since - cursor_ms(cursor) > SEEN_BY_ALL_MS else now
