"""An answer that a page sends back with the outputs of its own tools, in the form of the AI SDK. What is read of it are
its tool calls; text and other parts of it stand in the history as they were generated, and are not read.
"""

from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Raw

from waypost_worker.chat.page_calls import PageAnswer, PagePart
from waypost_worker.errors import BadInput, BodyTooLarge, InvalidBody, UnsupportedPart
from waypost_worker.http.json_body import decode_again, decode_large
from waypost_worker.limits import MAX_QUESTION_BYTES
from waypost_worker.models.openai_messages import MAX_NAMED_TYPE

STATIC, DYNAMIC = "tool-", "dynamic-tool"
"""What the types of tool calls begin with."""

OTHER_PARTS = ("text", "reasoning", "reasoning-file", "file", "source-url", "source-document", "step-start", "custom")
"""Types of parts that say nothing about calls; so do those that begin with `data-`."""

OPEN_STATES = ("input-streaming", "input-available", "approval-requested")

_NULL = Raw(b"null")


class _Approval(msgspec.Struct):
    approved: bool | None = None
    reason: str | None = None


class _SentPart(msgspec.Struct, rename="camel"):
    type: str
    tool_call_id: str = ""
    tool_name: str = ""
    state: str = ""
    # Of any size: it is measured before it is decoded.
    output: Raw = _NULL
    error_text: Raw = _NULL
    approval: _Approval | None = None
    preliminary: bool = False
    provider_executed: Any = None


class _SentAnswer(msgspec.Struct):
    id: str
    parts: list[_SentPart] = []


def read_page_answer(sent: memoryview, place: str) -> PageAnswer | None:
    """The calls in the assistant's message `sent`, which stands at `place`; `None` if none of them is the page's to
    answer.

    Raises:
        BodyTooLarge, InvalidJson, InvalidEncoding, InvalidBody, UnsupportedPart
    """
    if len(sent) > MAX_QUESTION_BYTES:
        raise BodyTooLarge(f"A message as JSON may have {MAX_QUESTION_BYTES} bytes.")
    answer = decode_large(bytes(sent), _SentAnswer)
    parts: list[PagePart] = []
    for number, part in enumerate(answer.parts):
        where = f"{place}.parts[{number}]"
        if part.type == DYNAMIC or part.type.startswith(STATIC):
            if part.provider_executed is not True:
                parts.append(_page_part(part, where))
        elif part.type not in OTHER_PARTS and not part.type.startswith("data-"):
            raise UnsupportedPart(f"{where} has the type {part.type[:MAX_NAMED_TYPE]}, which is not known.")
    return PageAnswer(answer.id, tuple(parts), place) if parts else None


def read_left_answer(before: memoryview) -> PageAnswer | None:
    """The same of the answer before a question, empty if there is none; it is an old message, which may have any
    shape."""
    with suppress(BadInput, BodyTooLarge):
        return read_page_answer(before, "") if before else None
    return None


def _page_part(part: _SentPart, where: str) -> PagePart:
    name = part.tool_name if part.type == DYNAMIC else part.type.removeprefix(STATIC)
    call = PagePart(part.tool_call_id, name, where)
    if part.state == "output-available" and not part.preliminary:
        return msgspec.structs.replace(call, output=part.output)
    if part.state == "output-error":
        return msgspec.structs.replace(call, error=("failed", _text(part.error_text, f"{where}.errorText")))
    is_denied = part.approval is not None and part.approval.approved is False
    if part.state == "output-denied" or (part.state == "approval-responded" and is_denied):
        reason = part.approval.reason if part.approval is not None else None
        return msgspec.structs.replace(call, error=("refused", reason or "The user refused."))
    if part.state in OPEN_STATES or part.state == "approval-responded":
        return call
    state = "preliminary output" if part.preliminary else f"state {part.state[:MAX_NAMED_TYPE]}"
    raise UnsupportedPart(f"{where} has the {state}, which is no output of a call.")


def _text(sent: Raw, where: str) -> str:
    text = decode_again(bytes(sent), Any)
    if not isinstance(text, str) or not text:
        raise InvalidBody(f"The field `{where}` must be a text that says what failed.")
    return text
