"""`/api/request`, `/api/response` and `/api/ack`: requests of guests and responses of the host."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from waypost_worker.context.auth import bearer, guest_session, host_session, session_of_any
from waypost_worker.context.request_context import RequestContext
from waypost_worker.errors import InvalidBody, Unavailable
from waypost_worker.handlers.response_body import error_of, read_response
from waypost_worker.http.json_body import Body, decode_again, read_body
from waypost_worker.http.messages import Response, json_response
from waypost_worker.http.query import seconds_parameter
from waypost_worker.ids import is_tool_name, parse_id
from waypost_worker.kv.cursor import parse_event_id
from waypost_worker.limits import (
    ACK_CURSORS_PER_USE,
    MAX_ACK_CURSORS,
    MAX_SEQ,
)
from waypost_worker.queues.message import Message, encode_event_data, traced
from waypost_worker.queues.message_channel import Sent
from waypost_worker.queues.queue import Queues
from waypost_worker.queues.response_waiter import ResponseWaiter
from waypost_worker.security.rate_limits import Limit
from waypost_worker.security.tokens import Role

NO_ARGS = msgspec.Raw(b"{}")


class RequestBody(Body, frozen=True):
    """A tool call; or, with `skip`, the notice that a producer will not send the number `seq`."""

    code: str
    """The session whose host is called."""
    tool: str | UnsetType = UNSET
    """The tool's own name."""
    args: Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "object"})] | UnsetType = UNSET
    """The arguments, an object. Default: none."""
    id: str | None = None
    """Makes the request idempotent: the same call sent again gets the response that it has or is getting. Default: a
    new id."""
    producer: str | None = None
    """A name for the sender of numbered messages. The host gets its messages in the order of `seq`."""
    seq: Annotated[int, Meta(ge=1, le=MAX_SEQ)] | None = None
    """The number of this message: 1, 2, 3 …"""
    settled: Annotated[int, Meta(ge=0, le=MAX_SEQ)] = 0
    """All numbers up to this one are answered or skipped, so a host that connects later does not wait for them."""
    skip: bool = False
    """No call: the number `seq` will not come."""


class _Args(Body, frozen=True):
    args: dict[str, Any]


class CancelBody(Body, frozen=True):
    """Whose request to cancel."""

    code: str
    """The session of the request."""


class AckBody(Body, frozen=True):
    """What the caller has processed."""

    code: str
    """The session."""
    cursors: Annotated[list[str], Meta(min_length=1, max_length=MAX_ACK_CURSORS)]
    """The `cursor` of each message."""


class QueuedView(msgspec.Struct):
    """The message that is now in KV."""

    id: str
    """The request's id."""
    cursor: str
    """The message's cursor."""


class AcknowledgedView(msgspec.Struct):
    """What was removed."""

    acknowledged: int
    """Messages that were there and are removed."""
    remaining: list[str]
    """Cursors for which the request had no KV operations left: send those again."""


async def post_request(context: RequestContext) -> Response:
    """Queue a request for the host; with `wait`, wait for its response. Idempotent by `id`: a repeat has the same tool
    and arguments."""
    seconds = seconds_parameter(context.query, "wait")
    body = await read_body(context.request, RequestBody)
    message = traced(_request_message(body), context.trace)
    request_id = None if body.id is None else parse_id(body.id, "id")
    session = await guest_session(context, body.code, spends=Limit.REQUEST)
    queues = context.queues(session)
    stored = None
    if request_id is not None:
        # Without a look where it was answered here just now.
        here = queues.final_response_here(request_id)
        responses = [here] if here else await queues.responses_to(request_id)
        stored = await queues.find_repeated(message, request_id, responses)
        final = next((response for response in responses if response.final), None)
        if final is not None and (answer := await queues.load_one(final)):
            return json_response(encode_event_data(answer))
    # Before the request is queued: nothing of a refused one is left.
    with context.open_wait(session.code, seconds):
        waiter = ResponseWaiter(queues, context.isolate.messages, context.invocation)
        sent = Sent(stored, is_over=True) if stored else await queues.send_request(message, request_id)
        waiter.sent = sent
        try:
            # The response may come before the request is stored, which then need not be waited for.
            if seconds and (answer := await waiter.final_response(sent.message.id, seconds)):
                context.delivered(answer.accepted_ms)
                return json_response(encode_event_data(answer))
        except Unavailable as failure:
            # If the request is in KV this must not fail: its sender would send it again.
            context.log(f"stopped waiting for a response: {failure.code}")
        queued = await sent.stored()
    return json_response(QueuedView(queued.id, queued.cursor), 202)


