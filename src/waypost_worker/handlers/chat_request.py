"""What a question comes in: Waypost's own body, or the one that the AI SDK's chat transport sends."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from waypost_worker.chat.chat import Question
from waypost_worker.errors import InvalidBody, WrongResource
from waypost_worker.http.json_body import Body, decode_again, decode_json
from waypost_worker.ids import parse_app_id, parse_message_id
from waypost_worker.limits import MAX_CHAT_MESSAGE_LENGTH


class ChatBody(Body, frozen=True):
    """A message to a thread. `resource_id` is whose thread it is; without one it is its own.

    `message_id` makes sending it twice the same as once. `interrupt` stops an answer that is being given.
    """

    message: str
    thread_id: str
    resource_id: str | None = None
    agent: str | None = None
    message_id: str | None = None
    metadata: dict[str, Any] | None = None
    interrupt: bool = False


class ForkBody(Body, frozen=True):
    """A new thread that has the history of another one, up to a message of it, and then its own."""

    fork_from_thread_id: str
    thread_id: str
    resource_id: str | None = None
    message: str | None = None
    agent: str | None = None
    at_message_id: str | None = None
    metadata: dict[str, Any] | None = None


class UiPart(msgspec.Struct, frozen=True):
    """Only text is for the model here; in parts of other types `text` may be anything."""

    type: str
    text: Any = ""


class UiMessage(msgspec.Struct, frozen=True):
    """One message as the browser has it."""

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


def read_question(body: bytes, bound: str | None) -> tuple[str, str, Question]:
    """Resource, thread and question. `bound`: the resource that the caller's token is for, if it is for one.

    Raises:
        InvalidJson, InvalidEncoding, InvalidBody, UnknownField, InvalidId, WrongResource
    """
    kind = decode_json(body, _Kind)
    if kind.messages is not UNSET or kind.trigger is not UNSET:
        return _ui_question(decode_again(body, UiBody), bound)
    sent = decode_again(body, ChatBody)
    question = Question(
        message_text(sent.message),
        None if sent.message_id is None else parse_message_id(sent.message_id),
        sent.agent,
        sent.metadata,
        interrupt=sent.interrupt,
    )
    return *thread_name(bound, sent.resource_id, sent.thread_id), question


def thread_name(bound: str | None, resource_id: str | None, thread_id: str) -> tuple[str, str]:
    """Resource and thread; a thread without a resource is that of the token, or its own.

    Raises:
        InvalidId, WrongResource
    """
    thread_id = parse_app_id(thread_id, "threadId")
    return (bound or thread_id if resource_id is None else checked_resource(bound, resource_id)), thread_id


def named_resource(bound: str | None, resource_id: str | None) -> str:
    """The resource that a body names; only with a token that is `bound` to one may it be left out.

    Raises:
        InvalidBody, InvalidId, WrongResource
    """
    if resource_id is not None:
        return checked_resource(bound, resource_id)
    if bound is None:
        raise InvalidBody("Object missing required field `resourceId`.")
    return bound


def checked_resource(bound: str | None, resource_id: str) -> str:
    """`resource_id`, if the caller's token may reach it.

    Raises:
        InvalidId
        WrongResource: the token is for another one.
    """
    if bound not in (None, parse_app_id(resource_id, "resourceId")):
        raise WrongResource("The token is for another resourceId; leave it out, and the token's own is meant.")
    return resource_id


def message_text(text: str) -> str:
    """`text`, if it says something.

    Raises:
        InvalidBody
    """
    if not text.strip():
        raise InvalidBody("The message is empty.")
    if len(text) > MAX_CHAT_MESSAGE_LENGTH:
        raise InvalidBody(f"A message may have {MAX_CHAT_MESSAGE_LENGTH} characters.")
    return text


def _ui_question(sent: UiBody, bound: str | None) -> tuple[str, str, Question]:
    # The history is kept here; of what the browser has of it only the last message is new.
    asked = next((message for message in reversed(sent.messages) if message.role == "user"), None)
    if asked is None:
        raise InvalidBody("None of the messages is a user's.")
    text = "".join(part.text for part in asked.parts if part.type == "text" and isinstance(part.text, str))
    question = Question(
        message_text(text),
        parse_message_id(asked.id),
        sent.agent,
        sent.metadata,
        is_ui=True,
        # A message that is edited keeps its id, and is named; a new one is not.
        regenerate=sent.trigger == "regenerate-message" or sent.message_id == asked.id,
        interrupt=sent.interrupt,
    )
    return *thread_name(bound, sent.resource_id, sent.id), question
