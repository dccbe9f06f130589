"""Planted bugs, each of a kind that has been shipped somewhere: the simulation must find every one of them.

Each is a context manager that replaces one function of the domain by a wrong one. The product never imports this.
"""

import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from simulation.planted_addresses import ADDRESS_BUGS
from simulation.planted_ahead import AHEAD_BUGS
from simulation.planted_chats import CHAT_BUGS, takes_back_by_name
from simulation.planted_departures import DEPARTURE_BUGS
from simulation.planted_images import IMAGE_BUGS, deletes_no_images
from simulation.planted_page_chats import PAGE_CHAT_BUGS
from simulation.planted_tab_chats import TAB_CHAT_BUGS
from simulation.planted_tool_streams import TOOL_STREAM_BUGS
from simulation.planted_wake_ups import WAKE_UP_BUGS
from simulation.replaced import replaced
from waypost_worker.chat.turn import Turn
from waypost_worker.context import request_context
from waypost_worker.conversations import compaction, conversation, journal
from waypost_worker.conversations import window as window_module
from waypost_worker.conversations.conversation import Conversation
from waypost_worker.conversations.journal import Entry, Snapshot
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.conversations.recent_pops import RecentPops
from waypost_worker.conversations.window import Window
from waypost_worker.documents.document import DocumentStore
from waypost_worker.documents.page import PageStore
from waypost_worker.http.loads import Loads
from waypost_worker.kv.cursor import cursor_ms
from waypost_worker.kv.keys import journal_key, request_key, snapshot_key
from waypost_worker.kv.platform_limits import DailyLimits, LimitedKv
from waypost_worker.kv.store import Kv, ListedKey, ListPage, list_all
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.queues import message as message_module
from waypost_worker.queues import queue as queue_module
from waypost_worker.queues.message import Message, decode_listed, encode_stored
from waypost_worker.queues.message_channel import Sent
from waypost_worker.queues.producer_order import ProducerOrder
from waypost_worker.queues.queue import Queues
from waypost_worker.queues.reader import GuestReader, HostReader, Reader
from waypost_worker.queues.sender import Sender
from waypost_worker.sessions.host_instance import HostInstance, parse_instance
from waypost_worker.sessions.host_seat import HostSeat


def high_water_mark() -> Any:
    """The host's cursor is a high-water mark: a message that becomes visible late is never delivered."""
    wants = HostReader.wants

    def skips_older(self: HostReader, message: Message) -> bool:
        return message.cursor > self.position and wants(self, message)

    return replaced(HostReader, "wants", skips_older)


def trace_of_the_head() -> Any:
    """A message gets the trace of its head, which has none: it may not fit into a key's metadata."""

    def decode_value(head: Message, value: str | bytes) -> Message:
        return msgspec.structs.replace(original(head, value), traceparent=head.traceparent)

    original = message_module.decode_value
    return replaced(queue_module, "decode_value", decode_value)


def _stored_texts(message: Message) -> tuple[str, str]:
    value, metadata = encode_stored(message)
    return value.decode(), metadata


async def _a_page_of_many(self: Any, scope: str) -> ListPage:
    """So that `pages` is asked."""
    return ListPage((), "more")


@contextmanager
def get_instead_of_list() -> Iterator[None]:
    """Messages are found with `get` of numbered keys up to the first miss, which KV caches."""

    async def send_request(self: Any, message: Message, request_id: str | None) -> Sent:
        cursor = self._cursors.issue(self.requests)
        message = msgspec.structs.replace(message, id=request_id or cursor, cursor=cursor)
        number = 0
        while await self._kv.get(f"slot:{self._code}:{number}") is not None:
            number += 1
        text = json.dumps([cursor, _stored_texts(message)])
        await self._kv.put(f"slot:{self._code}:{number}", text, ttl_seconds=3600)
        return Sent(message, is_over=True)

    async def pages(self: Any, scope: str, first: ListPage | None = None) -> AsyncGenerator[list[Message], None]:
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
    with (
        replaced(Queues, "send_request", send_request),
        replaced(Queues, "first_page", _a_page_of_many),
        replaced(Queues, "pages", pages),
    ):
        yield


