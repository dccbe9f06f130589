"""Retries: which requests are sent again, when, and for how long."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from waypost._core.effects import Flow, Now, Send, Sleep
from waypost._core.messages import Call, refusal
from waypost.errors import ApiError, TransportError, WaypostError, is_transient, retry_after

T = TypeVar("T")

MAX_SPREAD_SECONDS = 60.0
"""What a server asked for ends for all its clients in the same moment: they come back within a tenth of it, or this."""


class Retry(msgspec.Struct, frozen=True):
    """How a client repeats requests that failed. `max_elapsed`: seconds after which it gives up, 0 for no repeats."""

    max_elapsed: float = 30.0
    base: float = 0.5
    cap: float = 8.0


class Backoff:
    """Exponential backoff with full jitter: clients that lost the same server do not all come back in one moment."""

    def __init__(self, base: float, cap: float, random: Callable[[], float] = random.random) -> None:
        self.base = base
        self._cap = cap
        self._random = random
        self._attempts = 0

    def next(self, floor: float = 0.0) -> float:
        """The next delay in seconds, never less than `floor`, which the server asked for."""
        ceiling = min(self._cap, self.base * 2.0 ** min(self._attempts, 16))
        self._attempts += 1
        return floor + self._random() * max(ceiling, min(floor / 10, MAX_SPREAD_SECONDS))

    def reset(self) -> None:
        """Begins with short delays again, after a success."""
        self._attempts = 0


class Doubt:
    """Whether an attempt may have taken effect, although its reply did not come or said otherwise."""

    def __init__(self) -> None:
        self.is_there = False


def sending(call: Call[T], retry: Retry, doubt: Doubt | None = None) -> Flow[T]:
    """Sends a call until it succeeds, is refused for good, or the time is over. `doubt` is set for its caller.

    Raises:
        ApiError: the last refusal. Immediately, if the server asks for a longer wait than there is time.
        TransportError: the last connection broke.
    """
    backoff = Backoff(retry.base, retry.cap)
    began: float = yield Now()
    while True:
        try:
            return (yield from once(call))
        except WaypostError as error:
            now: float = yield Now()
            delay = backoff.next(retry_after(error))
            if not _may_repeat(call, error) or now + delay - began > retry.max_elapsed:
                raise
            if doubt is not None:
                doubt.is_there = doubt.is_there or not _was_refused(error)
        yield Sleep(delay)


def until_done(call: Call[T], cap: float, waits: Callable[[float, WaypostError], None]) -> Flow[T]:
    """Sends a call, which must be repeatable, until the server accepts it or refuses it for good. `cap`: the longest
    delay in seconds, unless the server asks for more. `waits` hears of each delay, and why it is needed.

    Raises:
        WaypostError: a refusal that the next attempt would get too.
    """
    backoff = Backoff(1.0, cap)
    while True:
        try:
            return (yield from once(call))
        except WaypostError as error:
            if not is_transient(error):
                raise
            delay = backoff.next(retry_after(error))
            waits(delay, error)
        yield Sleep(delay)


def once(call: Call[T]) -> Flow[T]:
    """Sends a call once. Raises `ApiError`, `TransportError`."""
    reply = yield Send(call.request)
    if not 200 <= reply.status < 300:
        raise refusal(reply, time.time())
    return call.read(reply)


def _may_repeat(call: Call[T], error: WaypostError) -> bool:
    return is_transient(error) and (call.repeatable or _was_refused(error))


def _was_refused(error: WaypostError) -> bool:
    """Whether it is certain that nothing was done: the request was never sent, or a rate limit stopped it."""
    if isinstance(error, TransportError):
        return error.never_sent
    return isinstance(error, ApiError) and error.status == 429
