"""`/api/chat`: sends questions to threads, streams answers, forks threads."""

from functools import partial

import msgspec

from waypost_worker.chat.answer_events import START, Position
from waypost_worker.chat.chat import Chat
from waypost_worker.chat.fork import ForkRequest, fork
from waypost_worker.chat.question import Question
from waypost_worker.chat.resume import resume, stop_answer
from waypost_worker.chat.wire_formats import DONE, parse_answer_event_id
from waypost_worker.context.agent_tab import agent_tab
from waypost_worker.context.auth import require_app
from waypost_worker.context.request_context import RequestContext
from waypost_worker.documents.document import DocumentStore
from waypost_worker.errors import InvalidBody, RateLimited, Unavailable
from waypost_worker.handlers.chat_request import ForkBody, asker_tag, named_resource, read_question, thread_name
from waypost_worker.handlers.chat_response import answer_response, wanted_format
from waypost_worker.handlers.chat_tab import tab_tools
from waypost_worker.handlers.message_content import message_text
from waypost_worker.handlers.thread_view import ThreadView, thread_view
from waypost_worker.http.json_body import Body, read_body, read_bytes
from waypost_worker.http.messages import Response, content_length, json_response
from waypost_worker.ids import parse_app_id, parse_message_id
from waypost_worker.kv.keys import thread_key, threads_prefix
from waypost_worker.limits import MAX_ANSWER_CHARACTERS, MAX_BODY_BYTES, MAX_CHAT_BODY_BYTES
from waypost_worker.security.client_address import rate_limit_key
from waypost_worker.security.rate_limits import Limit


class StopBody(Body, frozen=True):
    """Which answer to stop."""

    resource_id: str | None = None
    """The thread's resource. Default: the token's, or else one named as the thread."""
    generation_id: str | None = None
    """Stops this answer only, and not a newer one. Default: the answer that is running."""


class StopView(msgspec.Struct, rename="camel"):
    """Whether an answer was stopped."""

    stopped: bool
    """There was one, and it was stopped, or asked to stop where another isolate generates it."""
    generation_id: str | None
    """The id of the answer that is or was running; null if there is none."""


class ForkedView(msgspec.Struct, rename="camel"):
    """The new thread of a fork."""

    session: ThreadView
    """The new thread."""
    message_count: int
    """Messages that it begins with."""


async def post_chat(context: RequestContext) -> Response:
    """Send a message to a thread; the response streams the answer."""
    token_resource = await require_app(context)
    wanted = wanted_format(context)
    # A body that declares no more is counted as what it takes when it is decoded.
    declared = content_length(context.request.headers)
    limit = MAX_CHAT_BODY_BYTES if declared is None or declared > MAX_BODY_BYTES else MAX_BODY_BYTES
    body = await read_bytes(context.request, limit)
    resource_id, thread_id, question, tab = read_question(body, token_resource, context.settings.model.parts)
    # Megabytes that nothing needs any more.
    del body
    if wanted is not None:
        question = msgspec.structs.replace(question, is_ui=wanted == "ui")
    # The AI SDK's stream has no ids to resume from.
    resumed_at = None if question.is_ui else _resumed_at(context)
    question = msgspec.structs.replace(question, asker=asker_tag(context), resumed_at=resumed_at)
    asker = await _spend(context, resource_id, thread_id)
    tools = await tab_tools(context, tab)
    with context.open_stream(None) as place:
        chat = Chat(context.chat_context(asker), resource_id, thread_id, partial(agent_tab, context))
        answering = await chat.ask(question, tools=tools)
        # In the format of this request, even if the answer was started by one in the other format.
        return answer_response(context, place, answering, "ui" if question.is_ui else "events")


def _resumed_at(context: RequestContext) -> tuple[str, Position] | None:
    """The answer that the client was hearing, and how much of it the client has: all of it, after its end."""
    last = context.request.headers.get("last-event-id") or ""
    if last.endswith(f".{DONE}"):
        return last.removesuffix(f".{DONE}"), Position(MAX_ANSWER_CHARACTERS + 1, MAX_ANSWER_CHARACTERS + 1)
    return parse_answer_event_id(last)


async def fork_chat(context: RequestContext) -> Response:
    """Fork a thread; with a message, send it to the new thread."""
    token_resource = await require_app(context)
    wanted = wanted_format(context)
    body = await read_body(context.request, ForkBody)
    if body.session is not None and body.message is None:
        raise InvalidBody("The field `session` is for the answer to a `message`, and this fork has none.")
    forking = ForkRequest(
        named_resource(token_resource, body.resource_id),
        parse_app_id(body.thread_id, "threadId"),
        parse_app_id(body.fork_from_thread_id, "forkFromThreadId"),
        None if body.at_message_id is None else parse_message_id(body.at_message_id),
        body.agent,
        body.metadata,
    )
    question = None
    if body.message is not None:
        question = Question(message_text(body.message), agent=body.agent, is_ui=wanted == "ui")
    asker = await _spend(context, forking.resource_id, forking.thread_id)
    tools = await tab_tools(context, body.session)
    chats = context.chat_context(asker)
    with context.open_stream(None) as place:
        thread, message_count = await fork(chats, DocumentStore(context.kv, context.clock), forking)
        if question is None:
            return json_response(ForkedView(thread_view(thread), message_count), 201)

        async def undo() -> None:
            # So that the same request can be sent again.
            await chats.threads.delete(thread)
            await chats.conversation(thread.session_id).forget(for_good=True)

        try:
            chat = Chat(chats, thread.resource_id, thread.thread_id, partial(agent_tab, context))
            answering = await chat.ask(question, undo, tools)
        except (RateLimited, Unavailable):
            await undo()
            raise
        return answer_response(context, place, answering, wanted)


async def _spend(context: RequestContext, resource_id: str, thread_id: str) -> str:
    """Counts a question. Returns the key of the asker's budget."""
    # An app with a key serves many people; each is a resource with a budget of its own.
    asker = threads_prefix(resource_id) if context.settings.app_keys else rate_limit_key(context.request.client_ip)
    await context.limits.spend(Limit.ANSWER, asker)
    await context.limits.spend(Limit.APPEND, thread_key(resource_id, thread_id))
    return asker


async def stream_chat(context: RequestContext) -> Response:
    """Stream the answer that is being generated: its text so far, then the rest as it arrives. 204 if there is none."""
    token_resource = await require_app(context)
    name = thread_name(token_resource, context.query.get("resourceId"), context.params["threadId"])
    last = context.request.headers.get("last-event-id") or ""
    resumed_at = parse_answer_event_id(last)
    # Only Waypost's own events have ids to resume from.
    wanted = wanted_format(context) or ("events" if resumed_at else None)
    if last.endswith(f".{DONE}"):
        return Response(204)
    generation_id, start = resumed_at or (None, START)
    # A UI stream starts with its first chunk: its reader rejects a tail.
    with context.open_stream(None) as place:
        answering = await resume(context.chat_context(), *name, generation_id, START if wanted == "ui" else start)
        if answering is None:
            return Response(204)
        return answer_response(context, place, answering, wanted, only_reads=True)


async def stop_chat(context: RequestContext) -> Response:
    """Stop the answer that is being generated, for all its readers; its text so far is kept."""
    token_resource = await require_app(context)
    body = await read_body(context.request, StopBody)
    name = thread_name(token_resource, body.resource_id, context.params["threadId"])
    return json_response(StopView(*await stop_answer(context.chat_context(), *name, body.generation_id)))
