"""The journal of a conversation: entries that merge to the same messages in the same order, wherever and whenever.

An entry is one write: messages that it adds, ids of messages that it drops, or a clear, which drops all before it.
Merging does not depend on the order of arrival. A message stands at its entry's cursor, or at its own `place`. Of
several copies the first whole one counts, else the last. Drops and clears are tombstones: they remove what stands
before their entry and is not of it, also what becomes visible later. A retraction makes one entry count as never
written: a drop takes a message by its id, and with it a copy that somebody else wrote meanwhile; a retraction does not.
"""

from collections.abc import Iterable, Sequence

import msgspec

from waypost_worker.conversations.message import ChatMessage, ForkOrigin
from waypost_worker.conversations.window import Window, first_kept
from waypost_worker.kv.cursor import cursor_ms
from waypost_worker.limits import POP_REPEAT_SECONDS


class Popped(msgspec.Struct, frozen=True, omit_defaults=True):
    """The message that the pop `id` took, which its entry drops; `None` if there was none, or it is not kept any more:
    the pop is old, or the conversation was cleared since."""

    id: str
    item: ChatMessage | None = None


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """The content of one write: messages to add, ids of messages before it to drop; `clears` drops all before it.

    `origin`: where the conversation was forked from. `truncated`: older messages than its own had been cut.
    `ttl_seconds`: how long the conversation lived when this was written; 0 before this field existed.
    `retracts`: cursors of entries that count as never written. What they dropped is among `items`, in case that it was
    removed for good meanwhile; `places`: where these messages stand, by their ids; `despite`: the entries that added
    them and dropped older copies, and so do not drop these. A version that does not know these fields
    keeps the entry's drops, and finds the messages behind it.
    """

    items: Sequence[ChatMessage] = ()
    drops: Sequence[str] = ()
    clears: bool = False
    origin: ForkOrigin | None = None
    truncated: bool = False
    popped: Popped | None = None
    ttl_seconds: int = msgspec.field(default=0, name="ttl")
    retracts: Sequence[str] = ()
    places: dict[str, str] = {}
    despite: dict[str, str] = {}


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A change, and the cursor at which it stands."""

    cursor: str
    change: Change


Position = tuple[str, str, int]
"""Where a copy of a message stands: its place, its entry's cursor, its index in the entry."""

NOWHERE: Position = ("", "", 0)
"""Before all messages."""


class Snapshot(msgspec.Struct, frozen=True):
    """The compacted entries. `folded_ms`: cursor of an entry that may still be in the journal -> since when (ms) every
    snapshot has it. `cut`: the newest entry of which a message was cut off; empty if none was. `ttl_seconds`: as in
    `Change`. `images`: name of images that were written again -> when (ms). `gone`: where the last message stood that
    was cut off and is stored no more; what stands before it was cut off too, whether it is still in the journal or not,
    since a history has no holes."""

    written_ms: int = 0
    entries: list[Entry] = []
    folded_ms: dict[str, int] = {}
    cut: str = ""
    ttl_seconds: int = 0
    images: dict[str, int] = {}
    gone: Position = NOWHERE


def merge(*sources: Iterable[Entry]) -> list[Entry]:
    """The entries of all sources, each once, in order of their cursors."""
    merged = {entry.cursor: entry for source in sources for entry in source}
    return [merged[cursor] for cursor in sorted(merged)]


def places_of(entries: Sequence[Entry]) -> dict[str, str]:
    """Where the messages of `items_of` stand, by their ids."""
    return {item.id: place for (place, _, _), item in _standing(entries)}


def droppers_of(entries: Sequence[Entry]) -> dict[str, str]:
    """The entries of the messages of `items_of` that dropped older copies of them, by the messages' ids."""
    changes = {entry.cursor: entry.change for entry in entries}
    writers = {item.id: changes[cursor].despite.get(item.id, cursor) for (_, cursor, _), item in _standing(entries)}
    dropped = {(name, entry.cursor) for entry in entries for name in entry.change.drops}
    return {name: writer for name, writer in writers.items() if (name, writer) in dropped}


def items_of(entries: Sequence[Entry]) -> list[ChatMessage]:
    """The messages that drops and clears leave, in order. `entries` are sorted."""
    return [item for _, item in _standing(entries)]


def origin_of(entries: Sequence[Entry]) -> ForkOrigin | None:
    """Where the conversation was forked from; `None` if it was not, or was cleared since."""
    cleared = _cleared(entries)
    origins = [entry.change.origin for entry in entries if entry.change.origin and entry.cursor >= cleared]
    return origins[-1] if origins else None


def is_truncated(entries: Sequence[Entry], cut: str) -> bool:
    """Whether messages were cut off since the last clear: `cut` is a snapshot's."""
    cleared = _cleared(entries)
    is_cut = bool(cut) and cut >= cleared
    return is_cut or any(entry.change.truncated and entry.cursor >= cleared for entry in entries)


