"""Waits that end: for the answer to one request, and for something new in a queue."""

from contextlib import aclosing, suppress

from waypost_worker.clock import seconds_until
from waypost_worker.errors import BudgetSpent
from waypost_worker.limits import MAX_POLL_BYTES, MAX_POLL_MESSAGES, WAIT_RESERVED_OPERATIONS
from waypost_worker.polling.invocation import Invocation
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.queues.feed import Feed
from waypost_worker.queues.message import Message
from waypost_worker.queues.queue import Queues
from waypost_worker.sse import Event


class AnswerWaiter:
    """Waits for the final answer to one request. Made before the request is queued, so that no hint is missed."""

    def __init__(self, queues: Queues, channel: LocalChannel[Message], invocation: Invocation) -> None:
        self._queues = queues
        self._channel = channel
        self._position = channel.position()
        self._invocation = invocation

    async def answer(self, request_id: str, seconds: float) -> Message | None:
        """The final answer, or `None` if it has not come when `seconds` (or the operations) are over."""
        clock, meter, wakeup = self._invocation.clock, self._invocation.meter, self._invocation.clock.wakeup()
        deadline_ms = clock.now_ms() + round(seconds * 1000)
        schedule = self._invocation.wait_schedule()
        schedule.looked(clock.now_ms())
        with self._channel.subscribe(self._queues.responses, wakeup):
            while meter.remaining > WAIT_RESERVED_OPERATIONS:
                if answer := await self._from_channel(request_id):
                    return answer
                now = clock.now_ms()
                if now >= min(schedule.next_look_ms, deadline_ms):
                    if answer := await self._queues.find_answer(request_id):
                        return answer
                    schedule.looked(clock.now_ms())
                if now >= deadline_ms:
                    return None
                await wakeup.wait(seconds_until(min(schedule.next_look_ms, deadline_ms), clock.now_ms()))
            return None

    async def _from_channel(self, request_id: str) -> Message | None:
        noted = self._channel.since(self._queues.responses, self._position)
        self._position = self._channel.position()
        for message in noted:
            if message.id == request_id and message.final:
                return await self._queues.load_one(message)
        return None


async def poll_events(feed: Feed, seconds: float, invocation: Invocation) -> tuple[list[Event], str]:
    """The events that are there, and the cursor to come back with; waits up to `seconds` for one that is new.

    What may have been delivered before comes along but does not end the wait: a host that is still at work on a
    request would otherwise get it again at once, for ever.
    """
    clock, meter, wakeup = invocation.clock, invocation.meter, invocation.clock.wakeup()
    deadline_ms = clock.now_ms() + round(seconds * 1000)
    schedule = invocation.wait_schedule()
    taken = _PollBatch(feed.cursor)
    # What was found before the operations were spent is an honest answer; the rest is there for the next poll.
    with suppress(BudgetSpent), feed.subscribe(wakeup):
        while True:
            taken.add(await feed.from_channel())
            is_over = clock.now_ms() >= deadline_ms
            if not taken.fresh and (is_over or clock.now_ms() >= schedule.next_look_ms):
                async with aclosing(feed.from_store()) as batches:
                    async for events in batches:
                        taken.add(events)
                        if taken.is_full:
                            break
                schedule.looked(clock.now_ms())
            if taken.fresh or is_over or meter.remaining <= WAIT_RESERVED_OPERATIONS:
                break
            await wakeup.wait(seconds_until(min(schedule.next_look_ms, deadline_ms), clock.now_ms()))
    return taken.events(), taken.cursor


class _PollBatch:
    """What one poll answers: everything new up to its limits, and as much of the old as then has room."""

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
                # Bounded too: a long backlog of old messages must neither fill the memory nor hide what is new.
                if len(self._others) < MAX_POLL_MESSAGES:
                    self._others.append(event)
            elif not self.is_full:
                self.fresh.append(event)
                self._bytes += len(event.data)
                self.cursor = event.id

    def events(self) -> list[Event]:
        return self._others[: max(0, MAX_POLL_MESSAGES - len(self.fresh))] + self.fresh