async def post_response(context: RequestContext) -> Response:
    """Send a response to a request; a final one acknowledges the request."""
    claims = await bearer(context)
    body = await read_response(context, claims)
    request_id = parse_id(body.id, "id")
    session = await host_session(context, body.code, claims=claims, spends=Limit.REQUEST)
    queues = context.queues(session)
    answer = Message("response", request_id, result=body.result, error=error_of(body), final=body.final)
    stored = await queues.push_response(answer)
    if body.final:
        context.background(_remove_answered(context, queues, request_id))
    return json_response(QueuedView(stored.id, stored.cursor), 202)


async def _remove_answered(context: RequestContext, queues: Queues, request_id: str) -> None:
    try:
        await queues.remove_answered(request_id)
    except Unavailable as failure:
        # The response is in KV: the next stream of a host passes over the request because of it, and removes it.
        context.log(f"an answered request was not removed: {failure.code}")


async def cancel_request(context: RequestContext) -> Response:
    """Cancel a request: the host gets a notice, and the request gets the response `cancelled`."""
    body = await read_body(context.request, CancelBody)
    request_id = parse_id(context.params["id"], "id")
    session = await guest_session(context, body.code, spends=Limit.REQUEST)
    answer = await context.queues(session).cancel(request_id)
    return json_response(QueuedView(answer.id, answer.cursor), 202)


async def acknowledge(context: RequestContext) -> Response:
    """Acknowledge messages, which removes them: requests by the host, responses by a guest."""
    body = await read_body(context.request, AckBody)
    session, role = await session_of_any(context, body.code)
    queues = context.queues(session)
    scope = queues.requests if role is Role.HOST else queues.responses
    cursors = list(dict.fromkeys(parse_event_id(cursor, scope).message for cursor in body.cursors))
    await context.limits.spend(Limit.REQUEST, f"{role}:{session.code}", -(-len(cursors) // ACK_CURSORS_PER_USE))
    # Half of what is left: retries of a failed operation count too.
    affordable = max(context.invocation.meter.remaining // 2, 1)
    removed = await queues.acknowledge(scope, cursors[:affordable], context.clock.now_ms())
    return json_response(AcknowledgedView(removed, cursors[affordable:]))


def _request_message(body: RequestBody) -> Message:
    if (body.producer is None) != (body.seq is None):
        raise InvalidBody("A producer numbers its messages: send producer and seq together, or neither.")
    if body.settled and (body.seq is None or body.settled >= body.seq):
        raise InvalidBody("settled is a number of the same producer, below seq.")
    producer = UNSET if body.producer is None else parse_id(body.producer, "producer")
    seq = UNSET if body.seq is None else body.seq
    if body.skip:
        if body.seq is None or body.tool is not UNSET or body.args is not UNSET:
            raise InvalidBody("A skip names a producer and a seq, and no tool.")
        return Message("skip", "", producer=producer, seq=seq, settled=body.settled)
    if body.tool is UNSET or not is_tool_name(body.tool):
        raise InvalidBody("A request names a tool: 1 to 128 characters out of A-Z a-z 0-9 _ . / -")
    args = NO_ARGS if body.args is UNSET else _compact_args(body.args)
    return Message("request", "", tool=body.tool, args=args, producer=producer, seq=seq, settled=body.settled)


def _compact_args(args: msgspec.Raw) -> msgspec.Raw:
    """Arguments as they are stored and passed on. Their JSON was checked with the body's."""
    text = msgspec.json.format(bytes(args), indent=-1)
    if not text.startswith(b"{"):
        # Raises, with the sentence that says what was sent instead of an object.
        decode_again(b'{"args":%b}' % text, _Args)
    return msgspec.Raw(text)
