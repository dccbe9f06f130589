"""`GET /api/chat/{threadId}`: what a page shows first."""

import msgspec

from waypost_worker.chat.found_thread import find_to_read
from waypost_worker.chat.resume import inspect_open
from waypost_worker.chat.ui_messages import KeptUiMessage, to_ui_messages
from waypost_worker.chat.unfinished import as_partial
from waypost_worker.context.auth import require_app
from waypost_worker.context.request_context import RequestContext
from waypost_worker.conversations.conversation import History
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import InvalidParameter
from waypost_worker.handlers.chat_request import thread_name
from waypost_worker.handlers.chat_response import with_images
from waypost_worker.http.messages import Response, json_response


class UiHistoryView(msgspec.Struct):
    """The last messages of a thread in the form of the AI SDK."""

    messages: list[KeptUiMessage]
    """Oldest first; none of a thread that was never used."""
    running: str | None
    """The id of the answer that is being generated, or null. It is not among the messages: a resume brings it from its
    first character."""
    truncated: bool
    """Older messages were cut off and are not kept."""


async def read_chat(context: RequestContext) -> Response:
    """Read the messages of a thread in the form of the AI SDK, for the first render of a page."""
    token_resource = await require_app(context)
    if context.query.get("format", "ui") != "ui":
        raise InvalidParameter("format is ui.")
    name = thread_name(token_resource, context.query.get("resourceId"), context.params["threadId"])
    chats = context.chat_context()
    # Before the history, so that an answer that ends in between is complete in it.
    live = chats.running(*name)
    running = live.generation_id if live is not None else None
    found = await find_to_read(chats, *name)
    history = History([], None) if found is None else found[2]
    shown: list[ChatMessage] = []
    for item in history.items:
        if not item.is_open:
            shown.append(item)
        elif item.id != running:
            unfinished = await inspect_open(chats, item)
            if unfinished.is_alive:
                running = item.id
            elif not unfinished.item.is_blank:
                shown.append(as_partial(unfinished.item))
    if found is not None:
        shown = await with_images(context, found[1], shown)
    ended = {item.id for item in shown}
    return json_response(UiHistoryView(to_ui_messages(shown), None if running in ended else running, history.truncated))
