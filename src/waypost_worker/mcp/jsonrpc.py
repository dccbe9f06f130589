"""JSON-RPC 2.0 as MCP has it: one message a body, ids that are texts or whole numbers, and the codes of its errors.

https://www.jsonrpc.org/specification; MCP takes no batches (since 2025-06-18) and no `null` as an id.
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
"""Up to 2025-11-25; later it is INVALID_PARAMS."""
HEADER_MISMATCH = -32020
MISSING_CAPABILITY = -32021
UNSUPPORTED_VERSION = -32022

# Ours: outside of the range that JSON-RPC keeps for itself, as MCP 2026-07-28 (basic, "Error Codes") wants new ones.
TAB_AWAY = -31001
TIMED_OUT = -31002
CANCELLED = -31003
REFUSED = -31004
"""What has a code of its own in this API (`data.code`): a session that ended, a budget that is spent."""

RpcId = str | int
OWN_CODES = {
    TAB_AWAY: "tab_away",
    TIMED_OUT: "timed_out",
    CANCELLED: "cancelled",
}
"""What `data.code` says where the error is not the tool's but of the way to it."""


class RpcError(Exception):
    """An error in JSON-RPC's terms. `status` is that of its HTTP reply where it is one by itself."""

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


class Incoming(msgspec.Struct, frozen=True):
    """One message. A request has an `id` and a `method`, a notification no id, a reply to us no method."""

    id: RpcId | None
    method: str
    params: dict[str, Any] = {}

    @property
    def meta(self) -> dict[str, Any]:
        """`params._meta`, or nothing."""
        meta = self.params.get("_meta")
        return meta if isinstance(meta, dict) else {}


def invalid_request(message: str) -> RpcError:
    """The message is no JSON-RPC message that MCP knows."""
    return RpcError(INVALID_REQUEST, message, status=400)


def invalid_params(message: str) -> RpcError:
    """The method is right and its parameters are not."""
    return RpcError(INVALID_PARAMS, message)


def decode_message(value: Any) -> Incoming:
    """The message that the JSON `value` is.

    Raises:
        RpcError: -32600. `id_of(value)` is the id to answer with.
    """
    if isinstance(value, list):
        raise invalid_request("Batches are not taken: send one message in each request.")
    if not isinstance(value, dict):
        raise invalid_request("A message is a JSON object.")
    if value.get("jsonrpc") != "2.0":
        raise invalid_request('A message says "jsonrpc": "2.0".')
    is_reply = "result" in value or "error" in value
    if is_reply == ("method" in value):
        raise invalid_request("A message has either a method, or a result or an error.")
    if is_reply and ("result" in value and "error" in value):
        raise invalid_request("A reply has either a result or an error.")
    # A reply to what could not be read has no id to give.
    has_none = "id" not in value or (is_reply and value["id"] is None)
    if not has_none and id_of(value) is None:
        raise invalid_request(f"An id is a whole number or a text of 1 to {MAX_RPC_ID_LENGTH} characters.")
    method = "" if is_reply else value["method"]
    if not isinstance(method, str) or (not is_reply and not method):
        raise invalid_request("The method is the name of one.")
    params = value.get("params", {})
    if not isinstance(params, dict):
        raise invalid_request("params is an object.")
    return Incoming(id_of(value), method, params)


def id_of(value: Any) -> RpcId | None:
    """The id in a JSON value, if it has one that can be answered with."""
    found = value.get("id") if isinstance(value, dict) else None
    if isinstance(found, str) and 0 < len(found) <= MAX_RPC_ID_LENGTH:
        return found
    # True is a number to Python; a larger one would come back as another from JavaScript.
    return found if isinstance(found, int) and not isinstance(found, bool) and abs(found) < 2**53 else None


def encode_result(id: RpcId, result: Any) -> bytes:
    """The reply to the request `id`."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": id, "result": result})


def encode_error(id: RpcId | None, error: RpcError) -> bytes:
    """The reply that says why there is no result; without an id where none could be read."""
    told: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not msgspec.UNSET:
        told["data"] = error.data
    named = {} if id is None else {"id": id}
    return msgspec.json.encode({"jsonrpc": "2.0", **named, "error": told})


def encode_notification(method: str, params: dict[str, Any] | None = None) -> bytes:
    """A notification to the client."""
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
    return msgspec.json.encode(message if params is None else {**message, "params": params})


def of_problem(error: WaypostError, status: int, headers: dict[str, str]) -> RpcError:
    """What this API has a problem document for, in JSON-RPC's terms; `data.code` is the stable word for it."""
    code = PARSE_ERROR if isinstance(error, InvalidJson | InvalidEncoding) else REFUSED
    return RpcError(code, error.detail, {"code": error.code}, status=status, headers=headers)
