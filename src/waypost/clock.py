"""The time port. Times are whole milliseconds since the Unix epoch; on the wire they are ISO 8601 in UTC."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

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


def to_iso(milliseconds: int) -> str:
    """`1767225600000` -> `"2026-01-01T00:00:00.000Z"`."""
    moment = EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
