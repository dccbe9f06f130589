"""Parsers of a model service's responses into text: chat completions, and the format of Workers AI's older models.

https://platform.openai.com/docs/api-reference/chat-streaming
https://developers.cloudflare.com/workers-ai/features/streaming/ (`{"response": "…"}`, where a token that looks like a
number may come as one)
"""

from collections.abc import AsyncGenerator
from typing import Any

import msgspec

from waypost_worker.errors import ModelError, ModelFailed
from waypost_worker.limits import MAX_MODEL_LOG_LENGTH, MAX_SERVER_EVENT_BYTES
from waypost_worker.models.model import AnswerCutOff
from waypost_worker.models.sse_decoder import EventTooLarge, ServerEvent, SseDecoder
from waypost_worker.models.too_long import refused
from waypost_worker.models.transport import FetchError

CUT_OFF = frozenset({"length", "content_filter"})
"""Finish reasons of an answer that the model had not finished."""

NO_ANSWER = "The model's service sent something that is no answer."


class BrokenOff(FetchError):
    """The stream ended in the middle of the answer."""


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
        """The text that the chunk adds to the answer; often empty."""
        if self.response is not None:
            return str(self.response)
        message = (self.choices[0].delta or self.choices[0].message) if self.choices else None
        return (message and message.content) or ""

    def finish_reason(self) -> str | None:
        """Why the answer ended; `None` while more text may follow. After it only usage figures can."""
        return self.choices[0].finish_reason if self.choices else None


_decode_chunk = msgspec.json.Decoder(_Chunk).decode


async def read_stream(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[str, None]:
    """Yields the deltas of an answer that arrives as Server-Sent Events: none empty, at most one for each of `chunks`.

    Raises:
        ModelFailed: the service reports an error, or sends events that are no answer.
        AnswerCutOff: the finish reason is one of `CUT_OFF`; after the last delta.
        BrokenOff: the stream ended without `[DONE]` and without a finish reason.
        FetchError, FetchTimeout: from `chunks`, unless there was a finish reason.
    """
    decoder = SseDecoder()
    reason: str | None = None
    has_ended = False
    try:
        async for received in chunks:
            texts: list[str] = []
            failure: ModelError | None = None
            try:
                for event in _events(decoder, received):
                    if event.data == "[DONE]":
                        has_ended = True
                        break
                    chunk = _read_chunk(event.data, is_error=event.name == "error")
                    reason = reason or chunk.finish_reason()
                    texts.append(chunk.text())
            except ModelError as error:
                failure = error
            if text := "".join(texts):
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
    """Returns the text of an answer that arrives as one JSON document.

    Raises:
        ModelFailed: the document reports an error, is no answer, or is over `MAX_SERVER_EVENT_BYTES`.
        FetchError, FetchTimeout: from `chunks`.
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
    excerpt = data[:MAX_MODEL_LOG_LENGTH]
    if is_error:
        raise refused("The model's service reported an error.", excerpt)
    try:
        chunk = _decode_chunk(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ModelFailed(NO_ANSWER, excerpt) from error
    if chunk.error:
        raise refused("The model's service reported an error.", excerpt)
    return chunk
