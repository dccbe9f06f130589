"""Clients that take only small events of a stream: they get JSON for as long as they can be expected to wait.

The Python SDK (from 2.0, with what is built on it) reads streams with httpx2, which breaks off at an event of more than
1 MiB, and with it ends the whole client. A screenshot may have two. A JSON object may have any size there.
"""

from waypost_worker.http.messages import Request
from waypost_worker.limits import MCP_LIMITED_EVENT_BYTES, MCP_LIMITED_PATIENCE_MILLISECONDS
from waypost_worker.queues.message import ErrorBody

AGENT = "python-httpx2/"


def is_limited(request: Request) -> bool:
    """Whether `request` is of such a client."""
    return (request.headers.get("user-agent") or "").startswith(AGENT)


def stream_patience_ms(request: Request, patience_ms: int) -> int:
    """How long a call of `request` is waited for before its reply becomes a stream; usually `patience_ms`."""
    return max(patience_ms, MCP_LIMITED_PATIENCE_MILLISECONDS) if is_limited(request) else patience_ms


def too_large_for_stream(request: Request, reply: bytes) -> ErrorBody | None:
    """The error to send in place of `reply`, an event that the client of `request` would break off at."""
    if len(reply) <= MCP_LIMITED_EVENT_BYTES or not is_limited(request):
        return None
    return ErrorBody(
        "answer_too_large",
        f"The tool has answered with {len(reply) / 1024 / 1024:.1f} MiB, after more than "
        f"{MCP_LIMITED_PATIENCE_MILLISECONDS // 1000} s. This client takes 1 MiB from a stream: ask for less, for "
        "example a smaller image, or ask a tool that answers sooner.",
    )
