"""Deliberate bugs, each one that somebody has shipped: the simulation must find every one of them.

Each is a context manager that breaks the domain for as long as it is entered, by putting another function in the place
of one; nothing of this is ever imported by the product.
"""

import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from waypost_worker.conversations import conversation
from waypost_worker.conversations import journal as history
from waypost_worker.conversations.conversation import Conversation
from waypost_worker.conversations.journal import Entry, Snapshot
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.kv.cursor import cursor_ms
from waypost_worker.kv.keys import journal_key, request_key, snapshot_key
from waypost_worker.kv.store import Kv, ListedKey
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.queues import queue as queue_module
from waypost_worker.queues.message import Message, decode_listed, encode_stored
from waypost_worker.queues.producer_order import ProducerOrder
from waypost_worker.queues.queue import Queues
from waypost_worker.queues.reader import GuestReader, HostReader, Reader


@contextmanager
def _replaced(owner: Any, name: str, replacement: Any) -> Iterator[None]:
    original = getattr(owner, name)
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        setattr(owner, name, original)


def high_water_mark() -> Any:
    """The host's cursor is taken as a high-water mark: what shows up late is never delivered."""
    wants = HostReader.wants

    def skips_what_is_older(self: HostReader, message: Message) -> bool:
        return message.cursor > self.position and wants(self, message)

    return _replaced(HostReader, "wants", skips_what_is_older)


@contextmanager
def get_instead_of_list() -> Iterator[None]:
    """Messages are found by asking for the next number until nothing is there: the miss is remembered."""

    async def push_request(self: Any, message: Message, request_id: str | None) -> Message:
        cursor = self._cursors.issue(self.requests)
        message = msgspec.structs.replace(message, id=request_id or cursor, cursor=cursor)
        number = 0
        while await self._kv.get(f"slot:{self._code}:{number}") is not None:
            number += 1
        text = json.dumps([cursor, encode_stored(message)])
        await self._kv.put(f"slot:{self._code}:{number}", text, ttl_seconds=3600)
        return message

    async def pages(self: Any, scope: str) -> AsyncGenerator[list[Message], None]:
        if scope != self.requests:
            async for page in original(self, scope):
                yield page
            return
        number = 0
        while (text := await self._kv.get(f"slot:{self._code}:{number}")) is not None:
            number += 1
            cursor, (value, metadata) = json.loads(text)
            yield [decode_listed(ListedKey(request_key(self._code, cursor), value or metadata))]

    original = Queues.pages
    with _replaced(Queues, "push_request", push_request), _replaced(Queues, "pages", pages):
        yield


@contextmanager
def one_key_per_queue() -> Iterator[None]:
    """The queue is one value that is read, changed and written back."""

    async def push_request(self: Any, message: Message, request_id: str | None) -> Message:
        cursor = self._cursors.issue(self.requests)
        message = msgspec.structs.replace(message, id=request_id or cursor, cursor=cursor)
        queue = json.loads(await self._kv.get(f"queue:{self._code}") or "[]")
        queue.append([cursor, encode_stored(message)])
        await self._kv.put(f"queue:{self._code}", json.dumps(queue), ttl_seconds=3600)
        return message

    async def pages(self: Any, scope: str) -> AsyncGenerator[list[Message], None]:
        if scope != self.requests:
            async for page in original(self, scope):
                yield page
            return
        for cursor, (value, metadata) in json.loads(await self._kv.get(f"queue:{self._code}") or "[]"):
            yield [decode_listed(ListedKey(request_key(self._code, cursor), value or metadata))]

    original = Queues.pages
    with _replaced(Queues, "push_request", push_request), _replaced(Queues, "pages", pages):
        yield


@contextmanager
def no_dedupe() -> Iterator[None]:
    """A retry that was stored under a second cursor is delivered as a second request."""

    def deliver(self: Any, messages: Any, now_ms: int) -> Any:
        self._taken_as.clear()
        return original(self, messages, now_ms)

    original = HostReader.deliver
    with _replaced(HostReader, "deliver", deliver):
        yield


