"""The state of one reader: it gets each message once, in order, flagged `replay` if an earlier connection may have sent
it.

No input or output: a reader chooses among the messages of a listing or of the local channel, and turns them into
events. Listings are stale and repeat messages; so a reader remembers what was sent for as long as a stale listing can
show it again.

A host gets everything unacknowledged, whatever its cursor: a cursor as a high-water mark would lose messages that
become visible late. A guest gets what is newer than its cursor less the reorder window, for the same reason. Where more
may be left, because it was sent what the local channel had, or because a poll had no room for all, its cursor says
since when.
"""

from collections.abc import Iterable, Iterator, Set

import msgspec

from waypost_worker.kv.cursor import EventId, cursor_ms, first_cursor
from waypost_worker.limits import REORDER_WINDOW_SECONDS
from waypost_worker.queues.message import Message, encode_event_data
from waypost_worker.queues.producer_order import MissingNumbers, ProducerOrder
from waypost_worker.sse import Event

FORGET_MS = 2 * REORDER_WINDOW_SECONDS * 1000
"""A message that no listing has shown for so long can't appear in a stale one."""


class Reader:
    """One reader of one queue, from its first event to its last."""

    def __init__(self, scope: str, after: EventId | None) -> None:
        start = first_cursor(scope)
        self.is_returning = after is not None
        """Whether its client was connected before."""
        resumed = after is not None and after.position != start
        self.position = after.position if after else start
        """The greatest cursor that this reader has been sent, here or before."""
        self._resumed_after = self.position if resumed else ""
        self._last_seen_ms: dict[str, int] = {}

    @property
    def cursor(self) -> str:
        """The cursor to resume after if the connection breaks now."""
        return str(self._event_id(self.position))

    @property
    def resumed_after_ms(self) -> int | None:
        """When the message that the reader resumed after was accepted; `None` if it starts from the beginning."""
        return cursor_ms(self._resumed_after) if self._resumed_after else None

    @property
    def keeps_nothing(self) -> bool:
        """Whether a listing without messages changes nothing."""
        return not self._last_seen_ms

    def wants(self, message: Message) -> bool:
        """Whether `message` (or its head) is still to be sent."""
        return message.cursor not in self._last_seen_ms

    def awaits(self, cursor: str, now_ms: int) -> bool:
        """Whether the message `cursor` may be still to come: it is not so old that every listing would show it."""
        return cursor not in self._last_seen_ms and now_ms - cursor_ms(cursor) < REORDER_WINDOW_SECONDS * 1000

    def is_replay(self, message: Message) -> bool:
        """Whether an earlier connection may have sent `message`."""
        return self._is_replay(message.cursor)

    def is_behind(self, now_ms: int) -> bool:
        """Whether the store must be looked at before more is sent of what the local channel has."""
        return False

    def looked(self, began_ms: int) -> None:
        """A look at the store that began at `began_ms` has shown all, and all of it was sent."""

    def deliver(self, messages: Iterable[Message], now_ms: int) -> list[Event]:
        """Takes `messages` (whole, in order of time), and returns the events to send now."""
        events = []
        for message in messages:
            self._last_seen_ms[message.cursor] = now_ms
            events.append(self._event(message))
        return events

    def forget(self, listed: set[str], now_ms: int, unwritten: Set[str] = frozenset()) -> None:
        """After a complete listing: forgets messages that no listing has shown for a long time. `unwritten`: what was
        being written when it began."""
        for cursor in listed & self._last_seen_ms.keys():
            self._last_seen_ms[cursor] = now_ms
        for cursor in [cursor for cursor, seen in self._last_seen_ms.items() if now_ms - seen > FORGET_MS]:
            del self._last_seen_ms[cursor]

    def _event(self, message: Message) -> Event:
        self.position = max(self.position, message.cursor)
        is_replay = self._is_replay(message.cursor)
        data = encode_event_data(message, replay=is_replay)
        return Event(message.kind, data, str(self._event_id(message.cursor)), is_replay)

    def _is_replay(self, cursor: str) -> bool:
        return cursor <= self._resumed_after

    def _event_id(self, cursor: str) -> EventId:
        return EventId(cursor, self.position)