@contextmanager
def polls_past_what_is_left() -> Iterator[None]:
    """A guest's poll returns what the local channel has, or what there is room for, and its cursor passes the rest."""
    with (
        replaced(GuestReader, "is_behind", lambda self, now_ms: False),
        replaced(GuestReader, "cursor_of_poll", lambda self, last_id, unsent: last_id.partition(";")[0]),
    ):
        yield


def ends_answers_before_their_questions() -> Any:
    """An append comes after what was read, and not after what was appended before it."""

    def entry_cursor(self: Conversation, entries: Sequence[Entry] = ()) -> str:
        return self._cursors.issue(snapshot_key(self._name), entries[-1].cursor if entries else "")

    return replaced(Conversation, "_entry_cursor", entry_cursor)


@contextmanager
def one_key_per_queue() -> Iterator[None]:
    """The queue is one value that is read, changed and written back."""

    async def send_request(self: Any, message: Message, request_id: str | None) -> Sent:
        cursor = self._cursors.issue(self.requests)
        message = msgspec.structs.replace(message, id=request_id or cursor, cursor=cursor)
        queue = json.loads(await self._kv.get(f"queue:{self._code}") or "[]")
        queue.append([cursor, _stored_texts(message)])
        await self._kv.put(f"queue:{self._code}", json.dumps(queue), ttl_seconds=3600)
        return Sent(message, is_over=True)

    async def pages(self: Any, scope: str, first: ListPage | None = None) -> AsyncGenerator[list[Message], None]:
        if scope != self.requests:
            async for page in original(self, scope):
                yield page
            return
        for cursor, (value, metadata) in json.loads(await self._kv.get(f"queue:{self._code}") or "[]"):
            yield [decode_listed(ListedKey(request_key(self._code, cursor), value or metadata))]

    original = Queues.pages
    with (
        replaced(Queues, "send_request", send_request),
        replaced(Queues, "first_page", _a_page_of_many),
        replaced(Queues, "pages", pages),
    ):
        yield


@contextmanager
def no_dedupe() -> Iterator[None]:
    """A retry that was stored under a second cursor is delivered as a second request."""

    def deliver(self: Any, messages: Any, now_ms: int) -> Any:
        self._first_cursors.clear()
        return original(self, messages, now_ms)

    original = HostReader.deliver
    with replaced(HostReader, "deliver", deliver):
        yield


def ignores_list_complete() -> Any:
    """Only the first page of a listing is read."""

    async def first_page(
        kv: Kv, prefix: str, first: ListPage | None = None
    ) -> AsyncGenerator[tuple[ListedKey, ...], None]:
        yield (first or await kv.list(prefix)).keys

    return replaced(queue_module, "list_all", first_page)


def answers_before_the_write() -> Any:
    """The response is 202 even if the store has not accepted the message."""

    async def send(self: Any, key: str, message: Message, scope: str) -> Sent:
        with suppress(Exception):
            value, metadata = encode_stored(message)
            await self._kv.kv.put(key, value, ttl_seconds=3600, metadata=metadata)
        return Sent(message, is_over=True)

    return replaced(Sender, "send", send)


def shared_cache() -> Any:
    """The local channel does not separate sessions."""

    def since(self: Any, topic: str, position: int) -> list[Any]:
        kind = topic.partition(":")[0]
        return [item for name in self._topics if name.startswith(kind) for item in original(self, name, position)]

    original = LocalChannel.since
    return replaced(LocalChannel, "since", since)


def no_reorder_window() -> Any:
    """A guest that resumes gets only what is newer than its cursor."""

    def wants(self: Any, message: Message) -> bool:
        after = self.resumed_after_ms
        return (after is None or cursor_ms(message.cursor) > after) and Reader.wants(self, message)

    return replaced(GuestReader, "wants", wants)


def never_frees_room() -> Any:
    """What was held of large values counts as held for ever."""
    return replaced(Loads, "release", lambda _: None)


