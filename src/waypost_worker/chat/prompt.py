"""The prompt: the messages of a conversation in the form in which a model gets them. Chats, forks and voice agents
build theirs here.

The system prompt is the operator's. A message that came from a caller without an app key is a user's message to the
model, whatever role it was stored with. Parts that a deployment does not allow are refused where they come in; those
that are stored already are replaced by a note.
"""

import re
import string
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from waypost_worker.chat.alternation import SEPARATOR, grouped, joined
from waypost_worker.chat.tool_steps import expanded, without_results
from waypost_worker.conversations.images import SCHEME, reference_in
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import UnsupportedPart
from waypost_worker.limits import IMAGE_CHARACTERS
from waypost_worker.models.openai_messages import MAX_NAMED_TYPE, are_parts, left_out, text_of
from waypost_worker.models.settings import ModelSettings

_IMAGE_URL = re.compile(r"data:image/[a-z0-9.+-]{1,40};base64,", re.IGNORECASE)
_BASE64 = (string.ascii_letters + string.digits + "+/").encode()

_RULES = {
    "text": "only text is passed to the model (MODEL_PARTS=text)",
    "images": "only text, and images in data: URLs with base64, are passed to the model (MODEL_PARTS=images)",
    "any": "of files, only images in data: URLs with base64 are passed to the model",
}


class Prompt(NamedTuple):
    """The messages for a model, and how many characters they have without the operator's instructions."""

    messages: list[ChatMessage]
    characters: int


def build_prompt(
    items: Sequence[ChatMessage],
    instructions: str | None,
    settings: ModelSettings,
    budget: int | None = None,
    *,
    takes_reasoning: bool = False,
) -> Prompt:
    """Returns the newest whole turns of `items` that fit into `budget` characters (by default those of `settings`),
    after one system message: `instructions` and the system messages of the conversation that are shown.

    A turn is a user's message and what follows it. The last one, which has the question, is there whatever its size.
    Where a turn does not fit, notes stand in the place of its oldest results of tools.
    What precedes the first user's message is left out, but for system messages, which stay.
    The last item may be the answer that the model is to go on with: it `is_open`. `takes_reasoning`: the model is given
    what it thought too, so that it counts.
    """

    def size_of(turn: Sequence[ChatMessage]) -> int:
        thought = sum(len(item.reasoning) for item in turn) if takes_reasoning else 0
        return sum(map(_prompt_characters, turn)) + thought

    budget = settings.prompt_budget if budget is None else budget
    opening, turns = _turns(grouped(_for_model(item, settings.parts) for item in expanded(items)))
    system = [item for item in opening if item.role == "system"]
    characters = sum(map(_prompt_characters, system))
    chosen: list[ChatMessage] = []
    for turn in reversed(turns):
        separator = len(SEPARATOR) * bool(chosen)
        size = size_of(turn) + separator
        if characters + size > budget:
            turn = without_results(turn, characters + size - budget)
            size = size_of(turn) + separator
        if chosen and characters + size > budget:
            break
        chosen, characters = turn + chosen, characters + size
    system += [item for item in chosen if item.role == "system"]
    texts = [instructions or "", *(text_of(item.content) for item in system)]
    told = SEPARATOR.join(filter(None, texts))
    head = [ChatMessage("instructions", "system", told, 0)] if told else []
    return Prompt(head + joined([item for item in chosen if item.role != "system"]), characters)


def _turns(items: Sequence[ChatMessage]) -> tuple[list[ChatMessage], list[list[ChatMessage]]]:
    """What precedes the first user's message, and the turns."""
    opening: list[ChatMessage] = []
    turns: list[list[ChatMessage]] = []
    for item in items:
        if item.role == "user":
            turns.append([])
        (turns[-1] if turns else opening).append(item)
    return opening, turns


def characters_of(item: ChatMessage) -> int:
    """The characters of a message: of its text or of its content's JSON, and of its tool calls."""
    calls = len(msgspec.json.encode(item.tool_calls)) if item.tool_calls else 0
    content = item.content
    return calls + (len(content) if isinstance(content, str) else len(msgspec.json.encode(content).decode()))


def check_parts(item: ChatMessage, allowed: str, place: str) -> None:
    """Checks that a model may be given every part of `item`. `allowed`: one of `PARTS`. `place`: of its content, for
    the error. A tool's result is always given as text.

    Raises:
        UnsupportedPart
    """
    if not are_parts(item.content):
        return
    for number, part in enumerate(item.content):
        if isinstance(image := part.get("image_url"), dict) and str(image.get("url")).startswith(SCHEME):
            raise UnsupportedPart(f"{place}[{number}] is a reference to an image that is stored; send the image.")
    if item.role == "tool":
        return
    for number, part in enumerate(item.content):
        if not _is_allowed(part, allowed):
            raise unsupported_part(part["type"], allowed, f"{place}[{number}]")


def unsupported_part(type_: str, allowed: str, place: str) -> UnsupportedPart:
    """The error for the part at `place`."""
    return UnsupportedPart(f"{place} has the type {type_[:MAX_NAMED_TYPE]}: {_RULES[allowed]}.")


def is_image(part: dict[str, Any]) -> bool:
    """Whether `part` is an image that stands in its own URL, so that no service fetches anything for it, or one that is
    stored apart from its message."""
    image = part.get("image_url")
    return (
        part.keys() == {"type", "image_url"}
        and part["type"] == "image_url"
        and isinstance(image, dict)
        and image.keys() <= {"url", "detail"}
        and image.get("detail", "auto") in ("auto", "low", "high")
        and isinstance(image.get("url"), str)
        and (reference_in(image["url"]) is not None or _is_image_url(image["url"]))
    )


def _is_image_url(url: str) -> bool:
    start = _IMAGE_URL.match(url)
    if start is None or not url.isascii():
        return False
    # Ten times as fast as a regular expression. What is left are the marks at the start, and the padding.
    left = url.encode().translate(None, _BASE64)
    padding = left.removeprefix(start[0].encode().translate(None, _BASE64))
    return padding in (b"", b"=", b"==") and url.endswith(padding.decode()) and len(url) > start.end() + len(padding)


def _is_allowed(part: dict[str, Any], allowed: str) -> bool:
    is_text = part.keys() == {"type", "text"} and part["type"] == "text" and isinstance(part["text"], str)
    return is_text or allowed == "any" or (allowed == "images" and is_image(part))


def _for_model(item: ChatMessage, allowed: str) -> ChatMessage:
    content = item.content
    if item.role != "tool" and are_parts(content):
        content = [part if _is_allowed(part, allowed) else _text(left_out(part)) for part in content]
    if not item.by_user:
        return msgspec.structs.replace(item, content=content)
    # The role stands before the text, so that a transcript can still be understood.
    label = f"{item.role}: "
    calls = msgspec.json.encode(item.tool_calls).decode() if item.tool_calls else ""
    if item.role != "tool" and are_parts(content):
        content = [_text(label), *content, *([_text(calls)] if calls else [])]
    else:
        content = "\n".join(filter(None, [label + text_of(content), calls]))
    return ChatMessage(item.id, "user", content, item.timestamp_ms)


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def _prompt_characters(item: ChatMessage) -> int:
    if not isinstance(item.content, list):
        return characters_of(item)
    rest = [part for part in item.content if not (isinstance(part, dict) and is_image(part))]
    images = len(item.content) - len(rest)
    return characters_of(msgspec.structs.replace(item, content=rest)) + IMAGE_CHARACTERS * images
