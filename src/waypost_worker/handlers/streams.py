"""`/api/stream` and `/api/poll`: requests for the host and responses for a guest, as they arrive."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing

import msgspec

from waypost_worker.context.auth import session_of_any
from waypost_worker.context.request_context import RequestContext
from waypost_worker.errors import Unavailable
from waypost_worker.http.messages import Response, json_response
from waypost_worker.http.query import required_parameter, seconds_parameter
from waypost_worker.http.streams import EVENT_STREAM, stream_response
from waypost_worker.kv.cursor import cursor_ms, parse_event_id
from waypost_worker.kv.keys import requests_scope, responses_scope
from waypost_worker.queues.event_stream import Batch, stream_events
from waypost_worker.queues.long_poll import poll_events
from waypost_worker.queues.reader import GuestReader, HostReader
from waypost_worker.security.tokens import Role
from waypost_worker.sessions.session import Session
from waypost_worker.sse import Comment, Event, encode_event, encode_ndjson, encode_sse

NDJSON = "application/x-ndjson"
MESSAGES = ("request", "response")


class PollView(msgspec.Struct):
    """Messages, and the cursor for the next poll."""

    messages: list[msgspec.Raw]
    cursor: str


async def stream(context: RequestContext) -> Response:
    """Stream the events of a session, until the client leaves or the budget of the connection is spent. A host that
    names its instance supersedes the older ones."""
    session, role = await session_of_any(context, required_parameter(context.query, "code"))
    instance = context.query.get("instance")
    seat = context.host_seat(session.code, instance) if instance is not None and role is Role.HOST else None
    # An EventSource that reconnects sends the header, and still the parameter of its first request: the header wins.
    after = context.request.headers.get("last-event-id") or context.query.get("after")
    reader = _reader(role, session, after)
    place = context.open_stream(session.code)
    feed = context.feed(session, reader, is_stream=True)
    batches = stream_events(role, feed, context.watch(session, role, seat), context.invocation)
    as_lines = NDJSON in (context.request.headers.get("accept") or "")
    body = _encoded(context, batches, encode_ndjson if as_lines else encode_sse)
    return stream_response(body, context.isolate, place, NDJSON if as_lines else EVENT_STREAM)


async def poll(context: RequestContext) -> Response:
    """Poll for the same events, for clients that can't hold a stream."""
    seconds = seconds_parameter(context.query, "wait")
    session, role = await session_of_any(context, required_parameter(context.query, "code"))
    feed = context.feed(session, _reader(role, session, context.query.get("after")), is_stream=False)
    with context.open_wait(session.code, seconds):
        if role is Role.HOST:
            context.background(_announce(context, session))
        missed = [encode_event(gap) for gap in feed.gaps()]
        events, cursor = await poll_events(feed, seconds, context.invocation)
    _note_delivery(context, events)
    messages = [msgspec.Raw(line) for line in missed + [encode_event(event) for event in events]]
    return json_response(PollView(messages, cursor))


def _reader(role: Role, session: Session, after: str | None) -> HostReader | GuestReader:
    if role is Role.HOST:
        scope = requests_scope(session.code)
        return HostReader(scope, parse_event_id(after, scope) if after else None)
    scope = responses_scope(session.code)
    return GuestReader(scope, parse_event_id(after, scope) if after else None)


def _note_delivery(context: RequestContext, items: Iterable[Event | Comment]) -> None:
    for item in items:
        if isinstance(item, Event) and item.name in MESSAGES and item.id is not None and not item.is_replay:
            # An event's id begins with its message's cursor.
            context.delivered(cursor_ms(item.id))


async def _encoded(
    context: RequestContext, batches: AsyncGenerator[Batch, None], encode: Callable[[Event | Comment], bytes]
) -> AsyncGenerator[bytes, None]:
    async with aclosing(batches) as open_batches:
        async for batch in open_batches:
            _note_delivery(context, batch)
            encoded = b"".join(map(encode, batch))
            # What waits for the client to read keeps a large event only once.
            batch.clear()
            yield encoded


async def _announce(context: RequestContext, session: Session) -> None:
    """Announces a host that polls as present, no more often than a host with an open stream is."""
    announced_ms = context.isolate.announced_ms
    now = context.clock.now_ms()
    if now - (announced_ms.get(session.code, now) or 0) >= context.settings.plan.presence_seconds * 1000:
        announced_ms.put(session.code, now, now)
        try:
            await context.presence().announce(session.code)
        except Unavailable as failure:
            # Also without writes left for today: the host gets what is there nevertheless.
            context.log(f"a host that polls was not announced: {failure.code}")
