"""The time port. Times are whole milliseconds since the Unix epoch; on the wire they are ISO 8601 in UTC.

A bell wakes a loop early when another request of the isolate has produced something. Ringing carries no data: what
there is to see is plain data that the requests share. A ring that gets lost (it can't cross isolates) costs time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Wakeup(Protocol):
    """One loop's bell."""

    def set(self) -> None:
        """Wake the loop, or keep it from its next sleep. Any request of the isolate may ring, as often as it likes."""
        ...

    async def wait(self, seconds: float) -> None:
        """Return once it was rung since the last wait, or after about `seconds`."""
        ...

    def is_lost(self) -> bool:
        """Whether its loop should have gone on long ago, and has not: the platform ends a request whose client is gone
        without a word to it. What it holds is freed then; it is not to be rung any more."""
        ...


class Clock(Protocol):
    """What time it is, and a way to let it pass.

    On Workers the clock stands still while code runs and moves on I/O; two readings may be equal.
    """

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after about `seconds`."""
        ...

    def wakeup(self) -> Wakeup:
        """A sleep that others can cut short; it belongs to the request that asks for it."""
        ...


class Wakeups:
    """The bells of those who want to hear of one thing."""

    def __init__(self) -> None:
        self._wakeups: list[Wakeup] = []

    def __len__(self) -> int:
        return len(self._wakeups)

    @contextmanager
    def subscribe(self, wakeup: Wakeup) -> Iterator[None]:
        """`bell` is one of them for as long as this lasts."""
        self._wakeups.append(wakeup)
        try:
            yield
        finally:
            # One that was late beyond all bounds has been taken for lost.
            if wakeup in self._wakeups:
                self._wakeups.remove(wakeup)

    def set(self) -> None:
        """Ring all of them."""
        self.drop_lost()
        for wakeup in self._wakeups:
            wakeup.set()

    def drop_lost(self) -> None:
        """Forget those whose loops are gone."""
        self._wakeups = [wakeup for wakeup in self._wakeups if not wakeup.is_lost()]


def seconds_until(due_ms: int, now_ms: int) -> float:
    """How long to wait for what is due then; never nothing, so that a loop that is late lets others go on."""
    return max(due_ms - now_ms, 1) / 1000


def to_iso(milliseconds: int) -> str:
    """`1767225600000` -> `"2026-01-01T00:00:00.000Z"`."""
    moment = EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
