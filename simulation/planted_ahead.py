"""Planted bugs of messages that are delivered ahead of their writes (see `planted.py`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simulation.replaced import replaced
from waypost_worker.handlers import queues as handlers
from waypost_worker.queues import feed
from waypost_worker.queues.message import Message
from waypost_worker.queues.message_channel import MessageChannel, Sent
from waypost_worker.queues.reader import HostReader


def promises_what_is_not_written() -> Any:
    """What was delivered is answered 202, whether or not it is written."""

    async def stored(self: Sent) -> Message:
        return self.message

    return replaced(Sent, "stored", stored)


def takes_what_was_never_stored_for_acknowledged() -> Any:
    """A repeat whose first copy is not listed is removed, though that copy may never have been stored."""

    def deliver(self: HostReader, messages: Any, now_ms: int) -> Any:
        events = original(self, messages, now_ms)
        self._listed_first.update(self._first_cursors.values())
        return events

    original = HostReader.deliver
    return replaced(HostReader, "deliver", deliver)


def removes_what_is_not_written() -> Any:
    """What is acknowledged or cancelled is removed while it is being written, and stands again after that."""

    async def written(self: Any, concerns: Any) -> None:
        pass

    return replaced(MessageChannel, "written", written)


@contextmanager
def delivers_what_is_answered() -> Iterator[None]:
    """An answered request whose removal was lost with its isolate is delivered to the next stream."""
    with replaced(feed, "_is_answered", lambda message, answered: False):
        yield


@contextmanager
def never_removes_the_answered() -> Iterator[None]:
    """An answered request is passed over, and never removed."""

    async def nothing(*args: Any) -> None:
        pass

    with replaced(handlers, "_remove_answered", nothing), replaced(feed.Feed, "_remove", nothing):
        yield


AHEAD_BUGS = (
    promises_what_is_not_written,
    takes_what_was_never_stored_for_acknowledged,
    removes_what_is_not_written,
    delivers_what_is_answered,
    never_removes_the_answered,
)
