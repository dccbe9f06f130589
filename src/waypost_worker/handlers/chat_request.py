"""The body of a question: Waypost's own, or the one that the AI SDK's chat transport sends."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from waypost_worker.chat.chat import Question
from waypost_worker.errors import InvalidBody, WrongResource
from waypost_worker.http.json_body import Body, decode_again, decode_json
from waypost_worker.ids import parse_app_id, parse_message_id
from waypost_worker.limits import MAX_CHAT_MESSAGE_LENGTH


class ChatBody(Body, frozen=True):
    """A message to a thread. `resourceId` names the user of the app that the thread belongs to; without it, the thread
    is a resource of its own.

    The request is idempotent by `messageId`. `interrupt` stops an answer that is being generated.
    """

    message: str
    thread_id: str
    resource_id: str | None = None
    agent: str | None = None
    message_id: str | None = None
    metadata: dict[str, Any] | None = None
    interrupt: bool = False


class ForkBody(Body, frozen=True):
    """A new thread that starts with the history of another one, up to one of its messages."""

    fork_from_thread_id: str
    thread_id: str
    resource_id: str | None = None
    message: str | None = None
    agent: str | None = None
    at_message_id: str | None = None
    metadata: dict[str, Any] | None = None


class UiPart(msgspec.Struct, frozen=True):
    """A part of a message. Only parts of type `text` reach the model; in others, `text` may be anything."""

    type: str
    text: Any = ""


class UiMessage(msgspec.Struct, frozen=True):
    """A message in the form of the AI SDK."""

    id: str
    role: str
    parts: list[UiPart] = []


class UiBody(msgspec.Struct, frozen=True, rename="camel"):
    """What `DefaultChatTransport` sends: https://ai-sdk.dev/docs/ai-sdk-ui/transport. Apps add fields of their own, so
    it stays open."""

    id: str
    messages: list[UiMessage]
    trigger: str = "submit-message"
    message_id: str | None = None
    resource_id: str | None = None
    agent: str | None = None
    metadata: dict[str, Any] | None = None
    interrupt: bool = False


class _Kind(msgspec.Struct):
    messages: msgspec.Raw | UnsetType = UNSET
    trigger: msgspec.Raw | UnsetType = UNSET


def read_question(body: bytes, token_resource: str | None) -> tuple[str, str, Question]:
    """Resource, thread and question. `token_resource`: the resource of the caller's token, or `None` without one.

    Raises:
        InvalidJson, InvalidEncoding, InvalidBody, UnknownField, InvalidId, WrongResource
    """
    kind = decode_json(body, _Kind)
    if kind.messages is not UNSET or kind.trigger is not UNSET:
        return _ui_question(decode_again(body, UiBody), token_resource)
    sent = decode_again(body, ChatBody)
    question = Question(
        message_text(sent.message),
        None if sent.message_id is None else parse_message_id(sent.message_id),
        sent.agent,
        sent.metadata,
        interrupt=sent.interrupt,
    )
    return *thread_name(token_resource, sent.resource_id, sent.thread_id), question


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


def message_text(text: str) -> str:
    """`text`, if it is neither blank nor too long.

    Raises:
        InvalidBody
    """
    if not text.strip():
        raise InvalidBody("The message is empty.")
    if len(text) > MAX_CHAT_MESSAGE_LENGTH:
        raise InvalidBody(f"A message may have {MAX_CHAT_MESSAGE_LENGTH} characters.")
    return text


def _ui_question(sent: UiBody, token_resource: str | None) -> tuple[str, str, Question]:
    # The service keeps the history, so of the messages that the browser sends only the last one is new.
    asked = next((message for message in reversed(sent.messages) if message.role == "user"), None)
    if asked is None:
        raise InvalidBody("None of the messages has the role user.")
    text = "".join(part.text for part in asked.parts if part.type == "text" and isinstance(part.text, str))
    question = Question(
        message_text(text),
        parse_message_id(asked.id),
        sent.agent,
        sent.metadata,
        is_ui=True,
        # An edited message keeps its id and is named by messageId; a new one is not.
        regenerate=sent.trigger == "regenerate-message" or sent.message_id == asked.id,
        interrupt=sent.interrupt,
    )
    return *thread_name(token_resource, sent.resource_id, sent.id), question
