"""Counts of what one isolate has served since it began, for `/metrics`.

Bounded by construction: every key is a route of the table, a known method, or a code or kind of this service, never a
text of a request. An isolate forgets its counts when it ends, and knows nothing of what other isolates serve.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import TypeVar

from waypost_worker.telemetry.record import RequestRecord

Key = TypeVar("Key")

REQUEST_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
"""Bounds of the buckets for requests: a call within one isolate takes some ms, `?wait=` 60 s at most."""

STREAM_SECONDS = (1.0, 10.0, 60.0, 120.0, 300.0, 900.0)

DELIVERY_SECONDS = (0.05, 0.25, 1.0, 2.5, 6.0, 30.0, 60.0, 120.0)
"""Of deliveries: within an isolate, by a wake-up key, by a look, and what KV may take."""

KINDS = ("read", "write", "delete", "list")
DIRECTIONS = ("read", "written")


class Histogram:
    """How many values were at most each of `bounds`, or greater than the last one; and their sum."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Counts one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class RouteMetrics:
    """The counts of one route and method. `requests`: by the first digit of the status. `ended`: its streams."""

    __slots__ = ("ended", "requests", "seconds", "stream_seconds")

    def __init__(self) -> None:
        self.requests: dict[int, int] = {}
        self.seconds = Histogram(REQUEST_SECONDS)
        self.stream_seconds = Histogram(STREAM_SECONDS)
        self.ended: dict[str, int] = {}


class Metrics:
    """The counts of one isolate, which began at `started_ms`."""

    def __init__(self, started_ms: int) -> None:
        self.started_ms = started_ms
        self.routes: dict[tuple[str, str], RouteMetrics] = {}
        self.problems: dict[str, int] = {}
        self.callers: dict[str, int] = {}
        self.deliveries: dict[str, Histogram] = {}
        self.operations = [0] * len(KINDS)
        self.bytes = [0] * len(DIRECTIONS)
        self.kv_ms = 0

    def count(self, record: RequestRecord) -> None:
        """Counts a request that has ended."""
        key = record.method, record.route
        if (route := self.routes.get(key)) is None:
            route = self.routes[key] = RouteMetrics()
        _add(route.requests, record.status // 100)
        if record.ended:
            _add(route.ended, record.ended)
            route.stream_seconds.observe(record.ms / 1000)
        else:
            route.seconds.observe(record.ms / 1000)
        _add(self.callers, record.caller)
        if record.code:
            _add(self.problems, record.code)
        operations, sizes = self.operations, self.bytes
        operations[0] += record.reads
        operations[1] += record.writes
        operations[2] += record.deletes
        operations[3] += record.lists
        sizes[0] += record.read_bytes
        sizes[1] += record.written_bytes
        self.kv_ms += record.kv_ms

    def deliver(self, caller: str, delay_ms: int) -> None:
        """Counts a message that reaches `caller`, a kind of caller, `delay_ms` after it was accepted."""
        if (delays := self.deliveries.get(caller)) is None:
            delays = self.deliveries[caller] = Histogram(DELIVERY_SECONDS)
        delays.observe(max(delay_ms, 0) / 1000)


def _add(counts: dict[Key, int], key: Key) -> None:
    counts[key] = counts.get(key, 0) + 1
