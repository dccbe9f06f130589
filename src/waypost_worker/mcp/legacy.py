"""The revisions 2025-11-25, 2025-06-18 and 2025-03-26: a handshake, then requests that may name the session it created.

https://modelcontextprotocol.io/specification/2025-11-25/basic/transports. The session's id contains the agreed revision
and separates the events and calls of clients. It is signed, not stored: it can't end before its tab does, so DELETE is
refused. No feature is offered that requires requests from the server to the client.
"""

from typing import Any

from waypost_worker.http.messages import Response
from waypost_worker.http.open_streams import Place
from waypost_worker.http.streams import stream_response
from waypost_worker.limits import (
    MAX_WAIT_SECONDS,
    MCP_JSON_PATIENCE_MILLISECONDS,
)
from waypost_worker.mcp.cancelling import cancel_by_rpc_id
from waypost_worker.mcp.jsonrpc import (
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    RESOURCE_NOT_FOUND,
    Incoming,
    RpcError,
    RpcId,
    encode_result,
    invalid_params,
)
from waypost_worker.mcp.legacy_streams import call_stream, legacy_result, listen_stream, lost_call_stream
from waypost_worker.mcp.resources import list_resources, read_resource
from waypost_worker.mcp.signed_ids import CallPosition, ListenPosition
from waypost_worker.mcp.stream_limits import stream_patience_ms
from waypost_worker.mcp.tab import SERVER_INFO, Tab
from waypost_worker.mcp.tool_call import STREAMS_WAIT_LONGER, RunningCall, parse_call, progress_token, trace_of
from waypost_worker.mcp.tool_list import list_tools, original_name
from waypost_worker.mcp.transport import Accepts, json_reply, not_acceptable
from waypost_worker.mcp.versions import ASSUMED, LATEST_LEGACY, LEGACY, VERSION_HEADER, unsupported

SESSION_HEADER = "mcp-session-id"


def agreed_version(tab: Tab) -> str:
    """The revision of a request: what its session has agreed on, or without one what its header says.

    Raises:
        RpcError: the tab has no such session (404: the client begins a new one), or the revision is not supported.
    """
    requested = tab.context.request.headers.get(VERSION_HEADER)
    agreed = tab.id_signer.version_of(tab.session_id) if tab.session_id else requested or ASSUMED
    if agreed is None:
        raise RpcError(INVALID_REQUEST, "This tab has no such session; send initialize again.", status=404)
    if requested is not None and requested not in LEGACY:
        raise unsupported(requested)
    return agreed


async def answer(tab: Tab, message: Incoming, accepted: Accepts) -> Response:
    """The reply to a message.

    Raises:
        RpcError: the reply is an error.
    """
    if message.method == "initialize" and message.id is not None:
        return _initialized(tab, message, message.id)
    version = agreed_version(tab)
    if message.id is None or not message.method:
        if message.method == "notifications/cancelled":
            await cancel_by_rpc_id(tab, message.params.get("requestId"))
        return Response(202)
    if message.method == "tools/call":
        # Before the call is queued: nothing of a refused one is left.
        with tab.context.open_stream(tab.session.code, MAX_WAIT_SECONDS) as place:
            return await _call(tab, message, message.id, accepted, version, place)
    return _reply(message.id, await _result(tab, message), accepted)


async def resume(tab: Tab, accepted: Accepts) -> Response:
    """The stream that GET opens: the rest of the stream of `Last-Event-ID`, or a new one for changes of the tools.

    Raises:
        RpcError: the client accepts no stream (406), or the session has no such event (400).
    """
    version = agreed_version(tab)
    if not accepted.sse:
        raise not_acceptable("This is a stream: accept text/event-stream.")
    last = tab.context.request.headers.get("last-event-id")
    start = ListenPosition(tab.session.tools_version)
    position = tab.id_signer.position_of(tab.session_id, last) if last else start
    if isinstance(position, CallPosition) and not tab.id_signer.is_of_this_tab(position):
        chunks = lost_call_stream(position)
    elif isinstance(position, CallPosition):
        chunks = call_stream(tab, RunningCall(tab, position.request_id, resumed=True), position, version)
    elif position is not None:
        chunks = listen_stream(tab, position, version)
    else:
        raise RpcError(INVALID_REQUEST, "Last-Event-ID must be the id of an event of this session.", status=400)
    return stream_response(chunks, tab.context.isolate, tab.context.open_stream(tab.session.code))


def _initialized(tab: Tab, message: Incoming, id: RpcId) -> Response:
    requested = message.params.get("protocolVersion")
    if not isinstance(requested, str):
        raise invalid_params("protocolVersion must be a string.")
    version = requested if requested in LEGACY else LATEST_LEGACY
    result = {
        "protocolVersion": version,
        "capabilities": {"tools": {"listChanged": True}, "resources": {}},
        "serverInfo": SERVER_INFO,
        "instructions": tab.instructions(),
    }
    session_id = tab.id_signer.new_session(tab.context.random, version)
    return json_reply(encode_result(id, result), headers={"Mcp-Session-Id": session_id})


async def _result(tab: Tab, message: Incoming) -> dict[str, Any]:
    match message.method:
        case "ping":
            return {}
        case "tools/list":
            return await list_tools(tab, message.params.get("cursor"), any_structure=False)
        case "resources/list":
            return {"resources": await list_resources(tab)}
        case "resources/templates/list":
            return {"resourceTemplates": []}
        case "resources/read":
            return {"contents": await read_resource(tab, message.params.get("uri"), RESOURCE_NOT_FOUND)}
    raise RpcError(METHOD_NOT_FOUND, "Method not found")


async def _call(tab: Tab, message: Incoming, id: RpcId, accepted: Accepts, version: str, place: Place) -> Response:
    name, args = parse_call(message)
    token = progress_token(message)
    asker = tab.id_signer.asker(tab.client_id, id)
    call = await RunningCall.begin(tab, await original_name(tab, name), args, asker, trace_of(tab, message))
    patience_ms = MCP_JSON_PATIENCE_MILLISECONDS if accepted.streamed_call else MAX_WAIT_SECONDS * 1000
    first = None
    patience_ms = stream_patience_ms(tab.context.request, patience_ms)
    while first is None or not first.final:
        first = await call.next(call.asked_ms + patience_ms)
        if first is None and not accepted.streamed_call:
            first = await call.give_up(STREAMS_WAIT_LONGER)
        if first is None or (token is not None and accepted.streamed_call):
            break
    if first is not None and first.final and accepted.json:
        return json_reply(encode_result(id, legacy_result(first, version)))
    await call.require_stored()
    position = CallPosition(call.request_id, "", id, token, tab=tab.id_signer.tab_digest())
    return stream_response(call_stream(tab, call, position, version, first), tab.context.isolate, place)


def _reply(id: RpcId, result: dict[str, Any], accepted: Accepts) -> Response:
    if not accepted.json:
        raise not_acceptable("The reply is JSON: accept application/json.")
    return json_reply(encode_result(id, result))