def ignores_list_complete() -> Any:
    """The first page is taken for the whole listing."""

    async def first_page(kv: Kv, prefix: str) -> AsyncGenerator[tuple[ListedKey, ...], None]:
        yield (await kv.list(prefix)).keys

    return _replaced(queue_module, "list_all", first_page)


def answers_before_the_write() -> Any:
    """202 is said whether or not the store has taken the message."""

    async def put(self: Any, key: str, message: Message, scope: str) -> None:
        try:
            value, metadata = encode_stored(message)
            await self._kv.kv.put(key, value, ttl_seconds=3600, metadata=metadata)
        except Exception:
            return

    return _replaced(Queues, "_put", put)


def shared_cache() -> Any:
    """What an isolate remembers is not kept apart by session."""

    def since(self: Any, topic: str, position: int) -> list[Any]:
        kind = topic.partition(":")[0]
        return [item for name in self._topics if name.startswith(kind) for item in original(self, name, position)]

    original = LocalChannel.since
    return _replaced(LocalChannel, "since", since)


def no_reorder_window() -> Any:
    """A guest that comes back gets only what is newer than its cursor."""

    def wants(self: Any, message: Message) -> bool:
        after = self.resumed_after_ms
        return (after is None or cursor_ms(message.cursor) > after) and Reader.wants(self, message)

    return _replaced(GuestReader, "wants", wants)


def no_order() -> Any:
    """Numbered messages are handed on as they come."""

    def release(self: Any, now_ms: int) -> Iterator[Message]:
        for line in self._lines.values():
            for number in sorted(line.held):
                yield from (message for message in line.held.pop(number) if message.kind != "skip")

    return _replaced(ProducerOrder, "release", release)


def unflagged_replay() -> Any:
    """What is sent again after a reconnect looks like new."""

    def event(self: Any, message: Message) -> Any:
        self._resumed_after = ""
        return original(self, message)

    original = Reader._event
    return _replaced(Reader, "_event", event)


def deletes_the_journal_at_once() -> Any:
    """What was folded is removed from the journal in the same breath."""

    async def fold(self: Any, snapshot: Snapshot, journal: list[Entry]) -> set[str]:
        kept = history.keep(history.merge(snapshot.entries, journal), self._limit, 0)
        text = msgspec.json.encode(Snapshot(self._clock.now_ms(), kept, {})).decode()
        await self._kv.put(snapshot_key(self._name), text, ttl_seconds=self._key_ttl_seconds)
        for entry in journal:
            await self._kv.delete(journal_key(self._name, entry.cursor))
        return {entry.cursor for entry in journal}

    return _replaced(Conversation, "_fold", fold)


def _folds_without(**fields: Any) -> Any:
    def keep(entries: Sequence[Entry], limit: int, since_ms: int) -> list[Entry]:
        kept = original(entries, limit, since_ms)
        return [Entry(entry.cursor, msgspec.structs.replace(entry.change, **fields)) for entry in kept]

    original = history.keep
    return _replaced(conversation, "keep", keep)


def fold_forgets_what_was_dropped() -> Any:
    """The snapshot holds what is left, and not what was taken away: a copy that comes late is there again."""
    return _folds_without(drops=())


def clear_covers_only_what_is_there() -> Any:
    """The same for all that was forgotten at once."""
    return _folds_without(clears=False)


def first_copy_wins() -> Any:
    """An answer stays as it was written first: open, and without a word."""
    return _replaced(ChatMessage, "finality", 2)


PLANTED = (
    high_water_mark,
    get_instead_of_list,
    one_key_per_queue,
    no_dedupe,
    ignores_list_complete,
    answers_before_the_write,
    shared_cache,
    no_reorder_window,
    no_order,
    unflagged_replay,
    deletes_the_journal_at_once,
    fold_forgets_what_was_dropped,
    clear_covers_only_what_is_there,
    first_copy_wins,
)
