"""Long polls: the events of a queue, waited for up to a given time."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from waypost_worker.errors import BudgetSpent, Busy
from waypost_worker.kv.cursor import message_in
from waypost_worker.limits import MAX_POLL_BYTES, MAX_POLL_MESSAGES
from waypost_worker.polling.invocation import Invocation
from waypost_worker.polling.wait import wait_for_item
from waypost_worker.queues.feed import Feed
from waypost_worker.sse import Event


async def poll_events(feed: Feed, seconds: float, invocation: Invocation) -> tuple[list[Event], str]:
    """The events that are there, and the cursor to resume after; waits up to `seconds` for a new one.

    Replays come along but do not end the wait: a host that is still at work on a request would otherwise get it again
    immediately, for ever.
    """
    clock = invocation.clock
    deadline_ms = clock.now_ms() + round(seconds * 1000)
    schedule = invocation.wait_schedule()
    batch = _PollBatch(feed.cursor)

    async def from_channel() -> list[Event] | None:
        # As with streams: what is newer must not move a guest's cursor past what only the store has.
        if feed.is_behind:
            return None
        await batch.fill(feed.from_channel())
        return batch.fresh or None

    async def from_store() -> list[Event] | None:
        await batch.fill(feed.from_store())
        feed.looked(schedule)
        return batch.fresh or None

    async def read_wake_up() -> None:
        await feed.read_wake_up(schedule)

    # What was found before the operations were spent is a valid result; the next poll gets the rest.
    with suppress(BudgetSpent):
        await wait_for_item(
            invocation,
            schedule,
            deadline_ms,
            subscribe=feed.subscribe,
            from_channel=from_channel,
            from_store=from_store,
            read_wake_up=read_wake_up,
        )
    if batch.is_refused:
        raise Busy("Too much is being sent here; poll again.")
    return batch.events(), feed.cursor_of_poll(batch.last_id, batch.dropped)


class _PollBatch:
    """The result of one poll: everything new up to its limits, then as many replays as there is room for."""

    def __init__(self, cursor: str) -> None:
        self.fresh: list[Event] = []
        self.last_id = cursor
        self.dropped: set[str] = set()
        """The cursors of the messages that it had no room for."""
        self._others: list[Event] = []
        self._bytes = 0
        self._other_bytes = 0
        self._is_busy = False

    @property
    def is_refused(self) -> bool:
        """Whether there was no room for what it found, and it has nothing to return instead."""
        return self._is_busy and not self.fresh and not self._others

    @property
    def is_full(self) -> bool:
        return len(self.fresh) >= MAX_POLL_MESSAGES or self._bytes >= MAX_POLL_BYTES

    async def fill(self, batches: AsyncGenerator[list[Event], None]) -> None:
        """Adds what `batches` yield, until it is full, or there is no room for a large one: the next look, or the next
        poll, gets the rest."""
        try:
            async with aclosing(batches):
                async for events in batches:
                    self._add(events)
                    if self.is_full:
                        break
        except Busy:
            self._is_busy = True

    def _add(self, events: list[Event]) -> None:
        for event in events:
            if event.id is None or event.is_replay:
                # Bounded too: a long backlog of replays must neither fill the memory nor hide what is new.
                if len(self._others) < MAX_POLL_MESSAGES and self._other_bytes < MAX_POLL_BYTES:
                    self._others.append(event)
                    self._other_bytes += len(event.data)
                else:
                    self._drop(event)
            elif not self.is_full:
                self.fresh.append(event)
                self._bytes += len(event.data)
                self.last_id = event.id
            else:
                self._drop(event)

    def _drop(self, event: Event) -> None:
        # A gap has no id, and only hosts get some, whose cursors pass nothing.
        self.dropped.add(message_in(event.id or ""))

    def events(self) -> list[Event]:
        """What it has room for."""
        room = max(0, MAX_POLL_MESSAGES - len(self.fresh))
        for event in self._others[room:]:
            self._drop(event)
        others = self._others[:room]
        # By time again: an event's id begins with its message's cursor; a gap has none.
        return sorted(others, key=lambda event: event.id or "") + self.fresh
