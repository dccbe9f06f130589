"""Content negotiation by `Accept`, and the two forms of a reply: one JSON object, or a stream of events."""

import re

import msgspec

from waypost_worker.errors import WaypostError
from waypost_worker.http.messages import STATUS, Request, Response, problem_response
from waypost_worker.limits import STREAM_RETRY_MILLISECONDS
from waypost_worker.mcp.jsonrpc import INVALID_REQUEST, RpcError, of_problem
from waypost_worker.sse import Event, encode_sse

JSON = "application/json"
SSE = "text/event-stream"

_NEVER = re.compile(r"q=0(?:\.0*)?")


class Accepts(msgspec.Struct, frozen=True):
    """Which of the two media types a client accepts; `names_sse`: by name, not by a wildcard."""

    json: bool
    sse: bool
    names_sse: bool

    @property
    def streamed_call(self) -> bool:
        """Whether the reply to a call may be a stream. Plain HTTP clients accept everything (`*/*`) and can parse JSON
        only: for them the form must not depend on how fast the tool is."""
        return self.names_sse or not self.json


def accepts(request: Request) -> Accepts:
    """The media types that `request` accepts; both if it has no `Accept`.

    Raises:
        RpcError: neither; status 406.
    """
    field = request.headers.get("accept")
    # Weights only rank media types; a weight of zero excludes one.
    items = [[part.strip() for part in item.split(";")] for item in (field or "*/*").lower().split(",")]
    types = {name for name, *parameters in items if not any(map(_NEVER.fullmatch, parameters))}
    accepted = Accepts(
        bool(types & {JSON, "application/*", "*/*"}),
        bool(types & {SSE, "text/*", "*/*"}),
        SSE in types,
    )
    if not (accepted.json or accepted.sse):
        raise not_acceptable(f"Accept {JSON} and {SSE}.")
    return accepted


def not_acceptable(message: str) -> RpcError:
    """The error for a client that does not accept the form of the reply; status 406."""
    return RpcError(INVALID_REQUEST, message, status=406)


def encode_message(data: bytes, event_id: str | None = None) -> bytes:
    """A JSON-RPC message as one event of a stream."""
    return encode_sse(Event("message", data, event_id))


def encode_opening(event_id: str | None) -> bytes:
    """The first bytes of a stream. With an id: a priming event, from which a client resumes, and its retry time."""
    if event_id is None:
        return b": waypost\n\n"
    return encode_sse(Event("message", b"", event_id, retry_ms=STREAM_RETRY_MILLISECONDS))


def as_rpc_error(error: RpcError | WaypostError) -> RpcError:
    """`error` itself; or for one of this API, a JSON-RPC error with the status of its problem document, and those of
    its headers that clients act on."""
    if isinstance(error, RpcError):
        return error
    headers = problem_response(error).headers
    passed_on = {name: value for name, value in headers.items() if name in ("WWW-Authenticate", "Retry-After")}
    return of_problem(error, STATUS[error.code], passed_on)


def json_reply(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The HTTP response with one JSON-RPC message."""
    return Response(status, body, {"Content-Type": JSON, "Cache-Control": "no-store", **(headers or {})})
