"""Brings one reader what its queue holds: from the isolate's hints for nothing, and from the store, the truth."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractContextManager, aclosing

from waypost_worker.clock import Clock, Wakeup
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.queues.message import Message
from waypost_worker.queues.queue import Queues
from waypost_worker.queues.reader import GuestReader, HostReader, expired_gap
from waypost_worker.sse import Event


class Feed:
    """One reader's view of one queue of a session. Its methods raise what the store raises."""

    def __init__(
        self,
        queues: Queues,
        reader: HostReader | GuestReader,
        channel: LocalChannel[Message],
        clock: Clock,
        ttl_seconds: int,
    ) -> None:
        self._queues = queues
        self._reader = reader
        self._scope = queues.requests if isinstance(reader, HostReader) else queues.responses
        self._channel = channel
        self._position = channel.position()
        self._clock = clock
        self._ttl_ms = ttl_seconds * 1000

    @property
    def cursor(self) -> str:
        """The cursor to come back with."""
        return self._reader.cursor

    def subscribe(self, wakeup: Wakeup) -> AbstractContextManager[None]:
        """Have `bell` rung when `from_hints` has something, for as long as this lasts."""
        return self._channel.subscribe(self._scope, wakeup)

    def gaps(self) -> list[Event]:
        """What to tell a reader that was away for longer than messages are kept."""
        after_ms = self._reader.resumed_after_ms
        is_late = after_ms is not None and self._clock.now_ms() - after_ms > self._ttl_ms
        return [expired_gap(self._reader.position)] if is_late else []

    async def from_channel(self) -> list[Event]:
        """What was queued in this isolate since the last call."""
        noted = self._channel.since(self._scope, self._position)
        if not noted:
            return []
        self._position = self._channel.position()
        return [event async for events in self._deliver(noted) for event in events]

    async def from_store(self) -> AsyncGenerator[list[Event], None]:
        """What the store lists and the reader has not been sent, in batches of bounded size, none empty; then the gaps
        that are due. Duplicates of what the host has acknowledged are removed on the way."""
        listed: set[str] = set()
        waiting: list[Message] = []
        async with aclosing(self._queues.pages(self._scope)) as pages:
            async for page in pages:
                listed.update(message.cursor for message in page)
                # Answers are listed request by request: only the whole listing can be put in order of time.
                waiting += [message for message in page if self._reader.wants(message)]
                # Most looks find nothing new, and must cost little.
                if waiting and isinstance(self._reader, HostReader):
                    async with aclosing(self._deliver(waiting)) as batches:
                        async for events in batches:
                            yield events
                    waiting = []
        if waiting:
            waiting.sort(key=lambda message: message.cursor)
            async with aclosing(self._deliver(waiting)) as batches:
                async for events in batches:
                    yield events
        if due := self._reader.deliver([], self._clock.now_ms()):
            yield due
        await self._drop_duplicates(listed)

    async def _drop_duplicates(self, listed: set[str]) -> None:
        now = self._clock.now_ms()
        if isinstance(self._reader, HostReader):
            await self._queues.remove_listed(self._reader.settled_duplicates(listed, now - self._ttl_ms))
        self._reader.forget(listed, now)

    async def _deliver(self, messages: Sequence[Message]) -> AsyncGenerator[list[Event], None]:
        wanted = [message for message in messages if self._reader.wants(message)]
        async with aclosing(self._queues.load(wanted)) as batches:
            async for loaded in batches:
                if events := self._reader.deliver(loaded, self._clock.now_ms()):
                    yield events
