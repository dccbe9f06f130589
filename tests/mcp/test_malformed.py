"""Malformed messages and unserved ones: each with its error, its status, and the id of the message where it has one."""

from typing import Any

import pytest

from tests.support.mcp_client import META, MODERN, connected

PARSE, INVALID, UNKNOWN, PARAMS, MISMATCH, CAPABILITY, VERSION = -32700, -32600, -32601, -32602, -32020, -32021, -32022
PLAIN = {"jsonrpc": "2.0", "id": 7}

TEXTS: list[tuple[bytes, int, int, Any]] = [
    (b"", 400, PARSE, None),
    (b"{", 400, PARSE, None),
    (b"nothing", 400, PARSE, None),
    (b"\xff\xfe{}", 400, PARSE, None),
    (b'{"jsonrpc":"2.0","id":7,"method":"ping"', 400, PARSE, None),
    (b'{"jsonrpc":"2.0","id":7,"method":"ping"}{}', 400, PARSE, None),
    (b"[" * 200 + b"]" * 200, 400, PARSE, None),
    (b"NaN", 400, PARSE, None),
    (b"{'jsonrpc':'2.0'}", 400, PARSE, None),
    (b"null", 400, INVALID, None),
    (b"7", 400, INVALID, None),
    (b'"ping"', 400, INVALID, None),
    (b"[]", 400, INVALID, None),
    (b"\xef\xbb\xbf", 400, PARSE, None),
    (b'\xef\xbb\xbf\xef\xbb\xbf{"jsonrpc":"2.0","id":7,"method":"ping"}', 400, PARSE, None),
    (b"\xff\xfe{\x00}\x00", 400, PARSE, None),
    (b'[{"jsonrpc":"2.0","id":7,"method":"ping"}]', 400, INVALID, None),
    (b"{}", 400, INVALID, None),
]

LEGACY: list[tuple[dict[str, Any], int, int, Any]] = [
    ({"id": 7, "method": "ping"}, 400, INVALID, 7),
    ({"jsonrpc": "1.0", "id": 7, "method": "ping"}, 400, INVALID, 7),
    ({"jsonrpc": 2.0, "id": 7, "method": "ping"}, 400, INVALID, 7),
    ({"jsonrpc": "2.0", "id": None, "method": "ping"}, 400, INVALID, None),
    ({"jsonrpc": "2.0", "id": True, "method": "ping"}, 400, INVALID, None),
    ({"jsonrpc": "2.0", "id": 1.5, "method": "ping"}, 400, INVALID, None),
    ({"jsonrpc": "2.0", "id": {}, "method": "ping"}, 400, INVALID, None),
    ({"jsonrpc": "2.0", "id": "", "method": "ping"}, 400, INVALID, None),
    ({"jsonrpc": "2.0", "id": "x" * 129, "method": "ping"}, 400, INVALID, None),
    ({"jsonrpc": "2.0", "id": 2**53, "method": "ping"}, 400, INVALID, None),
    (PLAIN, 400, INVALID, 7),
    ({**PLAIN, "method": ""}, 400, INVALID, 7),
    ({**PLAIN, "method": 3}, 400, INVALID, 7),
    ({**PLAIN, "method": "ping", "params": [1]}, 400, INVALID, 7),
    ({**PLAIN, "method": "ping", "params": 0}, 400, INVALID, 7),
    ({**PLAIN, "method": "ping", "params": False}, 400, INVALID, 7),
    ({**PLAIN, "method": "ping", "params": "no"}, 400, INVALID, 7),
    ({**PLAIN, "method": "ping", "result": {}}, 400, INVALID, 7),
    ({**PLAIN, "method": "ping", "error": {}}, 400, INVALID, 7),
    ({**PLAIN, "method": None}, 400, INVALID, 7),
    ({"jsonrpc": "2.0", "id": 2.0**53, "method": "ping"}, 400, INVALID, None),
    ({"jsonrpc": "2.0", "id": {}, "method": "notifications/initialized"}, 400, INVALID, None),
    ({**PLAIN, "error": {}, "result": {}}, 400, INVALID, 7),
    ({**PLAIN, "method": "nothing/like/it"}, 200, UNKNOWN, 7),
    ({**PLAIN, "method": "prompts/list"}, 200, UNKNOWN, 7),
    ({**PLAIN, "method": "server/discover"}, 200, UNKNOWN, 7),
    ({**PLAIN, "method": "initialize"}, 200, PARAMS, 7),
    ({**PLAIN, "method": "initialize", "params": {"protocolVersion": 3}}, 200, PARAMS, 7),
    ({**PLAIN, "method": "tools/list", "params": {"cursor": "no"}}, 200, PARAMS, 7),
    ({**PLAIN, "method": "tools/list", "params": {"cursor": 3}}, 200, PARAMS, 7),
    ({**PLAIN, "method": "tools/list", "params": {"cursor": "\u00e4"}}, 200, PARAMS, 7),
    ({**PLAIN, "method": "tools/call"}, 200, PARAMS, 7),
    ({**PLAIN, "method": "tools/call", "params": {"name": 3}}, 200, PARAMS, 7),
    ({**PLAIN, "method": "tools/call", "params": {"name": "two words"}}, 200, PARAMS, 7),
    ({**PLAIN, "method": "tools/call", "params": {"name": "t", "arguments": [1]}}, 200, PARAMS, 7),
    ({**PLAIN, "method": "tools/call", "params": {"name": "t", "arguments": "no"}}, 200, PARAMS, 7),
    ({**PLAIN, "method": "tools/call", "params": {"name": "t", "arguments": 0}}, 200, PARAMS, 7),
    ({**PLAIN, "method": "tools/call", "params": {"name": "t", "_meta": {"progressToken": 2**53}}}, 200, PARAMS, 7),
    ({**PLAIN, "method": "tools/call", "params": {"name": "t", "_meta": {"progressToken": 1.5}}}, 200, PARAMS, 7),
    ({**PLAIN, "method": "tools/call", "params": {"name": "t", "_meta": {"progressToken": True}}}, 200, PARAMS, 7),
    ({**PLAIN, "method": "tools/call", "params": {"name": "t", "_meta": {"progressToken": "x" * 129}}}, 200, PARAMS, 7),
    ({**PLAIN, "method": "resources/read"}, 200, PARAMS, 7),
    ({**PLAIN, "method": "resources/read", "params": {"uri": "https://example.com/"}}, 200, -32002, 7),
    ({**PLAIN, "method": "resources/read", "params": {"uri": "waypost://pages/.."}}, 200, -32002, 7),
]

