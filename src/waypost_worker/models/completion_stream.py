"""Parsers of a model service's responses into the pieces of an answer: an event stream, or one JSON document."""

from collections.abc import AsyncGenerator, Callable, Sequence

from waypost_worker.errors import ModelError, ModelFailed
from waypost_worker.limits import MAX_MODEL_LOG_LENGTH, MAX_SERVER_EVENT_BYTES
from waypost_worker.models.arriving_answer import ArrivingAnswer
from waypost_worker.models.completion_chunk import CUT_OFF, read_chunk
from waypost_worker.models.model import AnswerCutOff, ModelTool, Piece, Reasoning
from waypost_worker.models.sse_decoder import EventTooLarge, ServerEvent, SseDecoder
from waypost_worker.models.too_long import refused
from waypost_worker.models.transport import FetchError

NO_ANSWER = "The model's service sent something that is no answer."

KEEP_ALIVES = frozenset({"", "null", "ping", "{}"})
"""Data of events that services send only to keep the connection open."""


class BrokenOff(FetchError):
    """The stream ended in the middle of the answer."""


async def read_stream(
    chunks: AsyncGenerator[bytes, None], log: Callable[[str], None], tools: Sequence[ModelTool] = ()
) -> AsyncGenerator[Piece, None]:
    """Yields the pieces of an answer that arrives as an event stream, in order and never empty. `tools`: those that
    the model was offered; its calls are yielded after the text, if the answer is whole.

    Skips events that can't be read, since what matters may be in the others; `log` gets the first of them.

    Raises:
        ModelFailed: the service reported an error, sent nothing that can be read, or an event over
            `MAX_SERVER_EVENT_BYTES`.
        AnswerCutOff: the model was cut off; after the last piece.
        BrokenOff: the stream ended too early: without a finish reason, and in the form without such reasons without
            `[DONE]`.
        FetchError, FetchTimeout: from `chunks`.
    """
    decoder, answer = SseDecoder(), ArrivingAnswer(tools)
    unreadable = ""
    try:
        async for received in chunks:
            pieces: list[Piece] = []
            failure: ModelError | None = None
            try:
                for event in _events(decoder, received):
                    data = event.data.strip()
                    if data == "[DONE]":
                        answer.is_done = True
                        break
                    chunk = read_chunk(data)
                    if event.name == "error" or (chunk and chunk.is_error):
                        raise _reported(data)
                    if chunk is not None:
                        pieces += answer.add(chunk)
                    elif data not in KEEP_ALIVES and not unreadable:
                        unreadable = data[:MAX_MODEL_LOG_LENGTH]
                        log(f"an event of the model's service was skipped: {unreadable}")
            except ModelError as error:
                failure = error
            if failure or answer.is_done:
                pieces += answer.end(has_failed=failure is not None)
            for piece in _joined(pieces):
                yield piece
            if failure is not None:
                raise failure
            if answer.is_done:
                break
    except FetchError:
        for piece in answer.end():
            yield piece
        if not answer.finish_reason:
            raise
    for piece in answer.end():
        yield piece
    if unreadable and answer.is_empty:
        raise ModelFailed(NO_ANSWER, unreadable)
    if answer.finish_reason in CUT_OFF:
        raise AnswerCutOff(answer.finish_reason)
    if not answer.is_whole:
        raise BrokenOff("the stream ended without a finish_reason")
    for use in answer.uses(log):
        yield use


async def read_document(
    chunks: AsyncGenerator[bytes, None], log: Callable[[str], None], tools: Sequence[ModelTool] = ()
) -> AsyncGenerator[Piece, None]:
    """Yields the pieces of an answer that arrives as one JSON document. `log` and `tools` as for `read_stream`.

    Raises:
        ModelFailed: the document reports an error, is no answer, or is over `MAX_SERVER_EVENT_BYTES`.
        AnswerCutOff: the model was cut off; after the last piece.
        FetchError, FetchTimeout: from `chunks`.
    """
    body = bytearray()
    async for received in chunks:
        body += received
        if len(body) > MAX_SERVER_EVENT_BYTES:
            raise ModelFailed(NO_ANSWER, f"more than {MAX_SERVER_EVENT_BYTES} bytes")
    data, answer = body.decode(errors="replace"), ArrivingAnswer(tools)
    chunk = read_chunk(data)
    if chunk is None:
        raise ModelFailed(NO_ANSWER, data[:MAX_MODEL_LOG_LENGTH])
    if chunk.is_error:
        raise _reported(data)
    answer.is_document = True
    for piece in _joined([*answer.add(chunk), *answer.end()]):
        yield piece
    if chunk.finish_reason in CUT_OFF:
        raise AnswerCutOff(chunk.finish_reason)
    for use in answer.uses(log):
        yield use


def _joined(pieces: list[Piece]) -> list[Piece]:
    """`pieces` with neighbours of one kind joined: those that arrived together become one delta."""
    joined: list[Piece] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if isinstance(piece, str) and isinstance(last, str):
            joined[-1] = last + piece
        elif isinstance(piece, Reasoning) and isinstance(last, Reasoning):
            joined[-1] = Reasoning(last.text + piece.text)
        else:
            joined.append(piece)
    return joined


def _events(decoder: SseDecoder, received: bytes) -> list[ServerEvent]:
    try:
        return decoder.feed(received)
    except EventTooLarge as error:
        raise ModelFailed(NO_ANSWER, str(error)) from error


def _reported(data: str) -> ModelError:
    return refused("The model's service reported an error.", data[:MAX_MODEL_LOG_LENGTH])
