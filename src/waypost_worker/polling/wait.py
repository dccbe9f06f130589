"""The wait for something new: the local channel at each wakeup, the store and the wake-up key when the schedule says
so."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from waypost_worker.clock import Wakeup, seconds_until
from waypost_worker.limits import WAIT_RESERVED_OPERATIONS
from waypost_worker.polling.invocation import Invocation
from waypost_worker.polling.schedule import PollSchedule

T = TypeVar("T")


async def wait_for_item(
    invocation: Invocation,
    schedule: PollSchedule,
    deadline_ms: int,
    *,
    subscribe: Callable[[Wakeup], AbstractContextManager[None]],
    from_channel: Callable[[], Awaitable[T | None]],
    from_store: Callable[[], Awaitable[T | None]],
    read_wake_up: Callable[[], Awaitable[None]],
    look_at_deadline: bool = True,
) -> T | None:
    """The first item that either source has, or `None` at `deadline_ms`, or when the operations are spent.

    `subscribe` lets the local channel wake the loop. `from_store` and `read_wake_up` tell `schedule` what they found.
    `look_at_deadline`: the store is asked a last time when the time is over; not so where this wait is only one part of
    a longer one.
    """
    clock, wakeup = invocation.clock, invocation.clock.wakeup()
    with subscribe(wakeup):
        while True:
            if (item := await from_channel()) is not None:
                return item
            if schedule.is_wake_up_due(clock.now_ms()):
                await read_wake_up()
            now = clock.now_ms()
            is_over = now >= deadline_ms
            is_due = now >= schedule.next_look_ms or (is_over and look_at_deadline)
            if is_due and (item := await from_store()) is not None:
                return item
            if is_over or invocation.meter.remaining <= WAIT_RESERVED_OPERATIONS:
                return None
            await wakeup.wait(seconds_until(min(schedule.due_ms, deadline_ms), clock.now_ms()))
