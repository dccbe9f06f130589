"""Long polls: the events of a queue, waited for up to a given time."""

from contextlib import aclosing, suppress

from waypost_worker.errors import BudgetSpent
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
        batch.add(await feed.from_channel())
        return batch.fresh or None

    async def from_store() -> list[Event] | None:
        async with aclosing(feed.from_store()) as listed:
            async for events in listed:
                batch.add(events)
                if batch.is_full:
                    break
        schedule.looked(clock.now_ms())
        return batch.fresh or None

    # What was found before the operations were spent is a valid result; the next poll gets the rest.
    with suppress(BudgetSpent):
        await wait_for_item(
            invocation,
            schedule,
            deadline_ms,
            subscribe=feed.subscribe,
            from_channel=from_channel,
            from_store=from_store,
        )
    return batch.events(), batch.cursor


class _PollBatch:
    """The result of one poll: everything new up to its limits, then as many replays as there is room for."""

    def __init__(self, cursor: str) -> None:
        self.fresh: list[Event] = []
        self.cursor = cursor
        self._others: list[Event] = []
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        return len(self.fresh) >= MAX_POLL_MESSAGES or self._bytes >= MAX_POLL_BYTES

    def add(self, events: list[Event]) -> None:
        for event in events:
            if event.id is None or event.is_replay:
                # Bounded too: a long backlog of replays must neither fill the memory nor hide what is new.
                if len(self._others) < MAX_POLL_MESSAGES:
                    self._others.append(event)
            elif not self.is_full:
                self.fresh.append(event)
                self._bytes += len(event.data)
                self.cursor = event.id

    def events(self) -> list[Event]:
        return self._others[: max(0, MAX_POLL_MESSAGES - len(self.fresh))] + self.fresh