def keep(entries: Sequence[Entry], window: Window, since_ms: int) -> list[Entry]:
    """The parts of `entries` that a snapshot needs: the copies that count of the last messages, the origin, whether it
    was truncated, and the newest entry's cursor, which tells how old the conversation is.

    Also drops, and the last clear: what they remove may become visible after them, or be written after them by a writer
    that has not seen them. And recent pops, since they may be repeated. Of tombstones from before `since_ms` nothing is
    left to remove.
    """
    standing = _standing(entries)
    kept: dict[str, list[ChatMessage]] = {}
    for (_, cursor, _), item in standing[_first_kept(standing, window) :]:
        kept.setdefault(cursor, []).append(item)
    cleared = _cleared(entries)
    retracted = _retracted(entries)
    repeatable = _repeatable(entries, cleared, window)
    folded: list[Entry] = []
    for entry in entries:
        cursor, change = entry.cursor, entry.change
        # Entries before a clear have no effect any more.
        is_after = cursor >= cleared
        is_recent = is_after and cursor_ms(cursor) >= since_ms
        rest = Change(
            kept.get(cursor, ()),
            change.drops if is_recent and cursor not in retracted else (),
            is_recent and change.clears,
            change.origin if is_after else None,
            is_after and change.truncated,
            repeatable.get(cursor),
            retracts=change.retracts if is_recent else (),
            places=change.places if cursor in kept else {},
            despite=change.despite if cursor in kept else {},
        )
        if any(msgspec.structs.astuple(rest)) or entry is entries[-1]:
            folded.append(Entry(cursor, rest))
    return folded


def cut_off(entries: Sequence[Entry], window: Window) -> str:
    """The newest entry of which `keep` leaves a standing message out; empty if there is none."""
    standing = _standing(entries)
    return max((cursor for (_, cursor, _), _ in standing[: _first_kept(standing, window)]), default="")


def newest_gone(entries: Sequence[Entry], window: Window) -> Position:
    """Where the last message stands that `keep` leaves out."""
    standing = _standing(entries)
    return max((position for position, _ in standing[: _first_kept(standing, window)]), default=NOWHERE)


def without_gone(entry: Entry, gone: Position) -> Entry:
    """`entry` without the messages that stand at `gone` or before."""
    items = entry.change.items
    kept = [item for index, item in enumerate(items) if _position(entry, index, item) > gone]
    return entry if len(kept) == len(items) else Entry(entry.cursor, msgspec.structs.replace(entry.change, items=kept))


def _repeatable(entries: Sequence[Entry], cleared: str, window: Window) -> dict[str, Popped]:
    """The pops of the last `POP_REPEAT_SECONDS` before the newest entry, by their entries' cursors: the newest with
    their messages, as far as these fit into `window` and were not cleared."""
    repeatable: dict[str, Popped] = {}
    left = window.bytes
    for entry in reversed(entries):
        popped = entry.change.popped
        if popped is None or cursor_ms(entries[-1].cursor) - cursor_ms(entry.cursor) > POP_REPEAT_SECONDS * 1000:
            continue
        left -= len(msgspec.json.encode(popped))
        repeatable[entry.cursor] = popped if left >= 0 and entry.cursor >= cleared else Popped(popped.id)
    return repeatable


def _first_kept(standing: Sequence[tuple[Position, ChatMessage]], window: Window) -> int:
    return first_kept([item for _, item in standing], window)


def _standing(entries: Sequence[Entry]) -> list[tuple[Position, ChatMessage]]:
    """The messages that are left, in order of their positions."""
    cleared = _cleared(entries)
    if retracted := _retracted(entries):
        entries = [entry for entry in entries if entry.cursor not in retracted]
    dropped = {name: entry.cursor for entry in entries for name in entry.change.drops}
    best: dict[str, tuple[Position, ChatMessage]] = {}
    for entry in entries:
        for index, item in enumerate(entry.change.items):
            position = _position(entry, index, item)
            removal = max(cleared, dropped.get(item.id, ""))
            # An entry never removes a message that it adds itself, wherever that one's place is.
            if position[0] < removal and removal not in (entry.cursor, entry.change.despite.get(item.id)):
                continue
            known = best.get(item.id)
            if known is None or (not known[1].is_whole and known[1].rank <= item.rank):
                best[item.id] = (position, item)
    return sorted(best.values(), key=lambda copy: copy[0])


def _position(entry: Entry, index: int, item: ChatMessage) -> Position:
    return (entry.change.places.get(item.id) or item.place or entry.cursor, entry.cursor, index)


def _retracted(entries: Sequence[Entry]) -> set[str]:
    return {cursor for entry in entries for cursor in entry.change.retracts}


def _cleared(entries: Sequence[Entry]) -> str:
    return max((entry.cursor for entry in entries if entry.change.clears), default="")


def has_messages(snapshot: Snapshot) -> bool:
    """Whether a message is stored in `snapshot`, popped ones included."""
    changes = [entry.change for entry in snapshot.entries]
    return any(change.items or (change.popped and change.popped.item) for change in changes)


def pop_of(entries: Sequence[Entry], pop_id: str) -> Popped | None:
    """What the pop `pop_id` took at last: each time that it gave way it wrote another entry."""
    popped = [entry.change.popped for entry in entries if entry.change.popped is not None]
    return next((one for one in reversed(popped) if one.id == pop_id), None)


def has_taken(entry: Entry, item: ChatMessage | None) -> bool:
    """Whether `entry` is of a pop that took `item`."""
    popped = entry.change.popped
    return item is not None and popped is not None and popped.item is not None and popped.item.id == item.id