VERSION_KEY, CAPABILITIES_KEY = f"{META}protocolVersion", f"{META}clientCapabilities"

MODERNS: list[tuple[str, dict[str, Any], int, int]] = [
    ("tools/list", {"_meta": None}, 400, PARAMS),
    ("tools/list", {"_meta": {VERSION_KEY: MODERN}}, 400, PARAMS),
    ("tools/list", {"_meta": {CAPABILITIES_KEY: {}}}, 400, PARAMS),
    ("tools/list", {"_meta": {VERSION_KEY: 3, CAPABILITIES_KEY: {}}}, 400, PARAMS),
    ("tools/list", {"_meta": {VERSION_KEY: MODERN, CAPABILITIES_KEY: [1]}}, 400, PARAMS),
    ("tools/list", {"_meta": {VERSION_KEY: "2025-11-25", CAPABILITIES_KEY: {}}}, 400, MISMATCH),
    ("ping", {}, 404, UNKNOWN),
    ("initialize", {}, 404, UNKNOWN),
    ("logging/setLevel", {}, 404, UNKNOWN),
    ("resources/subscribe", {}, 404, UNKNOWN),
    ("tools/list", {"cursor": "no"}, 400, PARAMS),
    ("tools/call", {}, 400, PARAMS),
    ("tools/call", {"name": "t", "arguments": 3}, 400, PARAMS),
    ("resources/read", {"uri": "waypost://pages/none"}, 400, PARAMS),
    ("subscriptions/listen", {}, 400, PARAMS),
    ("subscriptions/listen", {"notifications": {"taskIds": []}}, 400, CAPABILITY),
    ("tasks/get", {"taskId": "t"}, 400, CAPABILITY),
    ("tasks/update", {"taskId": "t", "inputResponses": {}}, 400, CAPABILITY),
    ("tasks/cancel", {"taskId": "t"}, 400, CAPABILITY),
]