def no_order() -> Any:
    """Numbered messages are released as they come."""

    def release(self: Any, now_ms: int) -> Iterator[Message]:
        for sequence in self._sequences.values():
            for number in sorted(sequence.held):
                yield from (message for message in sequence.held.pop(number) if message.kind != "skip")

    return replaced(ProducerOrder, "release", release)


def unflagged_replay() -> Any:
    """Messages that are sent again after a reconnect have no `replay` flag."""

    def event(self: Any, message: Message) -> Any:
        self._resumed_after = ""
        return original(self, message)

    original = Reader._event
    return replaced(Reader, "_event", event)


def never_superseded() -> Any:
    """An older host is never sent `superseded`, and goes on."""
    return replaced(HostSeat, "superseded", lambda self: None)


def the_newer_host_is_superseded() -> Any:
    """The host that comes later is the one that has to go."""

    def supersedes(self: HostInstance, other: HostInstance) -> bool:
        return self.id != other.id and self.since_ms < other.since_ms

    return replaced(HostInstance, "supersedes", supersedes)


def a_reconnect_makes_a_host_new() -> Any:
    """A host that reconnects counts as one that has just come: two hosts take the session from each other."""

    def parse(text: str, now_ms: int) -> tuple[HostInstance, bool]:
        return HostInstance(parse_instance(text, now_ms)[0].id, now_ms), False

    return replaced(request_context, "parse_instance", parse)


def deletes_the_journal_immediately() -> Any:
    """Compaction deletes the journal's entries immediately."""

    async def compact(self: Any, snapshot: Snapshot, entries: list[Entry], **_: Any) -> set[str]:
        kept = journal.keep(journal.merge(snapshot.entries, entries), self._window, 0)
        text = msgspec.json.encode(Snapshot(self._clock.now_ms(), kept, {})).decode()
        await self._kv.put(snapshot_key(self._name), text, ttl_seconds=self._key_ttl_seconds)
        for entry in entries:
            await self._kv.delete(journal_key(self._name, entry.cursor))
        return {entry.cursor for entry in entries}

    return replaced(Conversation, "_compact", compact)


def _compacts_without(**fields: Any) -> Any:
    def keep(entries: Sequence[Entry], window: Window, since_ms: int) -> list[Entry]:
        kept = original(entries, window, since_ms)
        return [Entry(entry.cursor, msgspec.structs.replace(entry.change, **fields)) for entry in kept]

    original = journal.keep
    return replaced(compaction, "keep", keep)


def compaction_loses_drops() -> Any:
    """The snapshot has no tombstones: a dropped message that becomes visible late is resurrected."""
    return _compacts_without(drops=())


def compaction_loses_clears() -> Any:
    """The same for a deleted conversation."""
    return _compacts_without(clears=False)


def first_copy_wins() -> Any:
    """An answer stays as it was written first: open and empty."""
    return replaced(ChatMessage, "rank", 2)


def asks_again_only_what_is_shown() -> Any:
    """A question that is older than the window is asked again as a new one: its old copy counts, and the answer stands
    without it."""

    def init(self: Turn, items: Any, question: Any, generation_id: str, *, is_ui: bool, limit: int, **_: Any) -> None:
        original(self, items, question, generation_id, is_ui=is_ui, limit=limit)

    original = Turn.__init__
    return replaced(Turn, "__init__", init)


def pops_by_writing_the_rest() -> Any:
    """A pop reads the conversation and writes it back without its last message."""

    async def pop(self: Any, pop_id: str) -> ChatMessage | None:
        history = await self.history()
        if not history.items:
            return None
        await self.replace(history.items[:-1], history.origin, truncated=history.truncated)
        taken: ChatMessage = history.items[-1]
        return taken

    return replaced(Conversation, "pop", pop)


@contextmanager
def forgets_pops() -> Iterator[None]:
    """A pop that is repeated takes another message."""
    nothing = replaced(conversation, "pop_of", lambda entries, pop_id: None)
    with nothing, replaced(RecentPops, "of", lambda self, name, now_ms: []):
        yield


