"""JSON-RPC 2.0 as MCP uses it: the messages, ids that are strings or integers, and the error codes.

https://www.jsonrpc.org/specification; MCP allows no `null` as an id, and batches in one revision only (batch.py).
"""

from typing import Any

import msgspec

from waypost_worker.errors import InvalidEncoding, InvalidJson, WaypostError
from waypost_worker.limits import MAX_RPC_ID_LENGTH

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
RESOURCE_NOT_FOUND = -32002
"""Up to 2025-11-25; later revisions use INVALID_PARAMS."""
HEADER_MISMATCH = -32020
MISSING_CAPABILITY = -32021
UNSUPPORTED_VERSION = -32022

# Ours: outside of the range that JSON-RPC reserves, as MCP 2026-07-28 (basic, "Error Codes") requires of new codes.
TAB_AWAY = -31001
TIMED_OUT = -31002
CANCELLED = -31003
REFUSED = -31004
"""Every error that has a code of its own in this API (`data.code`): a session that ended, a budget that is spent."""

NOTIFICATIONS = "notifications/"
"""What the method of every notification of MCP begins with."""

PROGRESS = f"{NOTIFICATIONS}progress"

RpcId = str | int
OWN_CODES = {
    TAB_AWAY: "tab_away",
    TIMED_OUT: "timed_out",
    CANCELLED: "cancelled",
}
"""`data.code` of the errors that come from the way to the tool, not from the tool."""


class RpcError(Exception):
    """A JSON-RPC error. `status` is the HTTP status of its reply, unless the reply is an event of a stream."""

    def __init__(
        self,
        code: int,
        message: str,
        data: Any = msgspec.UNSET,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        if data is msgspec.UNSET and code in OWN_CODES:
            data = {"code": OWN_CODES[code]}
        self.data = data
        self.status = status
        self.headers = headers or {}

    @property
    def own_code(self) -> str:
        """`data.code`, or for an error of JSON-RPC and MCP its number, as `rpc-32602`: for the log."""
        code = self.data.get("code") if isinstance(self.data, dict) else None
        return code if isinstance(code, str) else f"rpc{self.code}"


class Incoming(msgspec.Struct, frozen=True):
    """One message. A request has an `id` and a `method`; a notification has no id; a client's reply has no method."""

    id: RpcId | None
    method: str
    params: dict[str, Any] = {}

    @property
    def meta(self) -> dict[str, Any]:
        """`params._meta`, or an empty object."""
        meta = self.params.get("_meta")
        return meta if isinstance(meta, dict) else {}


def invalid_request(message: str) -> RpcError:
    """The error -32600, status 400: the message is not a JSON-RPC message as MCP allows it."""
    return RpcError(INVALID_REQUEST, message, status=400)


def invalid_params(message: str) -> RpcError:
    """The error -32602: the method exists, its parameters are wrong."""
    return RpcError(INVALID_PARAMS, message)


def decode_message(value: Any) -> Incoming:
    """The message that the JSON `value` contains.

    Raises:
        RpcError: -32600. `id_of(value)` is the id for the reply.
    """
    if isinstance(value, list):
        raise invalid_request("This revision has no batches: send one message in each request.")
    if not isinstance(value, dict):
        raise invalid_request("A message must be a JSON object.")
    if value.get("jsonrpc") != "2.0":
        raise invalid_request('A message must have "jsonrpc": "2.0".')
    # Many libraries write all members of a message, those that it does not have as null.
    method = value.get("method")
    outcomes = [name for name in ("result", "error") if value.get(name) is not None]
    is_reply = method is None and ("result" in value or "error" in value)
    if (method is None and not is_reply) or (method is not None and outcomes):
        raise invalid_request("A message must have either a method, or a result or an error.")
    if len(outcomes) == 2:
        raise invalid_request("A reply must have either a result or an error.")
    if not is_reply and not (isinstance(method, str) and method):
        raise invalid_request("The method must be the name of one.")
    # A reply to a message that could not be read has no id, and a notification has none.
    may_lack_id = is_reply or (isinstance(method, str) and method.startswith(NOTIFICATIONS))
    has_no_id = "id" not in value or (may_lack_id and value["id"] is None)
    if not has_no_id and id_of(value) is None:
        raise invalid_request(f"An id must be an integer or a string of 1 to {MAX_RPC_ID_LENGTH} characters.")
    params = as_object(value.get("params"))
    if params is None:
        raise invalid_request("params must be an object.")
    return Incoming(id_of(value), method or "", params)


def id_of(value: Any) -> RpcId | None:
    """The id of a JSON value, or `None` if it has no valid id."""
    id = value.get("id") if isinstance(value, dict) else None
    return id if isinstance(id, str) and 0 < len(id) <= MAX_RPC_ID_LENGTH else as_integer(id)


def as_integer(value: Any) -> int | None:
    """The integer that a JSON value is, or `None`. 1.0 is one: some languages write all numbers like this."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    # True is a number in Python. JavaScript would round a larger number, and reply to another id.
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 else None


def as_object(value: Any) -> dict[str, Any] | None:
    """The object that a JSON value is, or `None`. `null`, `[]` and `""` are the empty object: PHP writes it as `[]`,
    and libraries of other languages write a member that is not set as one of the others."""
    if value is None or value == [] or value == "":
        return {}
    return value if isinstance(value, dict) else None


def encode_result(id: RpcId, result: Any) -> bytes:
    """The reply to the request `id`."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": id, "result": result})


def encode_error(id: RpcId | None, error: RpcError) -> bytes:
    """The reply with `error` to the request `id`; `None`: no id could be read, so the reply has none."""
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not msgspec.UNSET:
        body["data"] = error.data
    with_id = {} if id is None else {"id": id}
    return msgspec.json.encode({"jsonrpc": "2.0", **with_id, "error": body})


def encode_notification(method: str, params: dict[str, Any] | None = None) -> bytes:
    """A notification to the client."""
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
    return msgspec.json.encode(message if params is None else {**message, "params": params})


def of_problem(error: WaypostError, status: int, headers: dict[str, str]) -> RpcError:
    """The JSON-RPC error for an error of this API; `data.code` is the code of its problem document."""
    code = PARSE_ERROR if isinstance(error, InvalidJson | InvalidEncoding) else REFUSED
    return RpcError(code, error.detail, {"code": error.code}, status=status, headers=headers)
