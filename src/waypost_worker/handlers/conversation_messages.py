"""`/api/conversations/{sessionId}/messages` and `…/pop`: appends messages, deletes one, takes the last one away."""

from collections.abc import Sequence

import msgspec

from waypost_worker.context.auth import owned_id
from waypost_worker.context.request_context import RequestContext
from waypost_worker.conversations.export_json import MessageView, message_view
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.handlers.chat_response import shown
from waypost_worker.handlers.conversation_bodies import AppendBody, checked_messages, explaining, message_of, uses_of
from waypost_worker.http.json_body import Body, decode_json, read_body, read_bytes
from waypost_worker.http.messages import Response, json_response
from waypost_worker.ids import parse_message_id
from waypost_worker.kv.keys import snapshot_key
from waypost_worker.limits import MAX_APPEND_BYTES, MAX_SMALL_APPEND_BYTES
from waypost_worker.security.rate_limits import Limit


class PopBody(Body, frozen=True):
    """Which pop this is."""

    id: str
    """Makes the pop repeatable; the client makes it up, one for each message that it wants."""


class AppendedView(msgspec.Struct, rename="camel"):
    """What was appended."""

    session_id: str
    """The conversation's id."""
    ids: list[str]
    """The ids of the appended messages, in their order. They are in KV."""


class PoppedView(msgspec.Struct, rename="camel"):
    """What was taken away."""

    session_id: str
    """The conversation's id."""
    message: MessageView | None
    """The message; null if there was none."""


async def append(context: RequestContext) -> Response:
    """Append messages. A message whose id exists already is not appended again."""
    session_id = await _session_id(context)
    text = await read_bytes(context.request, MAX_APPEND_BYTES)
    with explaining():
        body = decode_json(text or b"{}", AppendBody)
    conversation = context.conversation(session_id)
    now = context.clock.now_ms()
    items = [message_of(message, now, conversation.new_cursor) for message in body.messages]
    items = await checked_messages(context, items)
    await _spend(context, session_id, len(text), items)
    await conversation.append(items)
    conversation.compact_later(context.background)
    return _reply(context, AppendedView(session_id, [item.id for item in items]), 201)


async def delete(context: RequestContext) -> Response:
    """Delete one message; also if this location does not see it yet. Other messages stay."""
    session_id = await _session_id(context)
    message_id = parse_message_id(context.params["messageId"])
    await _spend(context, session_id, 0, [])
    conversation = context.conversation(session_id)
    await conversation.drop(message_id)
    conversation.compact_later(context.background)
    return Response(204, None, context.limits.policy(Limit.MESSAGE))


async def pop(context: RequestContext) -> Response:
    """Take the last message away and return it. Repeated with the same `id`, the response is the same."""
    session_id = await _session_id(context)
    body = await read_body(context.request, PopBody)
    pop_id = parse_message_id(body.id)
    await _spend(context, session_id, 0, [])
    conversation = context.conversation(session_id)
    taken = await conversation.pop(pop_id)
    conversation.compact_later(context.background)
    # An answer that was still running is returned with its text so far.
    views = [message_view(item) for item in await shown(context, conversation, [] if taken is None else [taken])]
    return _reply(context, PoppedView(session_id, views[0] if views else None), 200)


def _reply(context: RequestContext, view: object, status: int) -> Response:
    return json_response(view, status, context.limits.policy(Limit.MESSAGE))


async def _session_id(context: RequestContext) -> str:
    return await owned_id(context, context.params["sessionId"], "sessionId")


async def _spend(context: RequestContext, session_id: str, size: int, items: Sequence[ChatMessage]) -> None:
    await context.limits.spend(Limit.MESSAGE, snapshot_key(session_id))
    if size > MAX_SMALL_APPEND_BYTES:
        # Every read loads what was written in the last minutes, so a large write costs more of the budget.
        await context.limits.spend(Limit.APPEND, snapshot_key(session_id), 1 + uses_of(size, items))
