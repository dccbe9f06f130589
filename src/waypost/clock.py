"""The time port. Times are whole milliseconds since the Unix epoch; on the wire they are ISO 8601 in UTC."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

from waypost.bell import Bell

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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

    def bell(self) -> Bell:
        """A sleep that others can cut short; it belongs to the request that asks for it."""
        ...


def seconds_until(due_ms: int, now_ms: int) -> float:
    """How long to wait for what is due then; never nothing, so that a loop that is late lets others go on."""
    return max(due_ms - now_ms, 1) / 1000


def to_iso(milliseconds: int) -> str:
    """`1767225600000` -> `"2026-01-01T00:00:00.000Z"`."""
    moment = EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
