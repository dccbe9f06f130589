"""What a conversation's entries come to: the same items in the same order, whoever merges them and when.

An entry is one write: items that are added, ids of items that are dropped, or the word that all before is forgotten.
Merging knows no order of arrival. An item stands where its entry's cursor (or its own `place`) puts it; of several
copies the first whole one counts, else the last; and what an entry drops or clears is gone if it stands before that
entry and is not of it, also when it shows up later.
"""

from collections.abc import Iterable, Sequence

import msgspec

from waypost_worker.conversations.message import ChatMessage, ForkOrigin
from waypost_worker.kv.cursor import cursor_ms


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one append does. `drops`: ids of items before it; `clears`: all items before it."""

    items: Sequence[ChatMessage] = ()
    drops: Sequence[str] = ()
    clears: bool = False
    origin: ForkOrigin | None = None


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A change, and where it stands."""

    cursor: str
    change: Change


class Snapshot(msgspec.Struct, frozen=True):
    """Entries that were folded; `folded_ms`: since when those that may still be in the journal are in here."""

    written_ms: int = 0
    entries: list[Entry] = []
    folded_ms: dict[str, int] = {}


def merge(*sources: Iterable[Entry]) -> list[Entry]:
    """All entries, each once, in order."""
    merged = {entry.cursor: entry for source in sources for entry in source}
    return [merged[cursor] for cursor in sorted(merged)]


def items_of(entries: Sequence[Entry]) -> list[ChatMessage]:
    """The items that are left, in order; `entries` are sorted."""
    return [item for _, item in _standing(entries)]


def origin_of(entries: Sequence[Entry]) -> ForkOrigin | None:
    """Where the conversation was forked from, unless it was cleared since."""
    cleared = _cleared(entries)
    origins = [entry.change.origin for entry in entries if entry.change.origin and entry.cursor >= cleared]
    return origins[-1] if origins else None


def keep(entries: Sequence[Entry], limit: int, since_ms: int) -> list[Entry]:
    """What a snapshot has to hold of `entries`: the copies that count of the last `limit` items, the origin, and the
    newest entry's place, since it says how old the conversation is.

    Also drops, and the last clear: what they take away may show up after them, or be written after them by somebody
    who has not seen them. Those from before `since_ms` have nothing left to take away.
    """
    kept: dict[str, list[ChatMessage]] = {}
    for cursor, item in _standing(entries)[-limit:]:
        kept.setdefault(cursor, []).append(item)
    cleared = _cleared(entries)
    folded: list[Entry] = []
    for entry in entries:
        cursor, change = entry.cursor, entry.change
        # What stands before a clear has no more to say.
        is_after = cursor >= cleared
        is_recent = is_after and cursor_ms(cursor) >= since_ms
        drops = change.drops if is_recent else ()
        origin = change.origin if is_after else None
        rest = Change(kept.get(cursor, ()), drops, is_recent and change.clears, origin)
        if rest.items or rest.drops or rest.clears or rest.origin or entry is entries[-1]:
            folded.append(Entry(cursor, rest))
    return folded


def _standing(entries: Sequence[Entry]) -> list[tuple[str, ChatMessage]]:
    """Cursor of the entry and item, in order of their places."""
    cleared = _cleared(entries)
    dropped = {name: entry.cursor for entry in entries for name in entry.change.drops}
    best: dict[str, tuple[tuple[str, str, int], ChatMessage]] = {}
    for entry in entries:
        for index, item in enumerate(entry.change.items):
            place = item.place or entry.cursor
            removal = max(cleared, dropped.get(item.id, ""))
            # What an entry takes away stands before what it adds, wherever that has its place.
            if place < removal and entry.cursor != removal:
                continue
            known = best.get(item.id)
            if known is None or known[1].rank < item.rank or known[1].rank == item.rank < 2:
                best[item.id] = ((place, entry.cursor, index), item)
    return [(position[1], item) for position, item in sorted(best.values(), key=lambda found: found[0])]


def _cleared(entries: Sequence[Entry]) -> str:
    return max((entry.cursor for entry in entries if entry.change.clears), default="")
