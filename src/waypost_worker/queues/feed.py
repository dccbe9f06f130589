"""One reader's events: from the isolate's local channel, which is free, and from the store, which is the truth."""

from collections.abc import AsyncGenerator, Container, Sequence
from contextlib import AbstractContextManager, aclosing, suppress

import msgspec

from waypost_worker.clock import Clock, Wakeup
from waypost_worker.errors import DailyLimit
from waypost_worker.kv.keys import cursor_of
from waypost_worker.kv.store import ListPage
from waypost_worker.limits import MAX_BODY_BYTES
from waypost_worker.polling.schedule import PollSchedule
from waypost_worker.polling.wake_up_key import WakeUpKey
from waypost_worker.queues.departures import Departures
from waypost_worker.queues.handovers import Handover, Handovers
from waypost_worker.queues.message import Message
from waypost_worker.queues.message_channel import MessageChannel
from waypost_worker.queues.queue import Queues
from waypost_worker.queues.reader import GuestReader, HostReader, expired_gap
from waypost_worker.sse import Event


class Feed:
    """One reader's view of one queue of a session. Errors of the store pass through."""

    def __init__(
        self,
        queues: Queues,
        reader: HostReader | GuestReader,
        channel: MessageChannel,
        clock: Clock,
        ttl_seconds: int,
        departures: Departures,
        handovers: Handovers,
        wake_up: WakeUpKey,
        *,
        is_stream: bool,
    ) -> None:
        """`wake_up`: that of the queue. `is_stream`: a batch has been sent when the next one is asked for."""
        self._queues = queues
        self._reader = reader
        self._scope = queues.requests if isinstance(reader, HostReader) else queues.responses
        self._channel = channel
        self._position = channel.position()
        # KV has what was queued here before, but for these.
        self._unwritten = channel.unwritten_in(self._scope)
        self._clock = clock
        self._ttl_ms = ttl_seconds * 1000
        self._departures = departures
        self._wake_up = wake_up
        # Of the messages that the wake-up key named, those that the last listing showed.
        self._listed: set[str] = set()
        # Cursors of requests that a listing has shown and that are to be removed; a dictionary for its order.
        self._to_remove: dict[str, None] = {}
        self._first_page: ListPage | None = None
        # Responses that a poll's last look found and must have sent before its cursor passes them, and when it began.
        self._found: list[Message] = []
        self._found_ms = 0
        # What was being written when that was listed, which may not show it.
        self._written_meanwhile: set[str] = set()
        self._handovers = handovers
        self._last_id = reader.cursor
        self._is_stream = is_stream
        self.looks = 0
        """How often the whole store was looked at."""
        self._opened_ms = clock.now_ms()
        # When the youngest isolate began that has accepted a message since this feed was opened.
        self._youngest_ms = 0

    @property
    def cursor(self) -> str:
        """The cursor to resume after."""
        return self._reader.cursor

    def subscribe(self, wakeup: Wakeup) -> AbstractContextManager[None]:
        """Sets `wakeup` when `from_channel` has something, for the length of the `with` block."""
        return self._channel.subscribe(self._scope, wakeup)

    def hold(self, before_ms: int) -> bool:
        """Holds back from a host what was accepted before `before_ms`; 0 ends that. Returns whether something that was
        held back may be delivered now."""
        return isinstance(self._reader, HostReader) and self._reader.hold(before_ms)

    @property
    def is_holding(self) -> bool:
        """Whether something is held back, as far as the last `hold` knew."""
        return isinstance(self._reader, HostReader) and self._reader.is_holding

    async def read_wake_up(self, schedule: PollSchedule) -> None:
        """Reads the wake-up key, and tells `schedule`."""
        await self._wake_up.read(schedule, self._awaits)

    def looked(self, schedule: PollSchedule) -> None:
        """Tells `schedule` that a look at the store is over."""
        self.looks += 1
        self._wake_up.looked(schedule, self._awaits)

    def _awaits(self, message_key: str) -> bool:
        """Whether neither the local channel nor a listing has shown the message."""
        cursor = cursor_of(message_key)
        return cursor not in self._listed and self._reader.awaits(cursor, self._clock.now_ms())

    def leaves(self) -> bool:
        """Whether the stream ends here, so that its client meets a younger isolate. If so, it must end."""
        return self._departures.leaves(self._scope, self._opened_ms, self._youngest_ms, self._clock.now_ms())

    def take_over(self, schedule: PollSchedule) -> bool:
        """Goes on where the last stream of this client ended, if that ended here a moment ago. Returns whether."""
        if self._reader.is_returning and (left := self._handovers.take(self._last_id, self._clock.now_ms())):
            self._position, self._unwritten = left.position, []
            schedule.go_on(left.pace)
            self._wake_up.told = left.told
            return True
        return False

    def hand_over(self, schedule: PollSchedule) -> None:
        """Leaves the next stream of this client what it needs to go on."""
        handover = Handover(self._position, schedule.pace, self._wake_up.told)
        self._handovers.leave(self._last_id, handover, self._clock.now_ms())

    def gaps(self) -> list[Event]:
        """The event `gap` for a reader whose cursor is older than messages are kept; otherwise an empty list."""
        after_ms = self._reader.resumed_after_ms
        is_late = after_ms is not None and self._clock.now_ms() - after_ms > self._ttl_ms
        return [expired_gap(self._reader.position)] if is_late else []

    @property
    def has_published(self) -> bool:
        """Whether `from_channel` may have something."""
        return bool(self._unwritten) or self._channel.has_since(self._scope, self._position)

    async def from_channel(self) -> AsyncGenerator[list[Event], None]:
        """The events of the messages that were queued in this isolate since the last call, in batches as `from_store`.
        What is left when it is closed is found in the store."""
        messages = self._unwritten + self._channel.since(self._scope, self._position)
        if not messages:
            return
        self._position, self._unwritten = self._channel.position(), []
        async with aclosing(self._deliver(messages)) as batches:
            async for events in batches:
                yield events

    async def finds_nothing(self) -> bool:
        """Begins a look at the store with the first page of the queue, and returns whether that was all: nothing is
        queued, and the reader keeps nothing. Nearly all looks end so. Otherwise `from_store` goes on with that page."""
        self._written_meanwhile = self._being_written()
        began_ms = self._clock.now_ms()
        first = await self._queues.first_page(self._scope)
        if not first.keys and first.cursor is None and self._reader.keeps_nothing:
            self._to_remove.clear()
            self._listed.clear()
            self._reader.looked(began_ms)
            return True
        self._first_page = first
        return False

    async def from_store(self) -> AsyncGenerator[list[Event], None]:
        """Lists the queue, and yields what the reader has not been sent, in batches of bounded size, none empty; then
        the gaps that are due. Removes requests that are answered, and duplicates of those that the host has
        acknowledged."""
        listed: set[str] = set()
        unsent: list[Message] = []
        first, self._first_page = self._first_page, None
        unwritten = self._written_meanwhile if first else self._being_written()
        began_ms = self._clock.now_ms()
        answered: set[str] | None = None
        async with aclosing(self._queues.pages(self._scope, first)) as pages:
            async for page in pages:
                listed.update(message.cursor for message in page)
                # Responses are listed request by request: only the whole listing can be sorted by time.
                unsent += [message for message in page if self._reader.wants(message)]
                # Most listings have nothing new, and must be cheap.
                if unsent and isinstance(self._reader, HostReader):
                    if answered is None and any(map(self._is_old, unsent)):
                        answered = await self._queues.answered()
                    left = [message.cursor for message in unsent if _is_answered(message, answered)]
                    self._to_remove |= dict.fromkeys(left)
                    async with aclosing(self._deliver(await self._unanswered(unsent, answered))) as batches:
                        async for events in batches:
                            yield events
                    unsent = []
        if unsent and isinstance(self._reader, GuestReader):
            in_turn = [self._reader.in_order(unsent)]
            if not self._is_stream:
                in_turn = _in_turn(in_turn[0], self._reader)
                # Where it goes on, the others were sent by the polls before.
                counted = in_turn[:1] if self._reader.has_backlog else in_turn
                self._found, self._found_ms = [message for part in counted for message in part], began_ms
            for part in in_turn:
                async with aclosing(self._deliver(part)) as batches:
                    async for events in batches:
                        yield events
        if due := self._reader.deliver([], self._clock.now_ms()):
            self._last_id = _last_id(due) or self._last_id
            yield due
        self._listed = {cursor_of(key) for key in self._wake_up.told.awaited} & listed
        self._to_remove |= dict.fromkeys(await self._duplicates(listed, answered))
        await self._remove()
        self._reader.forget(listed, self._clock.now_ms(), unwritten)
        self._reader.looked(began_ms)

    @property
    def is_behind(self) -> bool:
        """Whether the store must be looked at before `from_channel`."""
        return self._reader.is_behind(self._clock.now_ms())

    def cursor_of_poll(self, last_id: str, dropped: Container[str]) -> str:
        """The cursor to resume after. `last_id`: of the last new event that a poll has taken. `dropped`: the cursors of
        the messages that it had no room for: the next poll goes on with the oldest of them."""
        if isinstance(self._reader, HostReader):
            return last_id
        found = (message.cursor for message in self._found if self._reader.wants(message) or message.cursor in dropped)
        unsent = min(found, default="")
        if self._found and not unsent:
            self._reader.looked(self._found_ms)
        return self._reader.cursor_of_poll(last_id, unsent)

    def _being_written(self) -> set[str]:
        return {message.cursor for message in self._channel.unwritten_in(self._scope)}

    def _is_old(self, message: Message) -> bool:
        """Whether `message` is a request that another host, or an earlier stream of this one, may have been sent."""
        return message.kind == "request" and message.accepted_ms < self._opened_ms

    async def _unanswered(self, messages: list[Message], answered: set[str] | None) -> list[Message]:
        """`messages`, in which a `skip` stands for each request that has its final response, here or among `answered`:
        it is not removed yet, or its isolate ended before that. Waits for responses to them that are being written:
        that decides whether they are answered."""
        ids = {message.id for message in messages if message.kind == "request"}
        await self._channel.written(lambda message: message.kind == "response" and message.id in ids)
        here = {message.id for message in self._channel.since(self._queues.responses, 0) if message.final}
        return [
            _answered(message) if _is_answered(message, answered) or _is_answered(message, here) else message
            for message in messages
        ]

    async def _duplicates(self, listed: set[str], answered: set[str] | None) -> list[str]:
        """Cursors of the duplicates that can be removed."""
        if not isinstance(self._reader, HostReader):
            return []
        now_ms = self._clock.now_ms()
        duplicates = list(self._reader.settled_duplicates(listed, now_ms - self._ttl_ms))
        left_over = self._reader.left_over(listed, now_ms)
        if left_over and answered is None:
            answered = await self._queues.answered()
        for cursor, request_id in left_over.items():
            if request_id in (answered or ()):
                self._reader.forget_duplicate(cursor)
                duplicates.append(cursor)
        return duplicates

    async def _remove(self) -> None:
        # Without deletes left for today they stay, and are passed over.
        with suppress(DailyLimit):
            for cursor in list(self._to_remove):
                await self._queues.remove_listed([cursor])
                del self._to_remove[cursor]

    async def _deliver(self, messages: Sequence[Message]) -> AsyncGenerator[list[Event], None]:
        unsent = [message for message in messages if self._reader.wants(message)]
        async with aclosing(self._queues.load(unsent)) as batches:
            async for loaded in batches:
                # What is older says nothing: this stream came here later than that message reached the other isolate.
                fresh = [item.isolate_born_ms for item in loaded if item.accepted_ms > self._opened_ms]
                self._youngest_ms = max(self._youngest_ms, *fresh, 0)
                events = self._reader.deliver(loaded, self._clock.now_ms())
                # Encoded; the messages are not needed while their events are sent.
                loaded.clear()
                if events:
                    self._last_id = _last_id(events) or self._last_id
                    yield events
                if self._is_stream:
                    events.clear()
                    self._queues.loads.release()


def _is_answered(message: Message, answered: Container[str] | None) -> bool:
    return message.kind == "request" and answered is not None and message.id in answered


def _answered(request: Message) -> Message:
    """What is behind `request` among its producer's messages does not wait for it."""
    return msgspec.structs.replace(request, kind="skip", args=msgspec.UNSET, size=0)


def _last_id(events: list[Event]) -> str | None:
    return next((event.id for event in reversed(events) if event.id), None)


def _in_turn(messages: list[Message], reader: GuestReader) -> list[list[Message]]:
    """`messages`, in order of time, in the parts in which a poll returns them, which may have no room for all: where
    the last one had not, it goes on there; otherwise what is new comes first, then small replays, then large ones."""
    if reader.has_backlog:
        left = [message for message in messages if message.cursor >= reader.since]
        return [left, [message for message in messages if message.cursor < reader.since]]
    new = [message for message in messages if not reader.is_replay(message)]
    replays = [message for message in messages if reader.is_replay(message)]
    return [new, sorted(replays, key=lambda message: message.size > MAX_BODY_BYTES)]
