"""A question in the form of the AI SDK, which sends its whole thread each time: the last question in it is decoded, and
of what stands before it only the nearest ids. Old messages may be of any size and shape."""

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from waypost_worker.chat.prompt import is_image, unsupported_part
from waypost_worker.chat.question import Question
from waypost_worker.errors import BodyTooLarge, InvalidBody, InvalidJson
from waypost_worker.http.json_body import decode_again, decode_json
from waypost_worker.http.json_tail import last_elements
from waypost_worker.ids import parse_message_id
from waypost_worker.limits import MAX_BODY_BYTES, MAX_CHAT_MESSAGE_LENGTH, MAX_QUESTION_BYTES, MAX_QUESTION_MARKS

PREVIOUS = 2
"""Messages before the question whose ids are read."""


class UiPart(msgspec.Struct, frozen=True):
    """A part of a message: text, or a file. A part of another type is refused with its place."""

    type: str
    text: Any = ""
    url: Any = ""


class UiMessage(msgspec.Struct, frozen=True):
    """A message in the form of the AI SDK."""

    id: str
    role: str
    parts: list[UiPart] = []


class _Head(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    id: str
    trigger: str = "submit-message"
    message_id: str | None = None
    resource_id: str | None = None
    agent: str | None = None
    metadata: dict[str, Any] | None = None
    interrupt: bool = False


class UiBody(_Head, frozen=True, rename="camel", kw_only=True):
    """What `DefaultChatTransport` sends: https://ai-sdk.dev/docs/ai-sdk-ui/transport. Apps add fields of their own, so
    it stays open. Of `messages`, the last one of the user is read; those before it may be of any shape."""

    messages: list[UiMessage]


class _Named(msgspec.Struct):
    id: str = ""
    role: str = ""


_decode_named = msgspec.json.Decoder(_Named).decode


class _Kind(msgspec.Struct):
    # As they were sent: nothing of them is decoded.
    messages: Raw | UnsetType = UNSET
    trigger: Raw | UnsetType = UNSET


def ui_messages(body: bytes) -> bytes | None:
    """The text of the messages in a body in the form of the AI SDK, empty if there are none; `None` if the body is in
    another form.

    Raises:
        InvalidJson, InvalidBody
    """
    try:
        kind = decode_again(body, _Kind)
    except RecursionError as error:
        raise InvalidJson("The JSON is nested too deep.") from error
    if kind.messages is UNSET:
        return None if kind.trigger is UNSET else b""
    return bytes(kind.messages).strip()


def read_ui_question(body: bytes, messages: bytes, allowed: str) -> tuple[str, str | None, Question]:
    """Thread, resource and question in `body`, of which `messages` are the messages. `allowed`: the parts that a model
    is given here, one of `PARTS`.

    Raises:
        BodyTooLarge, InvalidJson, InvalidEncoding, InvalidBody, UnknownField, InvalidId, UnsupportedPart
    """
    # Without the messages the body is small enough to be checked as any other.
    start = body.find(messages)
    rest = body[:start] + b"0" + body[start + len(messages) :] if messages else body
    if len(rest) > MAX_BODY_BYTES:
        raise BodyTooLarge(f"A question without its messages may have {MAX_BODY_BYTES} bytes.")
    head = decode_json(rest, _Head)
    if not messages.startswith(b"["):
        raise InvalidBody("The field `messages` must be an array of messages.")
    text, from_end, previous_ids = _last_question(messages)
    if len(text) > MAX_QUESTION_BYTES:
        raise BodyTooLarge(f"A message as JSON may have {MAX_QUESTION_BYTES} bytes.")
    asked = decode_json(text, UiMessage)
    # An edited message keeps its id and is named by messageId; a new one is not.
    regenerate = head.trigger.startswith("regenerate") or head.message_id == asked.id
    question = Question(
        _content(asked, allowed, messages, from_end),
        parse_message_id(asked.id),
        head.agent,
        head.metadata,
        is_ui=True,
        regenerate=regenerate,
        interrupt=head.interrupt,
        answer_id=(head.message_id or "") if regenerate and head.message_id != asked.id else "",
        previous_ids=previous_ids,
    )
    return head.id, head.resource_id, question


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


def _last_question(messages: bytes) -> tuple[bytes, int, tuple[str, ...]]:
    """The last message of a user, its place from the end, and the ids of those before it, the nearest first."""
    found, place = b"", 0
    previous: list[str] = []
    for number, element in enumerate(last_elements(messages, MAX_QUESTION_MARKS), 1):
        named = _named(element)
        if found:
            previous.append(named.id)
        elif named.role == "user":
            found, place = element, number
        if len(previous) == PREVIOUS:
            break
    if not found:
        raise InvalidBody("None of the messages has the role user.")
    return found, place, tuple(previous)


def _named(element: bytes) -> _Named:
    try:
        return _decode_named(element)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # An old message may have any shape.
        return _Named()


def _content(message: UiMessage, allowed: str, messages: bytes, from_end: int) -> Any:
    """The content of a message in the form of the AI SDK: its text, or content parts if it has images."""
    images: list[dict[str, Any]] = []
    texts: list[str] = []
    for number, part in enumerate(message.parts):
        if part.type == "text" and isinstance(part.text, str):
            texts.append(part.text)
            continue
        # Of files, a model is given images; a URL with the image in it names the media type itself.
        image = {"type": "image_url", "image_url": {"url": part.url}}
        if part.type != "file" or not is_image(image) or allowed == "text":
            index = sum(1 for _ in last_elements(messages, MAX_QUESTION_MARKS)) - from_end
            raise unsupported_part(part.type, allowed, f"messages[{index}].parts[{number}]")
        images.append(image)
    text = "".join(texts)
    if not images:
        return message_text(text)
    return [{"type": "text", "text": message_text(text)}, *images]
