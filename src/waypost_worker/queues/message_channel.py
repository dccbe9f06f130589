"""The messages that were queued in this isolate. Its readers may have one before KV does: it is written meanwhile.

What is delivered ahead of its write may never be stored: KV may refuse it for good, or the isolate may die. So nothing
may follow from such a message but its delivery: it is not removed, nor does another message count as its repeat, before
its write is over. `docs/architecture.md` has the table of what may fail, and what each side sees then.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from waypost_worker.clock import Clock, Wakeups
from waypost_worker.kv.cursor import cursor_ms
from waypost_worker.limits import MAX_UNWRITTEN_BYTES, MAX_UNWRITTEN_MESSAGES
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.polling.wake_up_key import WRITE_INTERVAL_MS
from waypost_worker.queues.message import Message

WRITING_SECONDS = 20
"""Longer than any write is repeated. A write that is older was ended by the platform, with its invocation."""


class _Unwritten(NamedTuple):
    """`item`: what was published of `message`. `since_ms`: when its write began."""

    scope: str
    item: Message
    message: Message
    size: int
    since_ms: int


class Sent:
    """A message that is being written, or has been."""

    def __init__(self, message: Message, *, is_over: bool) -> None:
        self.message = message
        self.failure: Exception | None = None
        """Why it was not written."""
        self._over = asyncio.Event()
        if is_over:
            self._over.set()

    def end(self, failure: Exception | None) -> None:
        """Its write is over."""
        self.failure = failure
        self._over.set()

    async def stored(self) -> Message:
        """The message, once it is in KV. Only then it may be promised to anybody.

        Raises:
            whatever its write has raised
        """
        await self._over.wait()
        if self.failure is not None:
            raise self.failure
        return self.message


class MessageChannel(LocalChannel[Message]):
    """The local channel of messages; one per isolate."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        # In the order in which their writes began.
        self._unwritten: dict[str, _Unwritten] = {}
        self._unwritten_bytes = 0
        self._writes_over = Wakeups()

    def publish_ahead(self, scope: str, item: Message, size: int, message: Message, message_size: int) -> bool:
        """Publishes `item`, which is `message` or its head, ahead of its write. `wrote` must follow. Returns whether
        there was room for `message`; if not, nothing is published."""
        is_full = len(self._live()) >= MAX_UNWRITTEN_MESSAGES
        if is_full or self._unwritten_bytes + message_size > MAX_UNWRITTEN_BYTES:
            return False
        self._unwritten[message.cursor] = _Unwritten(scope, item, message, message_size, self._clock.now_ms())
        self._unwritten_bytes += message_size
        self.publish(scope, item, size)
        return True

    def wrote(self, message: Message, *, is_stored: bool) -> None:
        """The write of a message that was published ahead of it is over."""
        unwritten = self._unwritten.pop(message.cursor, None)
        if unwritten is None:
            return
        self._unwritten_bytes -= unwritten.size
        if not is_stored and message.kind == "response":
            # Its request is not answered: the host sends the response again. A request stays: it may be running.
            self.drop(unwritten.scope, lambda item: item.cursor == message.cursor)
        self._writes_over.set()

    def request(self, scope: str, request_id: str) -> Message | None:
        """The first of the requests `request_id`, or its head, if this isolate has queued it recently."""
        recent = self.since(scope, 0)
        return next((item for item in recent if item.id == request_id and item.kind != "cancel"), None)

    def unwritten(self, cursor: str) -> Message | None:
        """The whole message `cursor` while it is being written."""
        unwritten = self._live().get(cursor)
        return None if unwritten is None else unwritten.message

    def unwritten_in(self, scope: str) -> list[Message]:
        """The messages of a queue that are being written, or their heads. A new reader begins with them: of what was
        queued before it came, KV has the others."""
        return [unwritten.item for unwritten in self._live().values() if unwritten.scope == scope]

    async def written(self, concerns: Callable[[Message], bool]) -> None:
        """Waits until the writes are over of all messages that `concerns` accepts."""
        if not any(self._concerned(concerns)):
            return
        wakeup = self._clock.wakeup()
        with self._writes_over.subscribe(wakeup):
            while any(self._concerned(concerns)):
                await wakeup.wait(WRITING_SECONDS)

    async def rest(self, messages: Iterable[Message]) -> None:
        """Waits until KV takes another write to the keys of `messages`, which were written here: one a second."""
        last_ms = max((cursor_ms(message.cursor) for message in messages), default=0)
        if (left_ms := last_ms + WRITE_INTERVAL_MS - self._clock.now_ms()) > 0:
            await self._clock.sleep(left_ms / 1000)

    def _concerned(self, concerns: Callable[[Message], bool]) -> Iterator[bool]:
        return (concerns(unwritten.message) for unwritten in self._live().values())

    def _live(self) -> dict[str, _Unwritten]:
        """The messages that are being written; those whose invocation is gone are given up."""
        ended_ms = self._clock.now_ms() - WRITING_SECONDS * 1000
        while self._unwritten:
            first = next(iter(self._unwritten.values()))
            if first.since_ms > ended_ms:
                break
            self.wrote(first.message, is_stored=False)
        return self._unwritten
