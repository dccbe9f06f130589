"""The streams of 2026-07-28: each is the reply to one request, and can't be resumed."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from waypost_worker.limits import MCP_HEARTBEAT_SECONDS
from waypost_worker.mcp.jsonrpc import PROGRESS, RpcError, RpcId, encode_error, encode_notification, encode_result
from waypost_worker.mcp.progress import ProgressCounter
from waypost_worker.mcp.results import complete_result, error_result, tool_result
from waypost_worker.mcp.stream_limits import too_large_for_stream
from waypost_worker.mcp.tab import SERVER_INFO, Tab
from waypost_worker.mcp.tool_call import RunningCall
from waypost_worker.mcp.tool_changes import ToolChanges, ToolsEvent
from waypost_worker.mcp.transport import encode_message, encode_opening
from waypost_worker.mcp.versions import SERVER_INFO_KEY, SUBSCRIPTION_KEY
from waypost_worker.queues.message import Message
from waypost_worker.sse import HEARTBEAT, encode_sse


def encode_complete(id: RpcId, result: dict[str, Any]) -> bytes:
    """Encodes the reply to the request `id`, with server info in `_meta`."""
    meta = result.get("_meta")
    with_server = {**(meta if isinstance(meta, dict) else {}), SERVER_INFO_KEY: SERVER_INFO}
    return encode_result(id, {**result, "_meta": with_server})


async def call_stream(
    tab: Tab, call: RunningCall, id: RpcId, token: str | int | None, first: Message | None
) -> AsyncGenerator[bytes, None]:
    """A call's progress, with signs of life where the client asks for progress, and the reply. The call is cancelled
    when the client closes the stream, or with an error when the invocation's budget is spent."""
    is_over = False
    counter = ProgressCounter()
    silence_seconds = MCP_HEARTBEAT_SECONDS if token is None else tab.context.settings.plan.mcp_progress_seconds
    try:
        yield encode_opening(None)
        async with aclosing(call.messages(first, silence_seconds, gives_up=True)) as messages:
            async for message in messages:
                if message is None and token is not None:
                    yield encode_message(encode_notification(PROGRESS, counter.still(token)))
                elif message is None:
                    yield encode_sse(HEARTBEAT)
                elif message.final:
                    is_over = True
                    reply = encode_complete(id, complete_result(tool_result(message, any_structure=True)))
                    if error := too_large_for_stream(tab.context.request, reply):
                        reply = encode_complete(id, complete_result(error_result(error)))
                    yield encode_message(reply)
                elif token is not None:
                    yield encode_message(encode_notification(PROGRESS, counter.next(token, message.report)))
    except RpcError as error:
        is_over = True
        tab.context.record.code = error.own_code
        yield encode_message(encode_error(id, error))
    finally:
        if not is_over:
            tab.context.background(call.cancel())


async def listen_stream(tab: Tab, id: RpcId, *, wants_tools: bool) -> AsyncGenerator[bytes, None]:
    """A subscription: its acknowledgement, then notifications, and a reply if the server ends it."""
    meta = {SUBSCRIPTION_KEY: id}
    agreed = {"toolsListChanged": True} if wants_tools else {}
    acknowledged = {"_meta": meta, "notifications": agreed}
    yield encode_message(encode_notification("notifications/subscriptions/acknowledged", acknowledged))
    async with aclosing(ToolChanges(tab, tab.session.tools_version).events()) as events:
        async for event in events:
            if event is ToolsEvent.CHANGED and wants_tools:
                yield encode_message(encode_notification("notifications/tools/list_changed", {"_meta": meta}))
            elif event is not ToolsEvent.ENDED:
                yield encode_sse(HEARTBEAT)
    yield encode_message(encode_complete(id, complete_result({"_meta": meta})))
