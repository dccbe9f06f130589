"""The streams of the legacy revisions. Each event's id is a resume position, valid in any isolate."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec

from waypost_worker.mcp.jsonrpc import CANCELLED, PROGRESS, RpcError, encode_error, encode_notification, encode_result
from waypost_worker.mcp.progress import ProgressCounter
from waypost_worker.mcp.results import error_result, tool_result
from waypost_worker.mcp.signed_ids import CallPosition, ListenPosition
from waypost_worker.mcp.stream_limits import too_large_for_stream
from waypost_worker.mcp.tab import Tab
from waypost_worker.mcp.tool_call import RunningCall
from waypost_worker.mcp.tool_changes import ToolChanges, ToolsEvent
from waypost_worker.mcp.transport import encode_message, encode_opening
from waypost_worker.mcp.versions import WITH_BATCHES, has_priming
from waypost_worker.queues.message import Message
from waypost_worker.sse import HEARTBEAT, encode_sse


def legacy_result(response: Message, version: str) -> dict[str, Any]:
    """The result of `tools/call` for a client of `version`. Clients of 2025-03-26 reject a whole result that has a
    `resource_link`, so they get its URI as a text.

    Raises:
        RpcError: as `tool_result`.
    """
    result = tool_result(response, any_structure=False)
    if version == WITH_BATCHES:
        content = result["content"]
        # A result of the host's own is raw JSON, and mostly has no link; only then it is worth decoding.
        if isinstance(content, msgspec.Raw):
            content = msgspec.json.decode(content) if b'"resource_link"' in bytes(content) else content
        if isinstance(content, list):
            result = {**result, "content": [_without_link(block) for block in content]}
    return result


def _without_link(block: Any) -> Any:
    if not isinstance(block, dict) or block.get("type") != "resource_link":
        return block
    return {"type": "text", "text": f"{block.get('title') or block.get('name')}: {block.get('uri')}"}


async def call_stream(
    tab: Tab, call: RunningCall, position: CallPosition, version: str, first: Message | None = None
) -> AsyncGenerator[bytes, None]:
    """A call's progress after `position`, with signs of life where the client asks for progress, and the reply. Without
    a reply, the invocation's budget was spent, and the client resumes the stream. A client that disconnects does not
    cancel the call."""
    yield encode_opening(tab.id_signer.event_id(tab.session_id, position) if has_priming(version) else None)
    token, counter = position.progress_token, ProgressCounter()
    plan = tab.context.settings.plan
    silence_seconds = plan.heartbeat_seconds if token is None else plan.mcp_progress_seconds
    try:
        async with aclosing(call.messages(first, silence_seconds, gives_up=False)) as messages:
            async for message in messages:
                if message is not None and message.final:
                    result = encode_result(position.rpc_id, legacy_result(message, version))
                    if error := too_large_for_stream(tab.context.request, result):
                        result = encode_result(position.rpc_id, error_result(error))
                    yield _event(tab, msgspec.structs.replace(position, cursor=message.cursor), result)
                elif message is None and token is None:
                    yield encode_sse(HEARTBEAT)
                elif token is not None:
                    # Counted from the first message on, so that the numbers continue in a resumed stream; the signs of
                    # life that it was sent are not among the messages.
                    is_new = message is None or message.cursor > position.cursor
                    if is_new:
                        counter.reach(position.progress)
                    progress = counter.still(token) if message is None else counter.next(token, message.report)
                    if is_new:
                        cursor = position.cursor if message is None else message.cursor
                        position = msgspec.structs.replace(position, cursor=cursor, progress=counter.last)
                        yield _event(tab, position, encode_notification(PROGRESS, progress))
    except RpcError as error:
        yield _event(tab, position, encode_error(position.rpc_id, error))


async def lost_call_stream(position: CallPosition) -> AsyncGenerator[bytes, None]:
    """The end of a call that another session has, which had the MCP address before."""
    error = RpcError(CANCELLED, "The tab has opened a new session since; it is not known whether the tool ran.")
    yield encode_message(encode_error(position.rpc_id, error))


async def listen_stream(tab: Tab, position: ListenPosition, version: str) -> AsyncGenerator[bytes, None]:
    """Notifications about changes of the tools after `position`."""
    yield encode_opening(tab.id_signer.event_id(tab.session_id, position) if has_priming(version) else None)
    changes = ToolChanges(tab, position.tools_version)
    async with aclosing(changes.events()) as events:
        async for event in events:
            if event is ToolsEvent.CHANGED:
                event_id = tab.id_signer.event_id(tab.session_id, ListenPosition(changes.version))
                yield encode_message(encode_notification("notifications/tools/list_changed"), event_id)
            elif event is ToolsEvent.KEEP_ALIVE:
                yield encode_sse(HEARTBEAT)


def _event(tab: Tab, position: CallPosition, data: bytes) -> bytes:
    return encode_message(data, tab.id_signer.event_id(tab.session_id, position))
