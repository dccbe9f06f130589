"""Checks that the headers of a request of 2026-07-28 repeat its body: a proxy that routes by the headers must not see
another request than the server that reads the body.

https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#server-validation
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

from waypost_worker.http.messages import Headers
from waypost_worker.mcp.jsonrpc import HEADER_MISMATCH, INVALID_PARAMS, Incoming, RpcError, as_object
from waypost_worker.mcp.versions import CAPABILITIES_KEY, MODERN, VERSION_HEADER, VERSION_KEY, unsupported

NAMED_BY = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "tasks/get": "taskId",
    "tasks/update": "taskId",
    "tasks/cancel": "taskId",
}
"""Method -> the parameter that `Mcp-Name` repeats."""

_ENCODED = re.compile(r"=\?base64\?(.*)\?=")
_VISIBLE = re.compile(r"[\t\x20-\x7e]*")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_DECIMAL = re.compile(r"-?[0-9]{1,17}(?:\.0+)?")


def check_envelope(message: Incoming, headers: Headers) -> None:
    """Checks that a request's `_meta` is complete and that its headers agree with its body.

    Raises:
        RpcError: -32602, -32020 or -32022, in this order.
    """
    meta = message.params.get("_meta")
    if not isinstance(meta, dict) or VERSION_KEY not in meta or CAPABILITIES_KEY not in meta:
        raise _invalid(f"params._meta needs {VERSION_KEY} and {CAPABILITIES_KEY}.")
    version = meta[VERSION_KEY]
    if not isinstance(version, str) or as_object(meta[CAPABILITIES_KEY]) is None:
        raise _invalid(f"{VERSION_KEY} must be a string, {CAPABILITIES_KEY} an object.")
    if headers.get(VERSION_HEADER) != version:
        raise _mismatch("MCP-Protocol-Version", "differs from _meta")
    if headers.get("mcp-method") != message.method:
        raise _mismatch("Mcp-Method", "differs from the method")
    if version != MODERN:
        raise unsupported(version)
    named_by = NAMED_BY.get(message.method)
    if named_by is not None:
        _check_value("Mcp-Name", headers.get("mcp-name"), message.params.get(named_by))


def check_parameters(tool: dict[str, Any], args: dict[str, Any], headers: Headers) -> None:
    """Checks that a call's `Mcp-Param-…` headers agree with its arguments, where the tool's schema asks for them.

    A page may leave them out: browsers let it send only headers that the server allows beforehand, by names that the
    tool chooses, so the official SDK sends none in a browser. What it does send must agree.

    Raises:
        RpcError: -32020
    """
    is_page = headers.get("origin") is not None
    for path, name in _annotated(tool.get("inputSchema"), ()):
        header = headers.get(f"mcp-param-{name.lower()}")
        if header is None and is_page:
            continue
        value: Any = args
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        _check_value(f"Mcp-Param-{name}", header, value)


def _annotated(schema: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """`(path, header)` of each property that a header repeats; only properties reached through `properties` count."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    for name, below in properties.items() if isinstance(properties, dict) else ():
        header = below.get("x-mcp-header") if isinstance(below, dict) else None
        if (
            isinstance(header, str)
            and _TOKEN.fullmatch(header)
            and below.get("type") in ("string", "integer", "boolean")
        ):
            yield (*path, name), header
        yield from _annotated(below, (*path, name))


def _check_value(name: str, header: str | None, value: Any) -> None:
    if value is None or isinstance(value, dict | list | float) and not _is_whole(value):
        # A missing value, or one that a header can't represent, must have no header.
        if header is not None:
            raise _mismatch(name, "repeats a value that the body does not have")
        return
    if header is None:
        raise _mismatch(name, "is missing")
    text = _decoded(header)
    if text is None:
        raise _mismatch(name, "is not encoded correctly")
    if isinstance(value, bool):
        is_equal = text == ("true" if value else "false")
    elif isinstance(value, str):
        is_equal = text == value
    else:
        is_equal = bool(_DECIMAL.fullmatch(text)) and float(text) == value
    if not is_equal:
        raise _mismatch(name, "differs from the body")


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _decoded(header: str) -> str | None:
    if not _VISIBLE.fullmatch(header):
        return None
    match = _ENCODED.fullmatch(header)
    if match is None:
        return header
    try:
        data = b64decode(match[1], validate=True)
        # Each value has exactly one encoding.
        return data.decode() if b64encode(data).decode() == match[1] else None
    except ValueError:
        return None


def _invalid(message: str) -> RpcError:
    return RpcError(INVALID_PARAMS, message, status=400)


def _mismatch(name: str, what: str) -> RpcError:
    return RpcError(HEADER_MISMATCH, f"Header mismatch: {name} {what}.", status=400)
