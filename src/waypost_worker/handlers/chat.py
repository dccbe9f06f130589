"""`/api/chat`: questions to threads, answers as they come, forks."""

import msgspec

from waypost_worker.chat.chat import Chat, Question
from waypost_worker.chat.fork import Forking, fork
from waypost_worker.chat.resume import resume, stop
from waypost_worker.chat.wire_formats import DONE, parse_place
from waypost_worker.context.auth import require_app
from waypost_worker.context.call import Call
from waypost_worker.documents.document import DocumentStore
from waypost_worker.errors import ModelError, Unavailable
from waypost_worker.handlers.chat_request import ForkBody, message_text, named_resource, read_question, thread_name
from waypost_worker.handlers.chat_response import answer_response, wanted_format
from waypost_worker.handlers.thread_view import ThreadView, thread_view
from waypost_worker.http.json_body import Body, read_body, read_bytes
from waypost_worker.http.messages import Response, json_response
from waypost_worker.ids import parse_app_id, parse_message_id
from waypost_worker.kv.keys import thread_key, threads_prefix
from waypost_worker.security.client_address import address_key
from waypost_worker.security.rate_limits import Limit


class StopBody(Body, frozen=True):
    """Whose thread it is, and which answer is meant; without one, whichever is being given."""

    resource_id: str | None = None
    generation_id: str | None = None


class StopView(msgspec.Struct, rename="camel"):
    """Whether an answer was stopped, and which one is, or was, being given."""

    stopped: bool
    generation_id: str | None


class ForkedView(msgspec.Struct, rename="camel"):
    """A thread that was made out of another one."""

    session: ThreadView
    message_count: int


async def post_chat(call: Call) -> Response:
    """Ask; the answer as a stream."""
    bound = await require_app(call)
    wanted = wanted_format(call)
    resource_id, thread_id, question = read_question(await read_bytes(call.request), bound)
    if wanted is not None:
        question = msgspec.structs.replace(question, is_ui=wanted == "ui")
    await _spend(call, resource_id, thread_id)
    answering = await Chat(call.chat_ports(), resource_id, thread_id).ask(question)
    # As this question wants it, also if what answers it was begun in the other format.
    return answer_response(call, answering, "ui" if question.is_ui else "events")


async def fork_chat(call: Call) -> Response:
    """Begin a thread that goes on from another one; with a message, ask it there."""
    bound = await require_app(call)
    wanted = wanted_format(call)
    body = await read_body(call.request, ForkBody)
    forking = Forking(
        named_resource(bound, body.resource_id),
        parse_app_id(body.thread_id, "threadId"),
        parse_app_id(body.fork_from_thread_id, "forkFromThreadId"),
        None if body.at_message_id is None else parse_message_id(body.at_message_id),
        body.agent,
        body.metadata,
    )
    question = None
    if body.message is not None:
        question = Question(message_text(body.message), agent=body.agent, is_ui=wanted == "ui")
    await _spend(call, forking.resource_id, forking.thread_id)
    ports = call.chat_ports()
    thread, message_count = await fork(ports, DocumentStore(call.kv, call.clock), forking)
    if question is None:
        return json_response(ForkedView(thread_view(thread), message_count), 201)
    try:
        answering = await Chat(ports, thread.resource_id, thread.thread_id).ask(question)
    except (ModelError, Unavailable):
        # Nothing was kept, so that it can be asked for again as it was.
        await ports.threads.delete(thread)
        await ports.conversation(thread.session_id).forget()
        raise
    return answer_response(call, answering, wanted)


async def _spend(call: Call, resource_id: str, thread_id: str) -> None:
    # Behind an app that shows its key there are many people, of whom its resources tell one from the other.
    asker = threads_prefix(resource_id) if call.settings.app_keys else address_key(call.request.client_ip)
    await call.limits.spend(Limit.ANSWER, asker)
    await call.limits.spend(Limit.APPEND, thread_key(resource_id, thread_id))


async def stream_chat(call: Call) -> Response:
    """The answer that is being given: what there is of it, and the rest as it comes; 204 if none is."""
    bound = await require_app(call)
    name = thread_name(bound, call.query.get("resourceId"), call.params["threadId"])
    last = call.request.headers.get("last-event-id") or ""
    place = parse_place(last)
    # Only Waypost's own events have ids to come back with.
    wanted = wanted_format(call) or ("events" if place else None)
    if last.endswith(f".{DONE}"):
        return Response(204)
    generation_id, start = place or (None, 0)
    # A UI stream is told from its first chunk: a tail alone is an error to its reader.
    answering = await resume(call.chat_ports(), *name, generation_id, 0 if wanted == "ui" else start)
    if answering is None:
        return Response(204)
    return answer_response(call, answering, wanted)


async def stop_chat(call: Call) -> Response:
    """Stop the answer that is being given, for everybody; what was said so far is kept."""
    bound = await require_app(call)
    body = await read_body(call.request, StopBody)
    name = thread_name(bound, body.resource_id, call.params["threadId"])
    return json_response(StopView(*await stop(call.chat_ports(), *name, body.generation_id)))