def told(reply: Any) -> tuple[int, int, Any]:
    body = reply.json()
    assert body["jsonrpc"] == "2.0"
    assert body["error"]["message"]
    return reply.status, body["error"]["code"], body.get("id")


@pytest.mark.parametrize(("text", "status", "code", "id"), TEXTS, ids=range(len(TEXTS)))
async def test_what_is_no_message_is_refused(text: bytes, status: int, code: int, id: Any):
    mcp = await connected()
    headers = mcp.headers({"Content-Type": "application/json"})
    reply = await mcp.client.call("POST", mcp.url, body=text, headers=headers)
    assert told(reply) == (status, code, id)


@pytest.mark.parametrize(("message", "status", "code", "id"), LEGACY, ids=range(len(LEGACY)))
async def test_a_legacy_message_that_is_wrong_is_refused(message: dict[str, Any], status: int, code: int, id: Any):
    mcp = await connected()
    assert told(await mcp.send(message)) == (status, code, id)


@pytest.mark.parametrize(("method", "params", "status", "code"), MODERNS, ids=range(len(MODERNS)))
async def test_a_modern_message_that_is_wrong_is_refused(method: str, params: dict[str, Any], status: int, code: int):
    mcp = await connected(is_modern=True)
    message = mcp.request(method)
    message["params"] |= params
    assert told(await mcp.send(message, mcp.mirrored(message))) == (status, code, 1)


async def test_a_version_that_is_not_served_is_told_those_that_are():
    for is_modern, version in ((True, "2027-01-01"), (False, "2024-11-05"), (False, "nonsense")):
        mcp = await connected(is_modern=is_modern)
        mcp.version = version
        message = mcp.request("tools/list")
        if is_modern:
            message["params"]["_meta"][VERSION_KEY] = version
        reply = await mcp.send(message, mcp.mirrored(message) | {"MCP-Protocol-Version": version})
        assert told(reply) == (400, VERSION, 1)
        supported = ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"]
        assert reply.json()["error"]["data"] == {"supported": supported, "requested": version}


async def test_a_reply_to_nothing_is_accepted_from_legacy_clients_only():
    reply = {"jsonrpc": "2.0", "id": 3, "result": {}}
    assert (await (await connected()).send(reply)).status == 202
    unknown = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "what?"}}
    assert (await (await connected()).send(unknown)).status == 202
    assert told(await (await connected(is_modern=True)).send(reply)) == (400, INVALID, 3)


async def test_an_unknown_notification_is_accepted():
    for mcp in (await connected(), await connected(is_modern=True)):
        reply = await mcp.notify("notifications/whatever")
        assert (reply.status, reply.body) == (202, b"")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/json, text/plain"}, 415),
        ({"Content-Type": "application/json5"}, 415),
        ({"Content-Type": "application/json-rpc"}, 200),
        ({"Content-Type": "application/jsonrequest; charset=utf-8"}, 200),
        ({"Accept": "text/html"}, 406),
        ({"Accept": "application/json;q=0, text/html"}, 406),
        ({"Accept": "text/event-stream"}, 406),
        ({"Accept": "application/json"}, 200),
        ({"Accept": "*/*"}, 200),
        ({"Accept": "application/*;q=0.5"}, 200),
        ({"Accept": ""}, 200),
    ],
)
async def test_what_a_client_sends_and_takes_is_looked_at(headers: dict[str, str], status: int):
    for mcp in (await connected(), await connected(is_modern=True)):
        message = mcp.request("tools/list")
        reply = await mcp.send(message, mcp.mirrored(message) | headers)
        assert reply.status == status, reply


async def test_a_client_that_accepts_no_stream_gets_none():
    mcp = await connected()
    reply = await mcp.client.call("GET", mcp.url, headers=mcp.headers({"Accept": "application/json"}))
    assert told(reply) == (406, INVALID, None)
    modern = await connected(is_modern=True)
    message = modern.request("subscriptions/listen", {"notifications": {}})
    reply = await modern.send(message, modern.mirrored(message) | {"Accept": "application/json"})
    assert told(reply) == (406, INVALID, 1)


def test_there_are_fifty_of_them():
    assert len(TEXTS) + len(LEGACY) + len(MODERNS) >= 50
