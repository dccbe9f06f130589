"""What a client says that it takes (`Accept`), and how messages are sent to it: as one JSON object, or as a stream."""

import re

import msgspec

from waypost_worker.http.messages import Request, Response
from waypost_worker.limits import STREAM_RETRY_MILLISECONDS
from waypost_worker.mcp.jsonrpc import INVALID_REQUEST, RpcError
from waypost_worker.sse import Event, encode_sse

JSON = "application/json"
SSE = "text/event-stream"

_NEVER = re.compile(r"q=0(?:\.0*)?")


class Accepts(msgspec.Struct, frozen=True):
    """Which of the two a client takes."""

    json: bool
    sse: bool


def accepts(request: Request) -> Accepts:
    """What `request` takes; without the field, anything.

    Raises:
        RpcError: neither, with the status 406.
    """
    field = request.headers.get("accept")
    # Weights say which one is liked better; only a weight of zero says no.
    items = [[part.strip() for part in item.split(";")] for item in (field or "*/*").lower().split(",")]
    types = {name for name, *parameters in items if not any(map(_NEVER.fullmatch, parameters))}
    found = Accepts(
        bool(types & {JSON, "application/*", "*/*"}),
        bool(types & {SSE, "text/*", "*/*"}),
    )
    if not (found.json or found.sse):
        raise not_acceptable(f"Accept {JSON} and {SSE}.")
    return found


def not_acceptable(message: str) -> RpcError:
    """The client does not take what there is."""
    return RpcError(INVALID_REQUEST, message, status=406)


def encode_message(data: bytes, event_id: str | None = None) -> bytes:
    """A message as one event of a stream."""
    return encode_sse(Event("message", data, event_id))


def encode_opening(event_id: str | None) -> bytes:
    """The first bytes of a stream. With an id: what a client comes back with if it hears nothing else, and when."""
    if event_id is None:
        return b": waypost\n\n"
    return encode_sse(Event("message", b"", event_id, retry_ms=STREAM_RETRY_MILLISECONDS))


def json_reply(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """One JSON-RPC message."""
    return Response(status, body, {"Content-Type": JSON, "Cache-Control": "no-store", **(headers or {})})
