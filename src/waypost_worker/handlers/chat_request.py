"""The body of a question: Waypost's own, or the one that the AI SDK's chat transport sends."""

from typing import Annotated, Any

from msgspec import Meta, Raw

from waypost_worker.chat.question import Question, tag_of
from waypost_worker.context.request_context import RequestContext
from waypost_worker.errors import BodyTooLarge, InvalidBody, WrongResource
from waypost_worker.handlers.chat_tab import TabBody
from waypost_worker.handlers.message_content import ImagePart, TextPart, content_of
from waypost_worker.handlers.ui_request import read_ui_question, ui_messages
from waypost_worker.http.json_body import Body, decode_json, decode_large
from waypost_worker.ids import parse_app_id, parse_message_id
from waypost_worker.limits import MAX_QUESTION_BYTES, MAX_TEXT_PART_BYTES
from waypost_worker.security.client_address import rate_limit_key


class ChatBody(Body, frozen=True):
    """A message to a thread."""

    message: str | Annotated[list[TextPart | ImagePart], Meta(min_length=1)]
    """A text, or a text and images."""
    thread_id: str
    """The thread; it begins with its first message."""
    resource_id: str | None = None
    """The user of the app that the thread belongs to. Without it, the thread is a resource of its own: its id alone
    opens it, so it must be hard to guess."""
    agent: str | None = None
    """The agent that answers, one of the deployment's `AGENTS`. Default: the thread's."""
    message_id: str | None = None
    """Makes the request idempotent: the same message sent again gets the answer that it has or is getting."""
    metadata: dict[str, Any] | None = None
    """Replaces the thread's metadata."""
    interrupt: bool = False
    """Stops an answer that is running, instead of being refused with `answer_running`."""
    session: TabBody | None = None
    """A tab whose tools the model may use."""


class _SentChat(ChatBody, frozen=True):
    message: Raw  # type: ignore[assignment]


class ForkBody(Body, frozen=True):
    """A new thread that starts with the history of another one, up to one of its messages. `session` is for the answer
    to its `message`."""

    fork_from_thread_id: str
    """The thread whose history the new one starts with. It stays as it is."""
    thread_id: str
    """The new thread."""
    resource_id: str | None = None
    """The resource of both."""
    message: str | None = None
    """A message to the new thread, whose answer is then streamed."""
    agent: str | None = None
    """The agent that answers. Default: the parent's."""
    at_message_id: str | None = None
    """The last message to copy. Default: all are copied."""
    metadata: dict[str, Any] | None = None
    """The new thread's metadata. Default: the parent's."""
    session: TabBody | None = None
    """A tab whose tools the model may use to answer `message`."""


def read_question(body: bytes, token_resource: str | None, allowed: str) -> tuple[str, str, Question, TabBody | None]:
    """Resource, thread and question, and the tab whose tools the model may use. `token_resource`: the resource of the
    caller's token, or `None` without one. `allowed`: the parts that a model is given here, one of `PARTS`.

    Raises:
        BodyTooLarge, InvalidJson, InvalidEncoding, InvalidBody, UnknownField, InvalidId, WrongResource, UnsupportedPart
    """
    if (messages := ui_messages(body)) is not None:
        thread_id, resource_id, question, tab = read_ui_question(body, messages, allowed)
        return *thread_name(token_resource, resource_id, thread_id), question, tab
    if len(body) > MAX_QUESTION_BYTES:
        raise BodyTooLarge(f"A message as JSON may have {MAX_QUESTION_BYTES} bytes.")
    decode = decode_json if len(body) <= MAX_TEXT_PART_BYTES else decode_large
    sent = decode(body, _SentChat)
    question = Question(
        content_of(sent.message, allowed),
        None if sent.message_id is None else parse_message_id(sent.message_id),
        sent.agent,
        sent.metadata,
        interrupt=sent.interrupt,
    )
    return *thread_name(token_resource, sent.resource_id, sent.thread_id), question, sent.session


def asker_tag(context: RequestContext) -> str:
    """Names the client of the request by its address, for comparison with another one of the same thread."""
    return tag_of(rate_limit_key(context.request.client_ip))


def thread_name(token_resource: str | None, resource_id: str | None, thread_id: str) -> tuple[str, str]:
    """Resource and thread. Without `resource_id` it is that of the token, or else the thread is a resource of its own.

    Raises:
        InvalidId, WrongResource
    """
    thread_id = parse_app_id(thread_id, "threadId")
    if resource_id is None:
        return token_resource or thread_id, thread_id
    return checked_resource(token_resource, resource_id), thread_id


def named_resource(token_resource: str | None, resource_id: str | None) -> str:
    """The resource that a body names; it may be left out only if the token is for one.

    Raises:
        InvalidBody, InvalidId, WrongResource
    """
    if resource_id is not None:
        return checked_resource(token_resource, resource_id)
    if token_resource is None:
        raise InvalidBody("Object missing required field `resourceId`.")
    return token_resource


def checked_resource(token_resource: str | None, resource_id: str) -> str:
    """`resource_id`, if the caller's token may reach it.

    Raises:
        InvalidId
        WrongResource: the token is for another one.
    """
    if token_resource not in (None, parse_app_id(resource_id, "resourceId")):
        raise WrongResource("The token is for another resourceId; without resourceId, the token's own is used.")
    return resource_id