class HostReader(Reader):
    """Reads requests: one event per request id, in order for each producer."""

    def __init__(self, scope: str, after: EventId | None) -> None:
        super().__init__(scope, after)
        self._order = ProducerOrder(after.next_numbers if after else {})
        self._first_cursors: dict[str, str] = {}
        self._listed_first: set[str] = set()
        self._duplicates: dict[str, str] = {}
        self._hold_before_ms = 0
        self._held: dict[str, Message] = {}

    @property
    def keeps_nothing(self) -> bool:
        """The same, also of what was held back or sent twice."""
        kept = self._last_seen_ms or self._held or self._duplicates or self._order.is_holding
        return not kept

    def hold(self, before_ms: int) -> bool:
        """Holds back requests that were accepted before `before_ms`, which another host may be running; 0: none. They
        are replays when they come. Returns whether some were held back that no longer are."""
        has_ended = bool(self._held) and self._hold_before_ms > before_ms == 0
        self._hold_before_ms = before_ms
        return has_ended

    @property
    def is_holding(self) -> bool:
        """Whether a request is held back."""
        return bool(self._held) and self._hold_before_ms > 0

    def wants(self, message: Message) -> bool:
        if message.kind == "request" and message.accepted_ms < self._hold_before_ms:
            # Without its arguments: it is listed again when it is delivered.
            self._held[message.cursor] = msgspec.structs.replace(message, kind="skip", args=msgspec.UNSET)
            return False
        if message.kind == "request" and self._first_cursors.get(message.id, message.cursor) != message.cursor:
            self._duplicates[message.cursor] = message.id
        # Also when its first copy was forgotten: its host may run it for longer than that.
        return message.cursor not in self._duplicates and super().wants(message)

    def deliver(self, messages: Iterable[Message], now_ms: int) -> list[Event]:
        events: list[Event] = []
        for message in messages:
            self._last_seen_ms[message.cursor] = now_ms
            if (
                message.kind == "request"
                and self._first_cursors.setdefault(message.id, message.cursor) != message.cursor
            ):
                self._duplicates[message.cursor] = message.id
            elif message.number:
                self._order.hold(message)
            elif message.kind != "skip":
                events.append(self._event(message))
        return events + [
            _gap(item, self.position) if isinstance(item, MissingNumbers) else self._event(item)
            for item in self._order.release(now_ms)
        ]

    def forget(self, listed: set[str], now_ms: int, unwritten: Set[str] = frozenset()) -> None:
        super().forget(listed, now_ms)
        for cursor in self._held.keys() - listed - unwritten:
            # The other host has answered it, or the listing is stale.
            if (answered := self._held.pop(cursor)).number:
                self._order.give_up(answered)
        for request_id, cursor in list(self._first_cursors.items()):
            if cursor not in self._last_seen_ms:
                del self._first_cursors[request_id]
                self._listed_first.discard(cursor)
            elif cursor in listed:
                self._listed_first.add(cursor)

    def _is_replay(self, cursor: str) -> bool:
        return cursor in self._held or super()._is_replay(cursor)

    def _event_id(self, cursor: str) -> EventId:
        return EventId(cursor, self.position, self._order.next_numbers)

    def settled_duplicates(self, listed: set[str], taken_after_ms: int) -> Iterator[str]:
        """Cursors of duplicates to remove: those newer than their first copy, which was accepted at `taken_after_ms` or
        later, so has not expired, was listed, and is no longer. So it was acknowledged. If only a stale listing misses
        it, it is still stored under its own cursor, so removing the duplicate loses nothing. A first copy that was
        never listed may never have been stored: it was delivered ahead of its write.

        Only newer ones: what is this reader's first copy may be the duplicate of an older one for another reader. Two
        readers that each removed the other's first copy would lose the request."""
        for cursor, request_id in list(self._duplicates.items()):
            first = self._first_cursors.get(request_id, "")
            if first in self._listed_first - listed and first < cursor and cursor_ms(first) >= taken_after_ms:
                del self._duplicates[cursor]
                yield cursor

    def left_over(self, listed: set[str], now_ms: int) -> dict[str, str]:
        """The request ids of the other duplicates, by their cursors, whose first copy no listing has shown for the
        reorder window. If it was acknowledged, its response is visible by now. If not, another reader took it for a
        duplicate of an older one, which then is the only copy; or it was never stored."""
        unseen_since_ms = now_ms - REORDER_WINDOW_SECONDS * 1000
        return {
            cursor: request_id
            for cursor, request_id in self._duplicates.items()
            if cursor in listed and self._last_seen_ms.get(self._first_cursors.get(request_id, ""), 0) < unseen_since_ms
        }

    def forget_duplicate(self, cursor: str) -> None:
        """Its removal has begun."""
        self._duplicates.pop(cursor, None)


