"""What a model's service says, as pieces of text: chunks of a chat completion, or those of Workers AI's older models.

https://platform.openai.com/docs/api-reference/chat-streaming
https://developers.cloudflare.com/workers-ai/features/streaming/ (`{"response": "…"}`, where a token that looks like a
number may come as one)
"""

from collections.abc import AsyncGenerator
from typing import Any

import msgspec

from waypost_worker.errors import ModelFailed
from waypost_worker.limits import MAX_MODEL_LOG_LENGTH, MAX_SERVER_EVENT_BYTES
from waypost_worker.models.model import AnswerCutOff
from waypost_worker.models.sse_decoder import EventTooLarge, ServerEvent, SseDecoder
from waypost_worker.models.transport import FetchError

CUT_OFF = frozenset({"length", "content_filter"})
"""Reasons to finish that are not the end of what would have been said."""

NO_ANSWER = "The model's service sent something that is no answer."


class BrokenOff(FetchError):
    """The stream ended before the answer did."""


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Message | None = None
    message: _Message | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    response: str | int | float | None = None
    error: Any = None

    def text(self) -> str:
        """What it adds to the answer; often nothing."""
        if self.response is not None:
            return str(self.response)
        said = (self.choices[0].delta or self.choices[0].message) if self.choices else None
        return (said and said.content) or ""

    def finish_reason(self) -> str | None:
        """Why nothing but figures can follow; `None` while something can."""
        return self.choices[0].finish_reason if self.choices else None


_decode_chunk = msgspec.json.Decoder(_Chunk).decode


async def read_stream(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[str, None]:
    """The pieces, none of them empty, of an answer that comes as events: one for all that has come at once.

    Raises:
        ModelFailed: it reports an error, or is something else.
        AnswerCutOff: the model had to stop.
        BrokenOff: it ended without having been finished.
        FetchError, FetchTimeout: from `chunks`, unless the answer is finished.
    """
    decoder = SseDecoder()
    reason: str | None = None
    has_ended = False
    try:
        async for received in chunks:
            said: list[str] = []
            failure: ModelFailed | None = None
            try:
                for event in _events(decoder, received):
                    if event.data == "[DONE]":
                        has_ended = True
                        break
                    chunk = _read_chunk(event.data, is_error=event.name == "error")
                    reason = reason or chunk.finish_reason()
                    said.append(chunk.text())
            except ModelFailed as error:
                failure = error
            if text := "".join(said):
                yield text
            if failure is not None:
                raise failure
            if has_ended:
                break
    except FetchError:
        if not reason:
            raise
    if reason in CUT_OFF:
        raise AnswerCutOff(reason)
    if not reason and not has_ended:
        raise BrokenOff("the stream ended without [DONE] and without a finish_reason")


async def read_document(chunks: AsyncGenerator[bytes, None]) -> str:
    """The text of an answer that comes as one JSON document.

    Raises:
        ModelFailed, FetchError, FetchTimeout: as above.
    """
    body = bytearray()
    async for received in chunks:
        body += received
        if len(body) > MAX_SERVER_EVENT_BYTES:
            raise ModelFailed(NO_ANSWER, f"more than {MAX_SERVER_EVENT_BYTES} bytes")
    return _read_chunk(body.decode(errors="replace"), is_error=False).text()


def _events(decoder: SseDecoder, received: bytes) -> list[ServerEvent]:
    try:
        return decoder.feed(received)
    except EventTooLarge as error:
        raise ModelFailed(NO_ANSWER, str(error)) from error


def _read_chunk(data: str, *, is_error: bool) -> _Chunk:
    shown = data[:MAX_MODEL_LOG_LENGTH]
    if is_error:
        raise ModelFailed("The model's service reported an error.", shown)
    try:
        chunk = _decode_chunk(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ModelFailed(NO_ANSWER, shown) from error
    if chunk.error:
        raise ModelFailed("The model's service reported an error.", shown)
    return chunk
