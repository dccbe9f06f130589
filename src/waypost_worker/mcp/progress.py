"""Progress of a call: what the host reports, and a sign of life of the server's own while the host is silent.

Clients give a call up after a time without progress (SDKs after 60 s, many after 30, some after 10), and heartbeats of
a stream do not count as progress. https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/progress
"""

import math
from typing import Any

import msgspec

RUNNING = "Running."
"""The message of a sign of life as long as the host has not said anything."""

_STEP = 1e-6
"""By which part a number grows that has to grow and has no news: too little to be seen, or to overtake the host's next
number; and not the least possible step, which clients that compare single-precision numbers would not see."""

_GREATEST = 2**52
"""Beyond it, JavaScript's numbers have no room for a step."""


class ProgressCounter:
    """Turns a host's progress reports into MCP progress, which must increase with each notification."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._total: float | None = None
        self._message: str | None = RUNNING

    @property
    def last(self) -> float | None:
        """The number of the last notification."""
        return self._last

    def reach(self, progress: float | None) -> None:
        """Goes on above `progress`, which the client has been sent on an earlier stream."""
        if progress is not None and (self._last is None or self._last < progress):
            self._last = progress

    def next(self, token: str | int, report: Any) -> dict[str, Any]:
        """The parameters of the next notification. A `report` with a number `progress` keeps its numbers; any other
        report counts as one step, and becomes the message."""
        fields: dict[str, Any] = report if isinstance(report, dict) else {}
        progress: Any = fields.get("progress")
        if not _is_number(progress):
            progress = math.floor(self._last or 0) + 1
            text = report if isinstance(report, str) else msgspec.json.encode(report).decode()
            fields = {"message": fields.get("message", text)}
        elif self._last is not None and progress <= self._last:
            progress = _above(self._last)
        total, message = fields.get("total"), fields.get("message")
        self._last = progress
        self._total = total if _is_number(total) else None
        self._message = message if isinstance(message, str) else None
        return self._notification(token)

    def still(self, token: str | int) -> dict[str, Any]:
        """The parameters of a sign of life: what was reported last, and a number that has grown, but not to be seen."""
        self._last = 0 if self._last is None else _above(self._last)
        self._message = self._message or RUNNING
        return self._notification(token)

    def _notification(self, token: str | int) -> dict[str, Any]:
        fields = {"progressToken": token, "progress": self._last, "total": self._total, "message": self._message}
        return {name: value for name, value in fields.items() if value is not None}


def _above(number: float) -> float:
    # Rounded to far below the step: a client may show the number.
    return float(f"{number + max(abs(number), 1) * _STEP:.12g}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _GREATEST
