"""`/api/voice-agent/chat`: the client sends a question and the id of its conversation; the service keeps the
history."""

import msgspec

from waypost_worker.chat.voice import VoiceAgent, time_limit
from waypost_worker.context.auth import owned_id, require_app
from waypost_worker.context.request_context import RequestContext
from waypost_worker.errors import InvalidBody, SessionIdRequired
from waypost_worker.handlers.chat_tab import TabBody, check_tab, tab_tools
from waypost_worker.http.json_body import Body, read_body
from waypost_worker.http.messages import Response, json_response
from waypost_worker.kv.keys import snapshot_key, threads_prefix
from waypost_worker.limits import MAX_QUESTION_LENGTH
from waypost_worker.security.client_address import rate_limit_key
from waypost_worker.security.rate_limits import Limit


class VoiceBody(Body, frozen=True):
    """A question, and the id of its conversation."""

    question: str = ""
    """What was said. Control characters are dropped."""
    session_id: str | None = None
    """The secret id that owns the conversation; the client makes it up."""
    session: TabBody | None = None
    """A tab whose tools the model may use."""


class VoiceView(msgspec.Struct, rename="camel", omit_defaults=True):
    """The answer to a voice client."""

    response: str
    """The answer, to be spoken."""
    session_id: str
    """The conversation's id, as it was sent."""
    message_count: int
    """Messages that the conversation has now."""
    partial: bool = False
    """Its time was over before the model had finished."""


async def post_voice(context: RequestContext) -> Response:
    """Answer a question of a voice client. With `session`, the model may use the tools of that tab, and the answer is
    there after `VOICE_SECONDS`, finished or not."""
    limit = time_limit(context.clock.now_ms(), context.settings.voice_seconds)
    # A model costs the deployer: with app keys in the settings, it answers only callers that have one, or a token.
    resource_id = await require_app(context)
    body = await read_body(context.request, VoiceBody)
    if not body.session_id:
        raise SessionIdRequired("Session ID required")
    session_id = await owned_id(context, body.session_id, "sessionId")
    question = clean(body.question)
    check_tab(body.session)
    asker = rate_limit_key(context.request.client_ip) if resource_id is None else threads_prefix(resource_id)
    await context.limits.spend(Limit.ANSWER, asker)
    await context.limits.spend(Limit.APPEND, snapshot_key(session_id))
    tools = await tab_tools(context, body.session, limit.calls_end_ms)
    spoken = await VoiceAgent(context.chat_context(asker), session_id, tools, limit).answer(question)
    return json_response(VoiceView(spoken.text, session_id, spoken.message_count, spoken.is_partial))


def clean(question: str) -> str:
    """The question without control characters, and without white space at its ends.

    Raises:
        InvalidBody: it is empty then, or too long.
    """
    text = "".join(" " if letter in "\t\r\n" else letter for letter in question)
    # The category Cc: https://www.unicode.org/versions/Unicode16.0.0/core-spec/chapter-23/#G20365
    text = "".join(letter for letter in text if not (letter < " " or "\x7f" <= letter < "\xa0")).strip()
    if not text:
        raise InvalidBody("The question is empty.")
    if len(text) > MAX_QUESTION_LENGTH:
        raise InvalidBody(f"A question may have {MAX_QUESTION_LENGTH} characters.")
    return text
