"""`/api/threads`: begins a thread without a question; renames and archives it."""

import re
from typing import Annotated, Any

from msgspec import Meta

from waypost_worker.context.auth import require_app
from waypost_worker.context.request_context import RequestContext
from waypost_worker.conversations.thread import validate_thread
from waypost_worker.errors import InvalidBody
from waypost_worker.handlers.chat_request import named_resource, thread_name
from waypost_worker.handlers.thread_view import DescribedThread, thread_view
from waypost_worker.handlers.threads import ThreadBody, no_such_thread
from waypost_worker.http.json_body import Body, read_body
from waypost_worker.http.messages import Response, json_response
from waypost_worker.ids import parse_app_id
from waypost_worker.kv.together import together
from waypost_worker.limits import MAX_THREAD_TITLE_LENGTH

RENEWAL_MS = 24 * 3600 * 1000
"""How long after its last use a thread that is begun again is written again."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
Title = Annotated[str, Meta(max_length=MAX_THREAD_TITLE_LENGTH)]


class BeginBody(ThreadBody, frozen=True):
    """A thread to begin."""

    title: Title = ""
    """A name for lists, of a new thread. Default: none."""
    metadata: dict[str, Any] | None = None
    """The metadata of a new thread."""
    agent: str | None = None
    """The agent that answers in a new thread, one of the deployment's `AGENTS`."""


class ChangeBody(Body, frozen=True):
    """What changes; what is left out stays."""

    resource_id: str | None = None
    """The thread's resource."""
    title: Title | None = None
    """A name for lists; empty takes it away."""
    archived: bool | None = None
    """A mark for lists, which can be filtered by it. An archived thread can be used as before."""
    metadata: dict[str, Any] | None = None
    """Replaces the metadata as a whole."""


async def begin(context: RequestContext) -> Response:
    """Begin a thread without a question, or find the one of this name, which keeps what it has."""
    token_resource = await require_app(context)
    body = await read_body(context.request, BeginBody)
    name = named_resource(token_resource, body.resource_id), parse_app_id(body.thread_id, "threadId")
    title = _one_line(body.title)
    chats = context.chat_context()
    chats.check_agent(body.agent)
    threads = chats.threads
    known = await threads.find(*name)
    if known is not None:
        if chats.now_ms() - known.updated_ms > RENEWAL_MS:
            # An agent that only appends to the conversation does not use the record: it begins its thread again with
            # each start, and both live on.
            conversation = chats.conversation(known.session_id)
            known = threads.touch(known)
            await together(conversation.append([]), threads.save(known))
            conversation.compact_later(chats.background)
        return json_response(DescribedThread(thread_view(known)))
    thread = threads.change(threads.begin(*name, body.agent, body.metadata), title, None, None)
    await threads.save(thread)
    return json_response(DescribedThread(thread_view(thread)), 201)


async def change(context: RequestContext) -> Response:
    """Rename or archive a thread, or replace its metadata. That does not count as using it."""
    token_resource = await require_app(context)
    body = await read_body(context.request, ChangeBody)
    title = None if body.title is None else _one_line(body.title)
    threads = context.threads()
    thread = await threads.find(*thread_name(token_resource, body.resource_id, context.params["threadId"]))
    if thread is None:
        raise no_such_thread()
    changed = threads.change(thread, title, body.archived, body.metadata)
    validate_thread(changed)
    if changed != thread:
        await threads.save(changed)
    return json_response(DescribedThread(thread_view(changed)))


def _one_line(title: str) -> str:
    if _CONTROL.search(title):
        raise InvalidBody("A title has no line breaks and no other control characters.")
    return title
