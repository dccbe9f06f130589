"""All that a host says about one request, as it comes: from the isolate's hints for nothing, and from the store."""

from collections import deque

from waypost_worker.clock import seconds_until
from waypost_worker.errors import Unavailable
from waypost_worker.limits import WAIT_RESERVED_OPERATIONS
from waypost_worker.polling.invocation import Invocation
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.queues.message import Message
from waypost_worker.queues.queue import Queues


class CallUpdates:
    """Progress and the final answer of the request `request_id`, each message once. To be made before the request is
    queued, so that no hint is missed; `resumed`: it was queued long ago, so the store is asked at once."""

    def __init__(
        self,
        queues: Queues,
        channel: LocalChannel[Message],
        invocation: Invocation,
        request_id: str,
        *,
        resumed: bool = False,
    ) -> None:
        self._queues = queues
        self._channel = channel
        self._position = channel.position()
        self._invocation = invocation
        self._request_id = request_id
        self._schedule = invocation.wait_schedule()
        if not resumed:
            self._schedule.looked(invocation.clock.now_ms())
        self._seen: set[str] = set()
        self._ready: deque[Message] = deque()

    @property
    def is_spent(self) -> bool:
        """Whether there are no operations left to go on with."""
        return self._invocation.meter.remaining <= WAIT_RESERVED_OPERATIONS

    async def next(self, deadline_ms: int) -> Message | None:
        """The next message, or `None` when it is `deadline_ms`, or `is_spent`."""
        clock, wakeup = self._invocation.clock, self._invocation.clock.wakeup()
        with self._channel.subscribe(self._queues.responses, wakeup):
            while not self._ready:
                await self._take_local()
                now = clock.now_ms()
                if not self._ready and now >= self._schedule.next_look_ms and not self.is_spent:
                    await self._look()
                if self._ready or now >= deadline_ms or self.is_spent:
                    break
                await wakeup.wait(seconds_until(min(self._schedule.next_look_ms, deadline_ms), clock.now_ms()))
        return self._ready.popleft() if self._ready else None

    async def _take_local(self) -> None:
        noted = self._channel.since(self._queues.responses, self._position)
        self._position = self._channel.position()
        await self._take([message for message in noted if message.id == self._request_id])

    async def _look(self) -> None:
        clock = self._invocation.clock
        try:
            await self._take(await self._queues.answers(self._request_id))
            self._schedule.looked(clock.now_ms())
        except Unavailable:
            # What was queued is safe; the store is asked again, more slowly, or by another invocation.
            self._schedule.failed(clock.now_ms())

    async def _take(self, messages: list[Message]) -> None:
        unseen = [message for message in messages if message.cursor not in self._seen]
        async for loaded in self._queues.load(unseen):
            for message in loaded:
                self._seen.add(message.cursor)
                self._ready.append(message)
