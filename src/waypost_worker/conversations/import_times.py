"""The times in an import: as they were exported, or as other programs write them."""

from datetime import UTC, datetime, timedelta

import msgspec

from waypost_worker.clock import EPOCH, to_iso
from waypost_worker.errors import InvalidBody

LEAST_MILLISECONDS = 10**11
"""A number at least this far from 0 is milliseconds, a smaller one seconds: as milliseconds it is March 1973, as
seconds the year 5138."""


class TimesReadAs(msgspec.Struct, omit_defaults=True, rename="camel"):
    """How many times of an import did not say what they are, by the way in which they were read."""

    utc: int = 0
    """Times without an offset, read as UTC."""
    unix_seconds: int = 0
    """Numbers below 100,000,000,000, read as seconds since 1970-01-01T00:00:00Z."""
    unix_milliseconds: int = 0
    """Greater numbers, read as milliseconds since then."""

    def milliseconds(self, time: str | float) -> int:
        """The milliseconds of `time`: ISO 8601, or a number of seconds or milliseconds. Counts how it was read.

        Raises:
            InvalidBody: it is no such time, or not within the years 1 to 9999 in UTC.
        """
        try:
            milliseconds = self._read(time)
            # Checks that the time can be formatted again.
            to_iso(milliseconds)
        except (ValueError, OverflowError) as error:
            raise InvalidBody(
                "A timestamp is a time like 2026-01-01T00:00:00.000Z, or a number of Unix seconds or milliseconds."
            ) from error
        return milliseconds

    def _read(self, time: str | float) -> int:
        if not isinstance(time, str):
            if abs(time) >= LEAST_MILLISECONDS:
                self.unix_milliseconds += 1
                return round(time)
            self.unix_seconds += 1
            return round(time * 1000)
        moment = datetime.fromisoformat(time)
        if moment.tzinfo is None:
            self.utc += 1
            moment = moment.replace(tzinfo=UTC)
        return (moment - EPOCH) // timedelta(milliseconds=1)
