"""The time port. Times are whole milliseconds since the Unix epoch; on the wire they are ISO 8601 in UTC.

A wakeup ends a loop's sleep early when another request of the isolate has produced something. It carries no data: the
loop reads the data that the requests share. A wakeup can't cross isolates; the loop then sleeps to the end.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Wakeup(Protocol):
    """The event that wakes one loop."""

    def set(self) -> None:
        """Wakes the loop, or skips its next sleep. Any request of the isolate may call this, any number of times."""
        ...

    async def wait(self, seconds: float) -> None:
        """Returns once it was set since the last wait, or after about `seconds`."""
        ...

    def is_lost(self) -> bool:
        """Whether its loop is long overdue: when a client disconnects, the platform ends the request without telling
        its code. What the wakeup holds is freed then, and `set` must not be called any more."""
        ...


class Clock(Protocol):
    """The time, and sleeping.

    On Workers the clock stands still while code runs and moves on I/O; two readings may be equal.
    """

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Returns after about `seconds`."""
        ...

    def wakeup(self) -> Wakeup:
        """A new wakeup; it belongs to the request that makes it."""
        ...


class Wakeups:
    """The wakeups of all loops that wait for one thing."""

    def __init__(self) -> None:
        self._wakeups: list[Wakeup] = []

    def __len__(self) -> int:
        return len(self._wakeups)

    @contextmanager
    def subscribe(self, wakeup: Wakeup) -> Iterator[None]:
        """Adds `wakeup` for the length of the `with` block."""
        self._wakeups.append(wakeup)
        try:
            yield
        finally:
            # A lost one has been dropped already.
            if wakeup in self._wakeups:
                self._wakeups.remove(wakeup)

    def set(self) -> None:
        """Wakes all of them."""
        self.drop_lost()
        for wakeup in self._wakeups:
            wakeup.set()

    def drop_lost(self) -> None:
        """Drops the wakeups whose loops are gone."""
        self._wakeups = [wakeup for wakeup in self._wakeups if not wakeup.is_lost()]


def seconds_until(due_ms: int, now_ms: int) -> float:
    """The seconds from `now_ms` to `due_ms`, at least 0.001, so that a loop that is late still lets others run."""
    return max(due_ms - now_ms, 1) / 1000


def to_iso(milliseconds: int) -> str:
    """`1767225600000` -> `"2026-01-01T00:00:00.000Z"`."""
    moment = EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
