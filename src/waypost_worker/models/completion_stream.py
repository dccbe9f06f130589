"""Parsers of a model service's responses into the pieces of an answer: an event stream, or one JSON document."""

from collections.abc import AsyncGenerator, Callable

from waypost_worker.errors import ModelError, ModelFailed
from waypost_worker.limits import MAX_MODEL_LOG_LENGTH, MAX_SERVER_EVENT_BYTES
from waypost_worker.models.completion_chunk import CUT_OFF, CompletionChunk, read_chunk
from waypost_worker.models.model import AnswerCutOff, Piece, Reasoning
from waypost_worker.models.sse_decoder import EventTooLarge, ServerEvent, SseDecoder
from waypost_worker.models.think_tags import ThinkTags
from waypost_worker.models.too_long import refused
from waypost_worker.models.transport import FetchError
from waypost_worker.surrogates import SurrogateJoiner

NO_ANSWER = "The model's service sent something that is no answer."

KEEP_ALIVES = frozenset({"", "null", "ping", "{}"})
"""Data of events that services send only to keep the connection open."""


class BrokenOff(FetchError):
    """The stream ended in the middle of the answer."""


async def read_stream(chunks: AsyncGenerator[bytes, None], log: Callable[[str], None]) -> AsyncGenerator[Piece, None]:
    """Yields the pieces of an answer that arrives as an event stream, in order and never empty.

    Skips events that can't be read, since what matters may be in the others; `log` gets the first of them.

    Raises:
        ModelFailed: the service reported an error, sent nothing that can be read, or an event over
            `MAX_SERVER_EVENT_BYTES`.
        AnswerCutOff: the model was cut off; after the last piece.
        BrokenOff: the stream ended too early: without a finish reason, and in the form without such reasons without
            `[DONE]`.
        FetchError, FetchTimeout: from `chunks`.
    """
    decoder, answer = SseDecoder(), _Answer()
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
                pieces += answer.end()
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


async def read_document(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[Piece, None]:
    """Yields the pieces of an answer that arrives as one JSON document.

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
    data, answer = body.decode(errors="replace"), _Answer()
    chunk = read_chunk(data)
    if chunk is None:
        raise ModelFailed(NO_ANSWER, data[:MAX_MODEL_LOG_LENGTH])
    if chunk.is_error:
        raise _reported(data)
    for piece in _joined([*answer.add(chunk), *answer.end()]):
        yield piece
    if chunk.finish_reason in CUT_OFF:
        raise AnswerCutOff(chunk.finish_reason)


class _Answer:
    """An answer whose chunks are arriving."""

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self.is_done = False
        self.is_empty = True
        self._has_no_reasons = False
        self._tags = ThinkTags()
        self._text, self._reasoning = SurrogateJoiner(), SurrogateJoiner()

    @property
    def is_whole(self) -> bool:
        """Whether the service has said that the answer is complete."""
        return bool(self.finish_reason) or (self.is_done and self._has_no_reasons)

    def add(self, chunk: CompletionChunk) -> list[Piece]:
        """The pieces that `chunk` adds."""
        self.finish_reason = self.finish_reason or chunk.finish_reason
        self._has_no_reasons = self._has_no_reasons or chunk.has_no_reasons
        pieces: list[Piece] = []
        if reasoning := self._reasoning.add(chunk.reasoning):
            pieces.append(Reasoning(reasoning))
        pieces += self._tags.feed(self._text.add(chunk.text))
        self.is_empty = self.is_empty and not pieces
        return pieces

    def end(self) -> list[Piece]:
        """What was held back; may be called again."""
        reasoning = self._reasoning.end()
        pieces: list[Piece] = [Reasoning(reasoning)] if reasoning else []
        pieces += self._tags.feed(self._text.end()) + self._tags.end()
        self.is_empty = self.is_empty and not pieces
        return pieces


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
