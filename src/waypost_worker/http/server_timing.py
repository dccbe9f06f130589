"""The header `Server-Timing` of every response: what the request cost, where it ran, and in which isolate.

https://www.w3.org/TR/server-timing/
"""

from collections.abc import Callable

from waypost_worker.http.messages import Request
from waypost_worker.http.placement import placement_of
from waypost_worker.http.trace_context import TraceContext

SPAN_ID_LENGTH = 16
"""Hexadecimal digits of an operation's id. A request's id begins with as many."""

DIAGNOSTICS_HEADER = "waypost-diagnostics"
"""A request with this header, of any value, is told its isolate: `make probe` sends it."""


def server_timing(
    request: Request,
    operations: int,
    elapsed_ms: int,
    isolate_name: Callable[[], str],
    trace: TraceContext | None,
    request_id: str,
) -> str:
    """The value of the header: the number of KV operations and the milliseconds spent on them.

    Of a Worker that is placed also `placement`. With `DIAGNOSTICS_HEADER` also `isolate`, a random name: it says
    whether two requests met, and nothing else. In a trace also `trace`, in which the operation of this service has the
    first 16 digits of the request's id: https://w3c.github.io/trace-context/#trace-context-server-timing-metric-format
    """
    timing = f'kv;desc="{operations} operations";dur={elapsed_ms}'
    if (place := placement_of(request.headers)) is not None:
        timing += f', placement;desc="{place}"'
    if request.headers.get(DIAGNOSTICS_HEADER) is not None:
        timing += f', isolate;desc="{isolate_name()}"'
    if trace is not None:
        timing += f', trace;desc="00-{trace.trace_id}-{request_id[:SPAN_ID_LENGTH]}-{trace.flags}"'
    return timing
