"""What a request of 2026-07-28 says twice, in its body and in headers, must be the same: who routes by the headers must
not be told something else than who acts on the body.

https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#server-validation
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

from waypost_worker.http.messages import Headers
from waypost_worker.mcp.jsonrpc import HEADER_MISMATCH, INVALID_PARAMS, Incoming, RpcError
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
    """Let a request pass whose `_meta` is complete and whose headers agree with its body.

    Raises:
        RpcError: -32602, -32020 or -32022, in this order.
    """
    meta = message.params.get("_meta")
    if not isinstance(meta, dict) or VERSION_KEY not in meta or CAPABILITIES_KEY not in meta:
        raise _invalid(f"params._meta needs {VERSION_KEY} and {CAPABILITIES_KEY}.")
    version = meta[VERSION_KEY]
    if not isinstance(version, str) or not isinstance(meta[CAPABILITIES_KEY], dict):
        raise _invalid(f"{VERSION_KEY} is a text, {CAPABILITIES_KEY} an object.")
    if headers.get(VERSION_HEADER) != version:
        raise _mismatch("MCP-Protocol-Version", "is not what _meta says")
    if headers.get("mcp-method") != message.method:
        raise _mismatch("Mcp-Method", "is not the method")
    if version != MODERN:
        raise unsupported(version)
    named_by = NAMED_BY.get(message.method)
    if named_by is not None:
        _check_value("Mcp-Name", headers.get("mcp-name"), message.params.get(named_by))


def check_parameters(tool: dict[str, Any], args: dict[str, Any], headers: Headers) -> None:
    """Let a call pass whose `Mcp-Param-…` headers say what its arguments say, where the tool's schema asks for them.

    Raises:
        RpcError: -32020
    """
    for path, name in _annotated(tool.get("inputSchema"), ()):
        value: Any = args
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        _check_value(f"Mcp-Param-{name}", headers.get(f"mcp-param-{name.lower()}"), value)


def _annotated(schema: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The properties that are to be repeated: those that only `properties` lead to."""
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
        # What is not there, and what no header can say, is in no header.
        if header is not None:
            raise _mismatch(name, "repeats what the body does not have")
        return
    if header is None:
        raise _mismatch(name, "is missing")
    told = _decoded(header)
    if told is None:
        raise _mismatch(name, "is not written as it must be")
    if isinstance(value, bool):
        fits = told == ("true" if value else "false")
    elif isinstance(value, str):
        fits = told == value
    else:
        fits = bool(_DECIMAL.fullmatch(told)) and float(told) == value
    if not fits:
        raise _mismatch(name, "is not what the body says")


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
        # One value has one spelling.
        return data.decode() if b64encode(data).decode() == match[1] else None
    except ValueError:
        return None


def _invalid(message: str) -> RpcError:
    return RpcError(INVALID_PARAMS, message, status=400)


def _mismatch(name: str, what: str) -> RpcError:
    return RpcError(HEADER_MISMATCH, f"Header mismatch: {name} {what}.", status=400)