class GuestReader(Reader):
    """Reads responses: all progress, and the first final response of each request."""

    def __init__(self, scope: str, after: EventId | None) -> None:
        super().__init__(scope, after)
        self._final_cursors: dict[str, str] = {}
        self.has_backlog = after is not None and bool(after.since)
        """Whether its cursor says that more may be left."""
        self.since = (after.since if after else "") or self.position
        """Of the messages before this cursor, it was sent all but what becomes visible late."""
        self._since = self.since
        self._looked_ms = 0

    def wants(self, message: Message) -> bool:
        if self._final_cursors.get(message.id, message.cursor) != message.cursor and message.final:
            return False
        in_window = message.accepted_ms >= cursor_ms(self.since) - REORDER_WINDOW_SECONDS * 1000
        return in_window and super().wants(message)

    def is_behind(self, now_ms: int) -> bool:
        """Whether the last look at the store is so long ago that newer messages would hide what only that has."""
        return now_ms - max(cursor_ms(self._since), self._looked_ms) > REORDER_WINDOW_SECONDS * 1000

    def looked(self, began_ms: int) -> None:
        """The same; what the cursor says that may be left is sent."""
        self.has_backlog = False
        self._since, self._looked_ms = self.position, began_ms

    def cursor_of_poll(self, last_id: str, unsent: str) -> str:
        """The cursor after a poll whose last new event has the id `last_id`. `unsent`: the message that the next poll
        is to begin with; empty if there was room for all that was found."""
        message, _, position = last_id.partition(";")[0].partition("~")
        position = position or message
        since = unsent or (self._since if self._since < position else "")
        return str(EventId(message, position, since=since if since <= position else ""))

    def deliver(self, messages: Iterable[Message], now_ms: int) -> list[Event]:
        return super().deliver(self.in_order(messages), now_ms)

    def in_order(self, messages: Iterable[Message]) -> list[Message]:
        """`messages` (or their heads) in order of time, without later final responses to a request that has one."""
        return [
            message
            for message in sorted(messages, key=lambda message: message.cursor)
            if not message.final or self._final_cursors.setdefault(message.id, message.cursor) == message.cursor
        ]

    def _event_id(self, cursor: str) -> EventId:
        event_id = super()._event_id(cursor)
        return msgspec.structs.replace(event_id, since=self.since) if self.has_backlog else event_id


class _Gap(msgspec.Struct, omit_defaults=True):
    """What a reader may have missed."""

    reason: str
    """`expired`: the cursor is older than messages are kept. `missing`: numbers of a producer never came."""
    after: str
    """The cursor after which something may be missing."""
    producer: str | None = None
    """With `missing`: whose numbers."""
    seq: int | None = None
    """With `missing`: the first number that never came."""
    before: int | None = None
    """With `missing`: the first number behind them, which is there."""


def _gap(missing: MissingNumbers, position: str) -> Event:
    gap = _Gap("missing", position, missing.producer, missing.first, missing.before)
    return Event("gap", msgspec.json.encode(gap))


def expired_gap(position: str) -> Event:
    """The event for a reader whose cursor is older than messages are kept: it may have missed some."""
    return Event("gap", msgspec.json.encode(_Gap("expired", position)))
