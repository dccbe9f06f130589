"""A question in the form of the AI SDK, which sends its whole thread each time: the last question in it is decoded, and
of what stands before it only the nearest ids. Old messages may be of any size and shape."""

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from waypost_worker.chat.page_calls import PageAnswer
from waypost_worker.chat.prompt import unsupported_part
from waypost_worker.chat.question import Question
from waypost_worker.errors import BodyTooLarge, InvalidBody, InvalidJson
from waypost_worker.handlers.chat_tab import TabBody
from waypost_worker.handlers.message_content import NO_TEXT, MessageContent
from waypost_worker.handlers.page_answer import read_left_answer, read_page_answer
from waypost_worker.handlers.page_tools import PageTools, page_tools
from waypost_worker.http.json_body import decode_again, decode_json, decode_large
from waypost_worker.http.json_tail import last_elements
from waypost_worker.ids import parse_message_id
from waypost_worker.limits import MAX_BODY_BYTES, MAX_QUESTION_BYTES, MAX_QUESTION_MARKS, MAX_TEXT_PART_BYTES

MESSAGES = b'"messages":'

PREVIOUS = 2
"""Messages before the question whose ids are read."""


class UiPart(msgspec.Struct, frozen=True):
    """A part of a message: text, or a file. A part of another type is refused with its place."""

    type: str
    """`text` or `file`."""
    text: Any = ""
    """Of a `text`: the text."""
    url: Any = ""
    """Of a `file`: an image in a `data:` URL."""


class UiMessage(msgspec.Struct, frozen=True):
    """A message in the form of the AI SDK."""

    id: str
    """The message's id. That of the question makes it idempotent."""
    role: str
    """`user`, `assistant` or `system`; only the last message of the user is used."""
    parts: list[UiPart] = []
    """What it says."""


class _SentPart(msgspec.Struct):
    type: str
    text: Raw = NO_TEXT
    url: Raw = NO_TEXT


class _SentMessage(msgspec.Struct):
    id: str
    role: str
    parts: list[_SentPart] = []


