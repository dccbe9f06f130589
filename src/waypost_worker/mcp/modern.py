"""The revision 2026-07-28: stateless requests, each with its revision and the client's capabilities.

https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http. A client that closes the
stream of a call cancels the call. A call that takes longer becomes a task if the client supports tasks.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from waypost_worker.http.messages import Response
from waypost_worker.http.open_streams import Place
from waypost_worker.http.streams import stream_response
from waypost_worker.limits import (
    MAX_WAIT_SECONDS,
    MCP_JSON_PATIENCE_MILLISECONDS,
    MCP_LIST_TTL_MILLISECONDS,
    MCP_TASK_PATIENCE_MILLISECONDS,
)
from waypost_worker.mcp.jsonrpc import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    MISSING_CAPABILITY,
    Incoming,
    RpcError,
    RpcId,
    as_object,
)
from waypost_worker.mcp.modern_headers import check_envelope, check_parameters
from waypost_worker.mcp.modern_streams import call_stream, encode_complete, listen_stream
from waypost_worker.mcp.resources import list_resources, read_resource
from waypost_worker.mcp.results import complete_result, tool_result
from waypost_worker.mcp.stream_limits import stream_patience_ms
from waypost_worker.mcp.tab import Tab
from waypost_worker.mcp.tasks import cancel_task, get_task, new_task, update_task
from waypost_worker.mcp.tool_call import STREAMS_WAIT_LONGER, RunningCall, parse_call, progress_token, trace_of
from waypost_worker.mcp.tool_list import known_tool, list_tools, original_name
from waypost_worker.mcp.transport import Accepts, json_reply, not_acceptable
from waypost_worker.mcp.versions import CAPABILITIES_KEY, SUPPORTED, TASKS_EXTENSION

FRESH = {"ttlMs": MCP_LIST_TTL_MILLISECONDS, "cacheScope": "private"}
"""Lists are private: their content depends on the tab, and so on the code or the token of the request."""

STATUS = {INVALID_PARAMS: 400, METHOD_NOT_FOUND: 404, MISSING_CAPABILITY: 400}
"""JSON-RPC error code -> HTTP status of the reply; other errors bring their own."""


async def answer(tab: Tab, message: Incoming, accepted: Accepts) -> Response:
    """The reply to a message.

    Raises:
        RpcError: the reply is an error.
    """
    if not message.method:
        raise RpcError(-32600, "Replies are not accepted: this server sends no requests.", status=400)
    if message.id is None:
        # No notification is defined for this side, and an unknown one is no error.
        return Response(202)
    check_envelope(message, tab.context.request.headers)
    try:
        return await _answer(tab, message, message.id, accepted)
    except RpcError as error:
        error.status = STATUS.get(error.code, error.status)
        raise


async def _answer(tab: Tab, message: Incoming, id: RpcId, accepted: Accepts) -> Response:
    if message.method == "tools/call":
        return await _call(tab, message, id, accepted)
    if message.method == "subscriptions/listen":
        return _listen(tab, message, id, accepted)
    method = _METHODS.get(message.method)
    if method is None:
        raise RpcError(METHOD_NOT_FOUND, "Method not found")
    if not accepted.json:
        raise not_acceptable("The reply is JSON: accept application/json.")
    return json_reply(encode_complete(id, complete_result(await method(tab, message))))


async def _discover(tab: Tab, _message: Incoming) -> dict[str, Any]:
    return {
        "supportedVersions": list(SUPPORTED),
        "capabilities": {"tools": {"listChanged": True}, "resources": {}, "extensions": {TASKS_EXTENSION: {}}},
        "instructions": tab.instructions(),
        **FRESH,
    }


async def _list_tools(tab: Tab, message: Incoming) -> dict[str, Any]:
    return {**await list_tools(tab, message.params.get("cursor"), any_structure=True), **FRESH}


async def _list_resources(tab: Tab, _message: Incoming) -> dict[str, Any]:
    return {"resources": await list_resources(tab), **FRESH}


async def _list_templates(_tab: Tab, _message: Incoming) -> dict[str, Any]:
    return {"resourceTemplates": [], **FRESH}


async def _read_resource(tab: Tab, message: Incoming) -> dict[str, Any]:
    return {"contents": await read_resource(tab, message.params.get("uri"), INVALID_PARAMS), **FRESH}


async def _get_task(tab: Tab, message: Incoming) -> dict[str, Any]:
    require_tasks(message)
    return await get_task(tab, message.params.get("taskId"))


async def _update_task(tab: Tab, message: Incoming) -> dict[str, Any]:
    require_tasks(message)
    return update_task(tab, message.params.get("taskId"), message.params.get("inputResponses"))


async def _cancel_task(tab: Tab, message: Incoming) -> dict[str, Any]:
    require_tasks(message)
    return await cancel_task(tab, message.params.get("taskId"))


_METHODS: dict[str, Callable[[Tab, Incoming], Awaitable[dict[str, Any]]]] = {
    "server/discover": _discover,
    "tools/list": _list_tools,
    "resources/list": _list_resources,
    "resources/templates/list": _list_templates,
    "resources/read": _read_resource,
    "tasks/get": _get_task,
    "tasks/update": _update_task,
    "tasks/cancel": _cancel_task,
}


async def _call(tab: Tab, message: Incoming, id: RpcId, accepted: Accepts) -> Response:
    # Before the call is queued: nothing of a refused one is left.
    with tab.context.open_stream(tab.session.code, MAX_WAIT_SECONDS) as place:
        return await _call_at(place, tab, message, id, accepted)


async def _call_at(place: Place, tab: Tab, message: Incoming, id: RpcId, accepted: Accepts) -> Response:
    name, args = parse_call(message)
    token = progress_token(message)
    supports_tasks = has_tasks(message)
    name = await original_name(tab, name)
    tool = await known_tool(tab, name) or {}
    check_parameters(tool, args, tab.context.request.headers)
    execution = tool.get("execution")
    support = execution.get("taskSupport") if isinstance(execution, dict) else None
    if support == "required":
        require_tasks(message)
    call = await RunningCall.begin(tab, name, args, None, trace_of(tab, message))
    becomes_task = supports_tasks and support != "forbidden" and accepted.json
    patience_ms = MAX_WAIT_SECONDS * 1000
    if becomes_task:
        # A tool that declares support for tasks takes long: do not wait for it.
        patience_ms = 0 if support in ("required", "optional") else MCP_TASK_PATIENCE_MILLISECONDS
    elif accepted.streamed_call:
        patience_ms = MCP_JSON_PATIENCE_MILLISECONDS
    streams = accepted.streamed_call and not becomes_task
    first = None
    if streams:
        patience_ms = stream_patience_ms(tab.context.request, patience_ms)
    while first is None or not first.final:
        first = await call.next(call.asked_ms + patience_ms)
        if first is None and becomes_task:
            await call.require_stored()
            return json_reply(encode_complete(id, new_task(tab, call)))
        if first is None and not streams:
            first = await call.give_up(STREAMS_WAIT_LONGER)
        if first is None or (token is not None and streams):
            break
    if first is not None and first.final and accepted.json:
        return json_reply(encode_complete(id, complete_result(tool_result(first, any_structure=True))))
    await call.require_stored()
    return stream_response(call_stream(tab, call, id, token, first), tab.context.isolate, place)


def _listen(tab: Tab, message: Incoming, id: RpcId, accepted: Accepts) -> Response:
    notifications = as_object(message.params.get("notifications", 0))
    if notifications is None:
        raise RpcError(INVALID_PARAMS, "notifications must be an object.")
    if notifications.get("taskIds") is not None:
        require_tasks(message)
    if not accepted.sse:
        raise not_acceptable("This is a stream: accept text/event-stream.")
    wants_tools = notifications.get("toolsListChanged") is True
    chunks = listen_stream(tab, id, wants_tools=wants_tools)
    return stream_response(chunks, tab.context.isolate, tab.context.open_stream(tab.session.code))


def has_tasks(message: Incoming) -> bool:
    """Whether this request declares that its client supports tasks."""
    capabilities = as_object(message.meta[CAPABILITIES_KEY]) or {}
    return TASKS_EXTENSION in (as_object(capabilities.get("extensions")) or {})


def require_tasks(message: Incoming) -> None:
    """Refuses a request whose client does not support tasks.

    Raises:
        RpcError: -32021
    """
    if not has_tasks(message):
        required: dict[str, Any] = {"requiredCapabilities": {"extensions": {TASKS_EXTENSION: {}}}}
        raise RpcError(MISSING_CAPABILITY, "Missing required client capability", required)
