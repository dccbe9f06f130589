"""Flows: generators that say what to do next, and are told what came of it.

A flow yields one of these effects and is sent its result, or has a `TransportError` thrown into it. It does no input or
output and knows no clock of its own, so one flow serves the asynchronous client, the synchronous one, and tests.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeAlias, TypeVar

import msgspec

from waypost._core.messages import Request
from waypost.errors import TransportError

T = TypeVar("T")


class Now(msgspec.Struct, frozen=True):
    """The result is a monotonic time in seconds."""


class Sleep(msgspec.Struct, frozen=True):
    """Wait."""

    seconds: float


class Send(msgspec.Struct, frozen=True):
    """Send a request; the result is the whole `Reply`."""

    request: Request


class Open(msgspec.Struct, frozen=True):
    """Send a request and leave the body unread if its status is 200; the result is a `Reply`, whose body is then empty.

    A flow has one open connection at a time. `silence`: after so many seconds without a byte it is dead.
    """

    request: Request
    silence: float


class Read(msgspec.Struct, frozen=True):
    """Read from the open connection; the result is bytes, or `None` at its end. `until`: a monotonic time at which the
    result is `b""`; without asyncio it may be noticed later, with the next heartbeat."""

    until: float | None = None


class Shut(msgspec.Struct, frozen=True):
    """Close the open connection, if there is one."""


class Emit(msgspec.Struct, frozen=True):
    """Hand a value to the flow's reader. The flow goes on when the reader asks for the next one."""

    value: Any


Effect: TypeAlias = Now | Sleep | Send | Open | Read | Shut | Emit
Flow: TypeAlias = Generator[Effect, Any, T]


class Outcome(msgspec.Struct, frozen=True):
    """What came of an effect."""

    result: Any = None
    error: TransportError | None = None


def advance(flow: Flow[Any], outcome: Outcome) -> Effect:
    """Tells a flow what came of its last effect (of a new one: nothing), and returns the next. Raises `StopIteration`
    with its result."""
    return flow.send(outcome.result) if outcome.error is None else flow.throw(outcome.error)


def next_effect(flow: Flow[Any], outcome: Outcome) -> Effect | None:
    """The same; `None` at its end."""
    try:
        return advance(flow, outcome)
    except StopIteration:
        return None
