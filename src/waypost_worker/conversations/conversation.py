"""Conversations: a journal of appends, and a snapshot that compaction makes of it.

Each append writes its own key, `conv:{id}:{cursor}` (the journal), so that concurrent appends both survive. When the
journal is long, or its oldest entry has lived half its time, it is compacted into `conv:{id}` (the snapshot). Reading
merges the two in order of the cursors, each message once, and returns the last ones; `window.py` says which.

An append renews the whole conversation without rewriting it: keys live twice as long as the conversation, compaction
rewrites what is older than half its time, and a conversation whose newest entry is too old reads as empty.

A pop takes the last message that its reader sees: one entry drops that message and has it, so that the same pop can be
repeated. Nothing else is dropped, so what is added meanwhile stays. Two pops that meet may choose the same message;
each reads again after its write, and the one whose cursor is later takes another one. Nothing prevents that both have
read before either write is visible: then both return the same message.
"""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec

from waypost_worker.bounded_cache import BoundedCache
from waypost_worker.clock import Clock
from waypost_worker.conversations.compaction import LONG_JOURNAL_PART, MAX_VIEW_AGE_MS, compacted, settled
from waypost_worker.conversations.compaction import is_due as compaction_is_due
from waypost_worker.conversations.images import Images, ImageStore, apart, needed_after, newest_images, references
from waypost_worker.conversations.journal import (
    Change,
    Entry,
    Popped,
    Snapshot,
    droppers_of,
    has_messages,
    has_taken,
    is_truncated,
    items_of,
    merge,
    origin_of,
    places_of,
    pop_of,
    without_gone,
)
from waypost_worker.conversations.leftover import EMPTY
from waypost_worker.conversations.message import ChatMessage, ForkOrigin
from waypost_worker.conversations.recent_pops import RecentPops
from waypost_worker.conversations.window import Window, first_shown, shown_from, shown_of
from waypost_worker.errors import Unavailable
from waypost_worker.kv.bulk import delete_all, get_all
from waypost_worker.kv.cursor import CursorFactory, cursor_ms
from waypost_worker.kv.keys import cursor_of, journal_key, journal_prefix, snapshot_key
from waypost_worker.kv.store import Kv, fits_metadata, list_all
from waypost_worker.kv.together import a_few_at_once, together
from waypost_worker.limits import (
    DEFAULT_HISTORY_BYTES,
    MAX_ANSWER_SECONDS,
    MAX_CACHE_BYTES,
    MAX_CACHED_SESSIONS,
    TOMBSTONE_SECONDS,
)

APPENDS_PER_CHECK = 5
"""Appends of one isolate after which it checks whether compaction is due; a check costs two operations."""

MAX_CHECK_SECONDS = 30
"""A check that is not over by then was lost with its request: longer than all its operations with their repetitions."""

MAX_POP_TRIES = 5
"""How often a pop gives way to another one."""


_decode_snapshot = msgspec.json.Decoder(Snapshot).decode
_decode_change = msgspec.json.Decoder(Change).decode


class History(NamedTuple):
    """The last messages of a conversation, oldest first, and where it was forked from. `older`: those before them that
    happen to be stored still. `truncated`: there were messages before them, stored or not."""

    items: list[ChatMessage]
    origin: ForkOrigin | None
    older: Sequence[ChatMessage] = ()
    truncated: bool = False


class View(NamedTuple):
    """A conversation as it is stored, read from `read_ms` on, when this isolate had cleared it `clears` times."""

    snapshot: Snapshot
    journal: list[Entry]
    read_ms: int
    clears: int


class Check(NamedTuple):
    """When this isolate last checked whether a conversation is to be compacted (ms), the number of appends until the
    next check, how often it has cleared the conversation, and when the check began that is running (ms); 0: none is."""

    checked_ms: int = 0
    left: int = 0
    clears: int = 0
    began_ms: int = 0


CompactionChecks = BoundedCache[Check]
"""By conversation; may be lost."""


def compaction_checks() -> CompactionChecks:
    """A new cache of checks. One that is forgotten after a day is made once more than is needed."""
    return BoundedCache(MAX_CACHED_SESSIONS, MAX_CACHE_BYTES, 24 * 3600)


