"""The wait for the responses to one request: on the isolate's local channel, which is free, and by polling KV."""

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager

from waypost_worker.clock import Wakeup
from waypost_worker.errors import Unavailable
from waypost_worker.kv.cursor import cursor_ms
from waypost_worker.kv.keys import cursor_of
from waypost_worker.limits import REORDER_WINDOW_SECONDS, WAIT_RESERVED_OPERATIONS
from waypost_worker.polling.invocation import Invocation
from waypost_worker.polling.schedule import PollSchedule
from waypost_worker.polling.wait import wait_for_item
from waypost_worker.polling.wake_up_key import WakeUpKey
from waypost_worker.queues.message import Message
from waypost_worker.queues.message_channel import MessageChannel, Sent
from waypost_worker.queues.queue import Queues


class ResponseWaiter:
    """Waits for the responses to one request: progress, and the final one.

    It is made before the request is queued, so that no response on the local channel is missed. `resumed`: the request
    was queued by an earlier invocation, so the store is asked immediately.
    """

    def __init__(
        self, queues: Queues, channel: MessageChannel, invocation: Invocation, *, resumed: bool = False
    ) -> None:
        self._queues = queues
        self._channel = channel
        self._position = channel.position()
        # KV has what was queued here before, but for these.
        self._unwritten = channel.unwritten_in(queues.responses)
        self.sent = Sent(Message("request", ""), is_over=True)
        """The request, once this invocation has sent it: the wait ends when its write has failed. One that was sent
        earlier is stored."""
        self._invocation = invocation
        exists = queues.has_wake_up_keys
        self._wake_up = WakeUpKey(invocation.meter, queues.responses, invocation.clock, exists=exists)
        self._listed: set[str] = set()
        self._schedule = invocation.wait_schedule(is_only_reader=True)
        if not resumed:
            self._looked(self._schedule, "")
        self._seen: set[str] = set()
        self._ready: deque[Message] = deque()

    @property
    def is_spent(self) -> bool:
        """Whether this invocation has no operations left to go on with."""
        return self._invocation.meter.remaining <= WAIT_RESERVED_OPERATIONS

    async def final_response(self, request_id: str, seconds: float) -> Message | None:
        """The final response, or `None` if it has not come within `seconds`, or when the operations are spent.

        Progress is passed over without reading its body.

        Raises:
            Unavailable: the store does not answer, or has not taken the request.
        """
        clock = self._invocation.clock
        deadline_ms = clock.now_ms() + round(seconds * 1000)
        schedule = self._invocation.wait_schedule(is_only_reader=True)
        self._looked(schedule, request_id)

        async def from_channel() -> Message | None:
            final = next((message for message in self._published(request_id) if message.final), None)
            response = await self._queues.load_one(final) if final else None
            self._require_sent(response)
            return response

        async def from_store() -> Message | None:
            messages = await self._queues.responses_to(request_id)
            self._listed.update(message.cursor for message in messages)
            self._looked(schedule, request_id)
            final = next((message for message in messages if message.final), None)
            return await self._queues.load_one(final) if final else None

        async def read_wake_up() -> None:
            await self._read_wake_up(schedule, request_id)

        return await wait_for_item(
            self._invocation,
            schedule,
            deadline_ms,
            subscribe=self._subscribe,
            from_channel=from_channel,
            from_store=from_store,
            read_wake_up=read_wake_up,
        )

    async def next(self, request_id: str, deadline_ms: int) -> Message | None:
        """The next message of any kind, each once; `None` at `deadline_ms`, or when `is_spent`.

        A store that does not answer is asked again, more slowly.

        Raises:
            Unavailable: the store has not taken the request.
        """
        if self._ready:
            return self._ready.popleft()

        async def from_channel() -> Message | None:
            await self._load_if_possible(self._published(request_id))
            response = self._next_ready()
            self._require_sent(response)
            return response

        async def from_store() -> Message | None:
            if not self.is_spent:
                await self._look(request_id)
            return self._next_ready()

        async def read_wake_up() -> None:
            await self._read_wake_up(self._schedule, request_id)

        return await wait_for_item(
            self._invocation,
            self._schedule,
            deadline_ms,
            subscribe=self._subscribe,
            from_channel=from_channel,
            from_store=from_store,
            read_wake_up=read_wake_up,
            look_at_deadline=False,
        )

    def _subscribe(self, wakeup: Wakeup) -> AbstractContextManager[None]:
        return self._channel.subscribe(self._queues.responses, wakeup)

    def _published(self, request_id: str) -> list[Message]:
        messages = self._unwritten + self._channel.since(self._queues.responses, self._position)
        self._position, self._unwritten = self._channel.position(), []
        return [message for message in messages if message.id == request_id]

    def _require_sent(self, response: Message | None) -> None:
        # A response that came all the same is worth more than the failure.
        if response is None and self.sent.failure is not None:
            raise self.sent.failure

    async def _read_wake_up(self, schedule: PollSchedule, request_id: str) -> None:
        """Reads the wake-up key, which names all responses in the session, and tells `schedule`."""
        try:
            await self._wake_up.read(schedule, self._awaits(request_id))
        except Unavailable:
            schedule.failed(self._invocation.clock.now_ms())

    def _looked(self, schedule: PollSchedule, request_id: str) -> None:
        self._wake_up.looked(schedule, self._awaits(request_id))

    def _awaits(self, request_id: str) -> Callable[[str], bool]:
        """Whether a message's key is that of a response to this request that no look has found and that may still come:
        one that is old was acknowledged."""
        prefix = f"{self._queues.responses}:{request_id}:"
        oldest_ms = self._invocation.clock.now_ms() - REORDER_WINDOW_SECONDS * 1000

        def is_awaited(key: str) -> bool:
            cursor = cursor_of(key)
            return key.startswith(prefix) and cursor not in self._listed and cursor_ms(cursor) > oldest_ms

        return is_awaited

    async def _look(self, request_id: str) -> None:
        try:
            messages = await self._queues.responses_to(request_id)
        except Unavailable:
            self._schedule.failed(self._invocation.clock.now_ms())
        else:
            self._listed.update(message.cursor for message in messages)
            self._looked(self._schedule, request_id)
            await self._load_if_possible(messages)

    async def _load_if_possible(self, messages: list[Message]) -> None:
        try:
            await self._load(messages)
        except Unavailable:
            # What was queued is safe; the store is asked again later, or by another invocation.
            self._schedule.failed(self._invocation.clock.now_ms())

    async def _load(self, messages: list[Message]) -> None:
        unseen = [message for message in messages if message.cursor not in self._seen]
        async for loaded in self._queues.load(unseen):
            for message in loaded:
                self._seen.add(message.cursor)
                self._ready.append(message)

    def _next_ready(self) -> Message | None:
        return self._ready.popleft() if self._ready else None
