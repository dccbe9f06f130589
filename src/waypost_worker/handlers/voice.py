"""`/api/voice-agent/chat`: the client sends a question and the id of its conversation; its history is kept here."""

import msgspec

from waypost_worker.chat.voice import VoiceAgent
from waypost_worker.context.auth import owned_id, require_app
from waypost_worker.context.request_context import RequestContext
from waypost_worker.errors import InvalidBody, SessionIdRequired
from waypost_worker.http.json_body import Body, read_body
from waypost_worker.http.messages import Response, json_response
from waypost_worker.kv.keys import snapshot_key, threads_prefix
from waypost_worker.limits import MAX_QUESTION_LENGTH
from waypost_worker.security.client_address import rate_limit_key
from waypost_worker.security.rate_limits import Limit


class VoiceBody(Body, frozen=True):
    """What was asked, and in which conversation."""

    question: str = ""
    session_id: str | None = None


class VoiceView(msgspec.Struct, rename="camel"):
    """What is to be said, and how many messages the conversation has now."""

    response: str
    session_id: str
    message_count: int


async def post_voice(context: RequestContext) -> Response:
    """Answer a question."""
    # A model costs whoever deploys: with app keys it answers nobody else.
    resource_id = await require_app(context)
    body = await read_body(context.request, VoiceBody)
    if not body.session_id:
        raise SessionIdRequired("Session ID required")
    session_id = await owned_id(context, body.session_id, "sessionId")
    question = clean(body.question)
    asker = rate_limit_key(context.request.client_ip) if resource_id is None else threads_prefix(resource_id)
    await context.limits.spend(Limit.ANSWER, asker)
    await context.limits.spend(Limit.APPEND, snapshot_key(session_id))
    agent = VoiceAgent(context.chat_ports(), session_id)
    response, message_count = await agent.answer(question)
    return json_response(VoiceView(response, session_id, message_count))


def clean(question: str) -> str:
    """What was heard, without what nobody can say: control characters go, white space at the ends too.

    Raises:
        InvalidBody: nothing is left, or too much.
    """
    heard = "".join(" " if letter in "\t\r\n" else letter for letter in question)
    # The category Cc: https://www.unicode.org/versions/Unicode16.0.0/core-spec/chapter-23/#G20365
    heard = "".join(letter for letter in heard if not (letter < " " or "\x7f" <= letter < "\xa0")).strip()
    if not heard:
        raise InvalidBody("The question is empty.")
    if len(heard) > MAX_QUESTION_LENGTH:
        raise InvalidBody(f"A question may have {MAX_QUESTION_LENGTH} characters.")
    return heard