class Conversation:
    """One conversation, as one request sees it; its last `limit` messages are kept, and `max_bytes` of them.

    `name`: its session id. `log` gets failures to clean up, which no caller needs to handle. `pops`: those that this
    isolate remembers.
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
        max_bytes: int = DEFAULT_HISTORY_BYTES,
        pops: RecentPops | None = None,
    ) -> None:
        self._kv = kv
        self._clock = clock
        self._cursors = cursors
        self._checks = checks
        self._name = name
        self._ttl_seconds = ttl_seconds
        self._window = Window(limit, max_bytes)
        self._images = ImageStore(kv, name, ttl_seconds)
        self._pops = pops or RecentPops()
        self._log = log
        self._loaded: View | None = None
        self._last_written = ""

    @property
    def window(self) -> Window:
        """How much of it is kept."""
        return self._window

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
        self,
        items: Sequence[ChatMessage],
        *,
        drops: Sequence[str] = (),
        cursor: str | None = None,
        images: Images | None = None,
        entries: list[str] | None = None,
        is_later: bool = False,
    ) -> str:
        """Adds `items` in their order, and drops the messages whose ids are in `drops`, in one write, which is in KV on
        return. Images are written before, each message's by itself; `images` are those of references in `items`.
        Before the write its entry's cursor is added to `entries`: with it, the write can be retracted. `is_later`: that
        cursor is later than all that `history` read last, also if the clock behind those was ahead: a copy of an answer
        must not come to stand before its question.

        Returns the cursor at which the messages stand: `cursor` if it is given, which may be older, or a new one.

        Raises:
            StorageUnavailable, BudgetSpent: the write was refused; it may have taken effect.
        """
        items, separated = apart(items, self.new_cursor)
        await self._images.write({**(images or {}), **separated})
        # The entry itself gets a new cursor: its visibility counts from now, however old the place of its messages is.
        entry = self._cursor_after_what_was_read() if drops or is_later else self._entry_cursor()
        if entries is not None:
            entries.append(entry)
        await self._write(Change(items if cursor is None else _placed(items, cursor), drops), entry)
        return cursor or entry

    def _cursor_after_what_was_read(self) -> str:
        """A new cursor, after all that `history` read last: what is dropped or cleared there may have been written by
        a clock that is ahead."""
        view = self._loaded
        entries = [] if view is None else merge(view.snapshot.entries, view.journal)
        return self._entry_cursor(entries)

    def _entry_cursor(self, entries: Sequence[Entry] = ()) -> str:
        """The cursor of a new entry, after `entries` and after all that were written here: one of those may be ahead of
        this clock, and the end of an answer must not come to stand before its question."""
        last = entries[-1].cursor if entries else ""
        return self._cursors.issue(snapshot_key(self._name), max(last, self._last_written))

    async def retract(self, entry: str, items: Sequence[ChatMessage], *, drops: Sequence[str] = ()) -> None:
        """Makes the append whose entry is `entry` count as never written, whether it took effect or not; what others
        have added meanwhile stays, the same messages too. `items`: those that it dropped or ended, as `history` read
        them before it: they stand where they stood. `drops`: ids of messages that were added to it since.

        Raises:
            StorageUnavailable, BudgetSpent: the write was refused; it may have taken effect.
        """
        view = self._loaded
        entries = [] if view is None else merge(view.snapshot.entries, view.journal)
        stood, droppers = places_of(entries), droppers_of(entries)
        places = {item.id: stood[item.id] for item in items if item.id in stood}
        despite = {item.id: droppers[item.id] for item in items if item.id in droppers}
        change = Change(_placed(items, entry), drops, retracts=[entry], places=places, despite=despite)
        await self._write(change, self._entry_cursor())

    async def drop(self, message_id: str) -> None:
        """Drops one message, also if it is not visible here yet, and deletes its images.

        Raises:
            StorageUnavailable, BudgetSpent: the write was refused; it may have taken effect.
        """
        entries = await self._entries()
        await self._write(Change(drops=[message_id]), self._entry_cursor(entries))
        dropped = [item for entry in entries for item in entry.change.items if item.id == message_id]
        await self._images.delete({reference.name for reference in references(dropped)})

    async def replace(
        self, items: Sequence[ChatMessage], origin: ForkOrigin | None = None, *, truncated: bool = False
    ) -> History:
        """Replaces all messages with the last of `items`; returns what is kept. `truncated`: older messages than these
        had been cut off elsewhere."""
        items, images = apart(items, self.new_cursor)
        kept, is_cut = shown_of(items, self._window, is_cut=truncated)
        kept = newest_images(kept)
        wanted = {reference.name for reference in references(kept)}
        images = {name: urls for name, urls in images.items() if name in wanted}
        await self._images.write(images)
        await self._write(Change(kept, (), True, origin, is_cut), self._cursor_after_what_was_read())
        return History(await self._images.shown(kept, images), origin, truncated=is_cut)

    async def pop(self, pop_id: str) -> ChatMessage | None:
        """Takes the last message away and returns it; `None` if there is none.

        Repeated with the same id within `POP_REPEAT_SECONDS`, it takes nothing else and returns the same message, or
        `None` if the messages that were popped since do not fit into the window's bytes, or all were cleared since.

        Raises:
            StorageUnavailable, BudgetSpent: the pop may have taken effect; repeat it with the same id.
        """
        stored = await self._entries()
        if (known := pop_of(stored, pop_id)) is not None:
            return known.item
        remembered = self._pops.of(self._name, self._clock.now_ms())
        for entry in remembered:
            if (known := pop_of([entry], pop_id)) is not None:
                # Perhaps its write is not done, or was refused. It is written again as it was.
                await self._write(entry.change, entry.cursor)
                return known.item
        seen = merge(stored, remembered)
        taken = None
        for _ in range(MAX_POP_TRIES):
            if seen and not self._is_alive(seen):
                # A write would revive what is over.
                return None
            taken = self._last(seen)
            # After all that was seen: what it drops may have been written by a clock that is ahead.
            cursor = self._entry_cursor(seen)
            entry = Entry(cursor, Change(drops=[taken.id] if taken else (), popped=Popped(pop_id, taken)))
            # Also if the write is refused: it may have taken effect, and then the repeated pop must take the same.
            self._pops.add(self._name, entry, self._clock.now_ms())
            await self._write(entry.change, entry.cursor)
            before = {other.cursor for other in seen}
            seen = merge(await self._entries(), self._pops.of(self._name, self._clock.now_ms()))
            earlier = [other for other in seen if other.cursor < entry.cursor and other.cursor not in before]
            if not any(has_taken(other, taken) for other in earlier):
                break
        return taken

    def dropped_since(self, message_id: str) -> list[str]:
        """The ids of messages that entries after the message dropped not long ago, as `history` read them last: an
        entry that is retracted yet gives back what it dropped. Empty if the message was not there."""
        view = self._loaded
        entries = [] if view is None else merge(view.snapshot.entries, view.journal)
        place = places_of(entries).get(message_id)
        if place is None:
            return []
        since_ms = self._clock.now_ms() - TOMBSTONE_SECONDS * 1000
        since = [entry for entry in entries if entry.cursor > place and cursor_ms(entry.cursor) >= since_ms]
        return [name for entry in since for name in entry.change.drops]

    def place_of(self, message_id: str) -> str:
        """Where the message stood as `history` read it last; empty if it was not there."""
        view = self._loaded
        return "" if view is None else places_of(merge(view.snapshot.entries, view.journal)).get(message_id, "")

    def answer_ids(self) -> set[str]:
        """The ids of all messages that a model may have written, and of the generations that wrote them, as far as they
        were known when `history` read them last, removed ones too."""
        view = self._loaded
        changes = [] if view is None else [entry.change for entry in merge(view.snapshot.entries, view.journal)]
        answers = [item for change in changes for item in change.items if item.role == "assistant"]
        written = {name for item in answers for name in (item.id, item.generation)}
        return written | {name for change in changes for name in change.drops}

    async def forget(self, *, for_good: bool = False) -> None:
        """Deletes everything. A tombstone is written first, so that late writes can't resurrect it; then what it covers
        is removed. What can't be removed now can't be read any more, and expires. `for_good`: all of it must go, also
        images whose message is not seen yet, which may come after the tombstone.

        Raises:
            StorageUnavailable, BudgetSpent: the tombstone could not be written; or, `for_good`, something was not
                removed. Repeat it.
        """
        cursor = self._entry_cursor()
        await self._write(Change(clears=True), cursor)
        self._pops.forget_messages(self._name, self._clock.now_ms())
        try:
            snapshot, journal, *_ = await self._load()
            removed = await self._compact(snapshot, merge(journal, [Entry(cursor, Change(clears=True))]))
            covered = [entry for entry in journal if entry.cursor < cursor and entry.cursor not in removed]
            entries = merge(snapshot.entries, journal)
            before = [item for entry in entries if entry.cursor < cursor for item in entry.change.items]
            after = [item for entry in entries if entry.cursor > cursor for item in entry.change.items]
            is_needed = None if for_good else needed_after(cursor, before, after)
            emptying = a_few_at_once([partial(self._empty, entry) for entry in covered])
            await together(emptying, self._images.delete_all(is_needed))
        except Unavailable as failure:
            if for_good:
                raise
            # It only takes up space.
            self._log(f"deleted messages of a conversation were not removed: {failure.code}")

    async def compact_if_due(self) -> None:
        """Compacts the journal if that is due; call it after `append` or `read`. A failure is only logged: a later
        call tries again.

        What this object has just read is compacted without another read. Otherwise the store is checked once every
        few appends.
        """
        if self._is_check_due():
            await self._check()

    def compact_later(self, background: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        """The same, in the background: no caller waits for it, and what is lost with the isolate is done later."""
        if self._is_check_due():
            background(self._check())

    def _is_check_due(self) -> bool:
        """Whether a check is due, which then counts as running."""
        now = self._clock.now_ms()
        check = self._checks.get(self._name, now) or Check()
        is_due = self._view(now) is not None or check.left <= 1 or now - check.checked_ms >= self._ttl_seconds * 125
        # Of several at a time, each would pay for all that it reads, and one could write.
        is_due = is_due and now - check.began_ms >= MAX_CHECK_SECONDS * 1000
        if is_due:
            check = check._replace(checked_ms=now, left=APPENDS_PER_CHECK + 1, began_ms=now)
        self._checks.put(self._name, check._replace(left=check.left - 1), now)
        return is_due

    async def _check(self) -> None:
        now = self._clock.now_ms()
        every = APPENDS_PER_CHECK
        try:
            view = self._view(now) or await self._load()
            every = max(every, len(view.journal) // LONG_JOURNAL_PART)
            if compaction_is_due(view.snapshot, view.journal, now, self._ttl_seconds):
                await self._compact(view.snapshot, view.journal, clears=view.clears)
        except Unavailable as failure:
            self._log(f"a conversation was not compacted: {failure.code}")
        finally:
            self._checks.put(self._name, Check(now, every, self._clears()), self._clock.now_ms())

    def _view(self, now_ms: int) -> View | None:
        """What this object has just read."""
        view = self._loaded
        return view if view is not None and now_ms - view.read_ms <= MAX_VIEW_AGE_MS else None

    def _clears(self) -> int:
        return (self._checks.get(self._name, self._clock.now_ms()) or Check()).clears

    async def read(self) -> list[ChatMessage]:
        """The last messages, oldest first, with references to their images; never a tool's result without its call.

        Raises:
            StorageUnavailable, BudgetSpent
        """
        return (await self.history()).items

    async def shown(self, items: Sequence[ChatMessage], known: Images | None = None) -> list[ChatMessage]:
        """`items` with their images in place of the references. `known`: those that need not be read.

        Raises:
            StorageUnavailable, BudgetSpent
        """
        return await self._images.shown(items, known)

    async def history(self) -> History:
        """The same messages, where the conversation was forked from, and whether older messages were cut off."""
        snapshot, journal, *_ = self._loaded = await self._load()
        entries = merge(snapshot.entries, journal)
        if not self._is_alive(entries):
            return History([], None)
        standing = items_of(entries)
        start = first_shown(standing, self._window)
        items, is_cut = shown_from(standing, start, is_cut=is_truncated(entries, snapshot.cut))
        return History(newest_images(items), origin_of(entries), standing[:start], is_cut)

    def _is_alive(self, entries: Sequence[Entry]) -> bool:
        return bool(entries) and self._clock.now_ms() - cursor_ms(entries[-1].cursor) <= self._ttl_seconds * 1000

    def _last(self, entries: Sequence[Entry]) -> ChatMessage | None:
        items, _ = shown_of(items_of(entries), self._window)
        return items[-1] if items else None

    async def _entries(self) -> list[Entry]:
        snapshot, journal, *_ = await self._load()
        return merge(snapshot.entries, journal)

    async def _empty(self, entry: Entry) -> None:
        """Removes the messages of `entry`. Its tombstones stay: readers that do not see the newer clear yet would
        otherwise show again what they removed. So does a pop's id: repeated, it would take another message."""
        change = entry.change
        if change.drops or change.clears or change.popped or change.retracts:
            popped = Popped(change.popped.id) if change.popped else None
            rest = Change(drops=change.drops, clears=change.clears, popped=popped, retracts=change.retracts)
            await self._write(rest, entry.cursor)
        else:
            await self._kv.delete(journal_key(self._name, entry.cursor))

    async def _write(self, change: Change, cursor: str) -> str:
        self._last_written = max(self._last_written, cursor)
        text = msgspec.json.encode(msgspec.structs.replace(change, ttl_seconds=self._ttl_seconds)).decode()
        await self._kv.put(
            journal_key(self._name, cursor),
            # Also if it fits into the metadata: an entry that is rewritten may still be listed as it was.
            text,
            ttl_seconds=self._key_ttl_seconds,
            metadata=text if fits_metadata(text) else None,
        )
        if change.clears:
            now = self._clock.now_ms()
            check = self._checks.get(self._name, now) or Check()
            self._checks.put(self._name, check._replace(clears=check.clears + 1), now)
        return cursor

    async def _load(self) -> View:
        read_ms, clears = self._clock.now_ms(), self._clears()
        key = snapshot_key(self._name)
        # The snapshot is read though it may not exist: KV may cache the miss, or an older snapshot, for a while. That
        # loses nothing, since the entries of a snapshot stay in the journal for longer than that. Therefore neither has
        # to be read after the other.
        (changes, apart), found = await together(self._list_journal(), self._kv.get_many([key]))
        texts = await get_all(self._kv, apart)
        changes |= {cursor_of(name): _decode_change(value) for name, value in texts.items()}
        snapshot = _decode_snapshot(found[key]) if key in found else Snapshot()
        journal = [without_gone(Entry(*change), snapshot.gone) for change in sorted(changes.items())]
        return View(snapshot, journal, read_ms, clears)

    async def _list_journal(self) -> tuple[dict[str, Change], list[str]]:
        """The changes that the listing of the journal has, by cursor; and the keys of those that it has not."""
        changes: dict[str, Change] = {}
        apart: list[str] = []
        async for keys in list_all(self._kv, journal_prefix(self._name)):
            for key in keys:
                if key.metadata is None:
                    apart.append(key.name)
                else:
                    changes[cursor_of(key.name)] = _decode_change(key.metadata)
        return changes, apart

    async def _compact(self, snapshot: Snapshot, journal: list[Entry], *, clears: int | None = None) -> set[str]:
        """Writes a new snapshot, unless the conversation was cleared here since these were read, when it had been
        `clears` times: what is gone must not be written again. Returns the cursors of the entries that it then deleted
        from the journal."""
        made = compacted(snapshot, journal, self._window, self._ttl_seconds, self._clock.now_ms())
        made = msgspec.structs.replace(made, images=await self._renewed_images(made, snapshot, journal))
        if clears not in (None, self._clears()):
            return set()
        await self._kv.put(
            snapshot_key(self._name),
            msgspec.json.encode(made).decode(),
            ttl_seconds=self._key_ttl_seconds,
            metadata=None if has_messages(made) else EMPTY,
        )
        removed = settled(made)
        await delete_all(self._kv, [journal_key(self._name, cursor) for cursor in sorted(removed)])
        return removed

    async def _renewed_images(self, made: Snapshot, before: Snapshot, journal: Sequence[Entry]) -> dict[str, int]:
        items, _ = shown_of(items_of(made.entries), self._window)
        lived = [before.ttl_seconds if before.entries else self._ttl_seconds]
        lived += [entry.change.ttl_seconds for entry in journal]
        # Written when conversations lived shorter, they would expire first.
        is_short = min(lived) < self._ttl_seconds
        try:
            return await self._images.renew(newest_images(items), before.images, made.written_ms, all_of_them=is_short)
        except Unavailable as failure:
            self._log(f"images of a conversation were not written again: {failure.code}")
            return before.images


def _placed(items: Sequence[ChatMessage], place: str) -> list[ChatMessage]:
    return [msgspec.structs.replace(item, place=item.place or place) for item in items]