class _Head(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    id: str
    """The thread."""
    trigger: str = "submit-message"
    """`submit-message`, or `regenerate-message`: the answer is made again, and what follows it is dropped."""
    message_id: str | None = None
    """The message to regenerate or replace, if any."""
    resource_id: str | None = None
    """The user of the app that the thread belongs to, as in Waypost's own body."""
    agent: str | None = None
    """The agent that answers, one of the deployment's `AGENTS`. Default: the thread's."""
    metadata: dict[str, Any] | None = None
    """Replaces the thread's metadata."""
    interrupt: bool = False
    """Stops an answer that is running, instead of being refused with `answer_running`."""
    session: TabBody | None = None
    """A tab whose tools the model may use."""
    tools: dict[str, Any] | list[Any] | None = None


class UiBody(_Head, frozen=True, rename="camel", kw_only=True):
    """What `DefaultChatTransport` sends: https://ai-sdk.dev/docs/ai-sdk-ui/transport. Apps add fields of their own, so
    it stays open."""

    messages: list[UiMessage]
    """The thread as the page has it. The last message of the user is read; those before it may be of any shape. If an
    answer with outputs of the page's own `tools` is the last one, that one is read, and goes on."""
    tools: PageTools = None
    """Tools that the page runs itself: an object of tools by their names, or a list of tools with a `name`."""


class _Named(msgspec.Struct):
    id: str = ""
    role: str = ""


_decode_named = msgspec.json.Decoder(_Named).decode


class _Kind(msgspec.Struct):
    # As they were sent: nothing of them is decoded.
    messages: Raw | UnsetType = UNSET
    trigger: Raw | UnsetType = UNSET


def ui_messages(body: bytes) -> slice | None:
    """Where the messages stand in a body in the form of the AI SDK, empty if there are none; `None` if the body is in
    another form.

    Raises:
        InvalidJson, InvalidBody
    """
    try:
        kind = decode_again(body, _Kind)
    except RecursionError as error:
        raise InvalidJson("The JSON is nested too deep.") from error
    if kind.messages is UNSET:
        return None if kind.trigger is UNSET else slice(0, 0)
    return _place_in(body, kind.messages)


def _place_in(body: bytes, messages: Raw) -> slice:
    size = len(memoryview(messages))
    # Without a copy of megabytes, where they stand behind the first such name, as in all that the AI SDK sends.
    start = body.find(MESSAGES) + len(MESSAGES)
    if memoryview(body)[start : start + size] == memoryview(messages):
        return slice(start, start + size)
    start = body.find(bytes(messages))
    return slice(start, start + size)


def read_ui_question(body: bytes, messages: slice, allowed: str) -> tuple[str, str | None, Question, TabBody | None]:
    """Thread, resource, question and tab in `body`, of which `messages` are the messages. `allowed`: the parts that a
    model is given here, one of `PARTS`.

    Raises:
        BodyTooLarge, InvalidJson, InvalidEncoding, InvalidBody, UnknownField, InvalidId, UnsupportedPart
    """
    # Without the messages the body is small enough to be checked as any other.
    size = messages.stop - messages.start
    if len(body) - size > MAX_BODY_BYTES:
        raise BodyTooLarge(f"A question without its messages may have {MAX_BODY_BYTES} bytes.")
    head = decode_json(body[: messages.start] + b"0" * bool(size) + body[messages.stop :], _Head)
    if not body.startswith(b"[", messages.start, messages.stop):
        raise InvalidBody("The field `messages` must be an array of messages.")
    tools = page_tools(head.tools)
    answer = None if head.trigger.startswith("regenerate") else _answer(body, messages, head.message_id)
    if answer is not None:
        question = Question("", None, head.agent, head.metadata, is_ui=True, page_tools=tools, goes_on=answer)
        return head.id, head.resource_id, question, head.session
    found, from_end, previous_ids, before = _last_question(body, messages)
    if len(found) > MAX_QUESTION_BYTES:
        raise BodyTooLarge(f"A message as JSON may have {MAX_QUESTION_BYTES} bytes.")
    text = bytes(found)
    # Images in it are decoded one after the other.
    decode = decode_json if len(text) <= MAX_TEXT_PART_BYTES else decode_large
    asked = decode(text, _SentMessage)
    # An edited message keeps its id and is named by messageId; a new one is not.
    regenerate = head.trigger.startswith("regenerate") or head.message_id == asked.id
    question = Question(
        _content(asked, allowed, body, messages, from_end),
        parse_message_id(asked.id),
        head.agent,
        head.metadata,
        is_ui=True,
        regenerate=regenerate,
        interrupt=head.interrupt,
        answer_id=(head.message_id or "") if regenerate and head.message_id != asked.id else "",
        previous_ids=previous_ids,
        page_tools=tools,
        left=read_left_answer(before),
    )
    return head.id, head.resource_id, question, head.session


def _answer(body: bytes, messages: slice, message_id: str | None) -> PageAnswer | None:
    """The answer that the page asks to go on: its last message, or the one before it that `message_id` names."""
    for number, element in enumerate(last_elements(body, MAX_QUESTION_MARKS, messages.stop), 1):
        named = _named(element)
        if named.role != "assistant":
            return None
        if message_id in (None, named.id):
            place = f"messages[{_count(body, messages) - number}]"
            return read_page_answer(element, place)
    return None


def _count(body: bytes, messages: slice) -> int:
    return sum(1 for _ in last_elements(body, MAX_QUESTION_MARKS, messages.stop))


def _last_question(body: bytes, messages: slice) -> tuple[memoryview, int, tuple[str, ...], memoryview]:
    """The last message of a user, its place from the end, the ids of those before it, the nearest first, and the
    assistant's message right before it; empty if there is none."""
    found, place, before = memoryview(b""), 0, memoryview(b"")
    previous: list[str] = []
    for number, element in enumerate(last_elements(body, MAX_QUESTION_MARKS, messages.stop), 1):
        named = _named(element)
        if found:
            before = element if not previous and named.role == "assistant" else before
            previous.append(named.id)
        elif named.role == "user":
            found, place = element, number
        if len(previous) == PREVIOUS:
            break
    if not found:
        raise InvalidBody("None of the messages has the role user.")
    return found, place, tuple(previous), before


def _named(element: memoryview) -> _Named:
    try:
        return _decode_named(element)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # An old message may have any shape.
        return _Named()


def _content(message: _SentMessage, allowed: str, body: bytes, messages: slice, from_end: int) -> Any:
    """The content of a message in the form of the AI SDK: its text, or content parts if it has images."""
    content = MessageContent(allowed)
    index: int | None = None
    for number, part in enumerate(message.parts):
        if part.type == "text" and bytes(part.text).startswith(b'"'):
            content.add_text(part.text, "text")
            continue
        if index is None:
            index = _count(body, messages) - from_end
        place = f"messages[{index}].parts[{number}]"
        if part.type == "file":
            # Of files, a model is given images; a URL with the image in it names the media type itself.
            content.add_image(part.url, part.type, place)
        else:
            raise unsupported_part(part.type, allowed, place)
    return content.checked()