@contextmanager
def cuts_inside_groups() -> Iterator[None]:
    """The last N messages are kept, wherever that cuts."""

    def first(items: Sequence[ChatMessage], window: Window) -> int:
        return max(len(items) - window.messages, 0)

    with (
        replaced(window_module, "first_shown", first),
        replaced(conversation, "first_shown", first),
        replaced(journal, "first_kept", first),
        replaced(window_module, "_results", lambda item: filter(None, [item.tool_call_id])),
    ):
        yield


def forgets_that_it_cut() -> Any:
    """Compaction leaves old messages out, and the snapshot does not say so."""
    return replaced(compaction, "cut_off", lambda entries, window: "")


def says_nothing_of_what_it_cuts() -> Any:
    """A read leaves old messages out and does not say so."""

    def shown_from(*args: Any, **kwargs: Any) -> tuple[list[ChatMessage], bool]:
        return original(*args, **kwargs)[0], False

    original = window_module.shown_from
    return replaced(conversation, "shown_from", shown_from)


def deletes_the_thread_alone() -> Any:
    """The deletion of a thread leaves its documents."""

    async def nothing(self: Any, session_id: str) -> None:
        pass

    return replaced(DocumentStore, "delete_all", nothing)


def deletes_every_page() -> Any:
    """The deletion of a thread deletes the pages of all sessions."""

    async def delete_all(self: Any, session_id: str) -> None:
        async for keys in list_all(self._kv, "page"):
            for key in keys:
                await self._kv.delete(key.name)

    return replaced(PageStore, "delete_all", delete_all)


def repeats_what_is_used_up() -> Any:
    """A daily limit is taken for an outage: the operation is repeated, and asked for again by the next request."""

    async def ask(self: LimitedKv, kind: str, operation: Any, *args: Any, **kwargs: Any) -> Any:
        return await operation(*args, **kwargs)

    return replaced(LimitedKv, "_do", ask)


def waits_until_midnight() -> Any:
    """An isolate that was refused asks for nothing until midnight, though the account may be upgraded before."""
    return replaced(DailyLimits, "is_used_up", lambda self, operation: True)


@contextmanager
def never_tries_again() -> Iterator[None]:
    """An isolate that was refused asks for nothing any more, on the next day neither."""
    used_up = property(lambda self: tuple(self._probe_ms))
    with waits_until_midnight(), replaced(DailyLimits, "operations", used_up):
        yield


PLANTED_BY_TOPIC: dict[str, tuple[Any, ...]] = {
    "queues": (
        high_water_mark,
        get_instead_of_list,
        polls_past_what_is_left,
        one_key_per_queue,
        no_dedupe,
        trace_of_the_head,
        ignores_list_complete,
        answers_before_the_write,
        shared_cache,
        no_reorder_window,
        never_frees_room,
        no_order,
        unflagged_replay,
        never_superseded,
        the_newer_host_is_superseded,
        a_reconnect_makes_a_host_new,
        *WAKE_UP_BUGS,
        *DEPARTURE_BUGS,
        *AHEAD_BUGS,
    ),
    "daily allowance": (repeats_what_is_used_up, waits_until_midnight, never_tries_again),
    "conversation": (
        deletes_the_journal_immediately,
        compaction_loses_drops,
        compaction_loses_clears,
        first_copy_wins,
        pops_by_writing_the_rest,
        forgets_pops,
        cuts_inside_groups,
        forgets_that_it_cut,
        says_nothing_of_what_it_cuts,
        asks_again_only_what_is_shown,
        takes_back_by_name,
        ends_answers_before_their_questions,
        *IMAGE_BUGS,
    ),
    "chats": CHAT_BUGS,
    "tab chats": (*TAB_CHAT_BUGS, *TOOL_STREAM_BUGS, *PAGE_CHAT_BUGS),
    "deletion": (deletes_the_thread_alone, deletes_every_page, deletes_no_images),
    "addresses": ADDRESS_BUGS,
}
"""By the topic of the runs that find them (see `scenario.topic_of`)."""

PLANTED = [(bug, topic) for topic, bugs in PLANTED_BY_TOPIC.items() for bug in bugs]
