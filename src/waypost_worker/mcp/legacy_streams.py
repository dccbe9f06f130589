"""The streams of the legacy generation. Each event's id says where its stream can be taken up, in any isolate."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from waypost_worker.limits import HEARTBEAT_SECONDS
from waypost_worker.mcp.jsonrpc import RpcError, encode_error, encode_notification, encode_result
from waypost_worker.mcp.results import ProgressCounter, tool_result
from waypost_worker.mcp.signed_ids import CallMark, ListenMark
from waypost_worker.mcp.tab import Tab
from waypost_worker.mcp.tool_call import RunningCall
from waypost_worker.mcp.tool_changes import ToolChanges, ToolsEvent
from waypost_worker.mcp.transport import encode_message, encode_opening
from waypost_worker.mcp.versions import has_priming
from waypost_worker.queues.message import Message
from waypost_worker.sse import HEARTBEAT, encode_sse


async def call_stream(
    tab: Tab, call: RunningCall, mark: CallMark, version: str, first: Message | None = None
) -> AsyncGenerator[bytes, None]:
    """A call from `mark` on: progress, and the reply. Where it ends without a reply, the invocation's budget was spent,
    and the client comes back for the rest of it. That a client goes away is no word about the call."""
    yield encode_opening(tab.id_signer.event_id(tab.session_id, mark) if has_priming(version) else None)
    count = ProgressCounter()
    try:
        async with aclosing(_all(call, first)) as steps:
            async for message in steps:
                if message is None:
                    yield encode_sse(HEARTBEAT)
                elif message.final:
                    result = encode_result(mark.rpc_id, tool_result(message, any_structure=False))
                    yield _event(tab, mark, message.cursor, result)
                elif mark.progress_token is not None:
                    # Counted from the first, so that the numbers of a stream that is taken up go on.
                    progress = count.next(mark.progress_token, message.result)
                    if message.cursor > mark.heard:
                        yield _event(tab, mark, message.cursor, encode_notification("notifications/progress", progress))
    except RpcError as error:
        yield _event(tab, mark, mark.heard, encode_error(mark.rpc_id, error))


async def news_stream(tab: Tab, mark: ListenMark, version: str) -> AsyncGenerator[bytes, None]:
    """What is new about the tools since `mark`."""
    yield encode_opening(tab.id_signer.event_id(tab.session_id, mark) if has_priming(version) else None)
    news = ToolChanges(tab, mark.tools_version)
    async with aclosing(news.items()) as items:
        async for item in items:
            if item is ToolsEvent.CHANGED:
                event_id = tab.id_signer.event_id(tab.session_id, ListenMark(news.version))
                yield encode_message(encode_notification("notifications/tools/list_changed"), event_id)
            elif item is ToolsEvent.SILENCE:
                yield encode_sse(HEARTBEAT)


async def _all(call: RunningCall, first: Message | None) -> AsyncGenerator[Message | None, None]:
    if first is not None:
        yield first
        if first.final:
            return
    async with aclosing(call.steps(HEARTBEAT_SECONDS)) as steps:
        async for message in steps:
            yield message


def _event(tab: Tab, mark: CallMark, cursor: str, data: bytes) -> bytes:
    return encode_message(data, tab.id_signer.event_id(tab.session_id, msgspec.structs.replace(mark, heard=cursor)))
