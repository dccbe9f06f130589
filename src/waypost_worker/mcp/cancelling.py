"""Finds the call that a legacy client cancels by its JSON-RPC id, and never that of another client.

The ids of all clients are 0, 1, 2: an id means a call only together with its client (`Tab.client_id`).
"""

from typing import Any

from waypost_worker.mcp.tab import Tab
from waypost_worker.mcp.tool_call import RunningCall

LATE_NOTICE_SECONDS = 10
"""How long after the answer to a call its client's notice that cancels it may still arrive."""


async def cancel_by_rpc_id(tab: Tab, rpc_id: Any) -> None:
    """Cancels the call that the client (`Tab.client_id`) sent under this JSON-RPC id, if it is still open.

    Without a session, two clients may look like one. So no call is cancelled if several open ones fit; or if one that
    fits was answered just now, since the notice may have crossed with that answer.
    """
    queues, asker = tab.queues, tab.id_signer.asker(tab.client_id, rpc_id)
    # The tab may have a call that no listing shows yet.
    await queues.written_by(asker)
    pages = queues.pages(queues.requests)
    # In order of time: in a session, an id that was used twice means the last one.
    request_ids = [message.id async for page in pages for message in page if message.asker == asker]
    if not tab.session_id and (len(request_ids) > 1 or _was_just_answered(tab, asker, request_ids)):
        tab.context.log("a call was not cancelled: several clients without a session may have sent it")
    elif request_ids:
        await RunningCall(tab, request_ids[-1]).cancel()


def _was_just_answered(tab: Tab, asker: str, open_ids: list[str]) -> bool:
    """Whether this isolate has seen the answer to another call of `asker` in the last seconds."""
    queues, channel = tab.queues, tab.context.isolate.messages
    since_ms = tab.now_ms() - LATE_NOTICE_SECONDS * 1000
    asked = {message.id for message in channel.since(queues.requests, 0) if message.asker == asker} - set(open_ids)
    answers = channel.since(queues.responses, 0)
    return any(answer.id in asked and answer.final and answer.accepted_ms > since_ms for answer in answers)
