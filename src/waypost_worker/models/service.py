"""One request to a model's service: when it is retried, and which error each failure becomes.

The errors' sentences contain nothing of what the service sent, no address and no key. What the service sent is in
`log_detail`.
"""

import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from datetime import UTC, datetime

from waypost_worker.clock import Clock
from waypost_worker.errors import ModelBusy, ModelError, ModelFailed, ModelTimedOut, PromptTooLong
from waypost_worker.limits import MAX_MODEL_LOG_LENGTH, MAX_RETRY_AFTER_SECONDS
from waypost_worker.models.completion_stream import NO_ANSWER, read_document, read_stream
from waypost_worker.models.model import AnswerCutOff, ModelTool, Piece, Reasoning
from waypost_worker.models.refused_tools import NO_TOOLS, can_call_no_tools, is_failed_call
from waypost_worker.models.sse_decoder import BYTE_ORDER_MARK
from waypost_worker.models.too_long import refused
from waypost_worker.models.transport import FetchedResponse, FetchError, FetchTimeout
from waypost_worker.random import Random, jitter

Send = Callable[[], Awaitable[FetchedResponse]]
"""Sends the request, and returns once the response's status and headers have arrived. Raises `FetchError`."""

BACKOFF_SECONDS = 0.5
"""Longest pause before the second attempt, besides its Retry-After; half of it is jitter."""

RETRYABLE_STATUSES = frozenset({408, 409, 425})
"""Statuses below 500 that are retried; all from 500 on are too."""

SERVICE_UNAVAILABLE = 503

BUSY_STATUSES = frozenset({429, SERVICE_UNAVAILABLE, 529})
"""Statuses of a service that has too much to do: 503 only with Retry-After; 529 is Anthropic's."""

MAX_PASSED_ON_SECONDS = 24 * 3600
"""Longest Retry-After that is passed on."""

FIELDS = (b"data", b"event", b"id", b"retry", b":")
"""How an event stream can begin."""

LONGEST_FIELD = 5

MAX_BYTES_OF_CHARACTER = 4


NOTHING = "The model said nothing."
ONLY_REASONING = "The model thought, and said nothing."
CUT_OFF_EARLY = "The model reached its limit of length while it was thinking, before it said anything."


class _Retryable(Exception):
    """A failure that a second attempt may avoid; `error` is raised if it does not."""

    def __init__(self, error: ModelError, retry_after_seconds: float = 0) -> None:
        self.error = error
        self.retry_after_seconds = retry_after_seconds


async def request_completion(
    send: Send,
    clock: Clock,
    random: Random,
    log: Callable[[str], None],
    tools: Sequence[ModelTool] = (),
    adapt: Callable[[str], bool] = lambda refusal: False,
) -> AsyncGenerator[Piece, None]:
    """Yields the pieces of the answer to the request that `send` sends, in which the model was offered `tools`. `log`
    gets what was skipped.

    `adapt`: changes the request to what a refusal demands, and returns whether it did. It is then sent again.

    A failure before the first piece that may be temporary is retried once. A timeout is not: the user has waited long
    enough.

    Raises:
        ModelFailed: the service could not be reached, refused, sent no answer or an empty one, or broke off; or its
            model can't call tools.
        ModelBusy: the service refused because it has too much to do.
        ModelTimedOut: the service was silent for too long.
        AnswerCutOff: the model was cut off; after the last piece.
    """
    is_second = has_begun = has_said = False
    while True:
        try:
            async with aclosing(_attempt(send, clock, log, tools)) as pieces:
                async for piece in pieces:
                    has_begun = True
                    has_said = has_said or not isinstance(piece, Reasoning)
                    yield piece
            if not has_said:
                raise ModelFailed(ONLY_REASONING if has_begun else NOTHING)
            return
        except AnswerCutOff as reason:
            if not has_said:
                raise ModelFailed(CUT_OFF_EARLY if has_begun else NOTHING, str(reason)) from reason
            raise
        except (_Retryable, ModelFailed) as failure:
            error = failure.error if isinstance(failure, _Retryable) else failure
            if not has_begun and adapt(error.log_detail):
                continue
            if not isinstance(failure, _Retryable):
                raise
            if is_second or has_begun or not 0 <= failure.retry_after_seconds <= MAX_RETRY_AFTER_SECONDS:
                raise error from failure.__cause__
            backoff = BACKOFF_SECONDS / 2 * (1 + jitter(random))
            wait_seconds = failure.retry_after_seconds + backoff
        await clock.sleep(wait_seconds)
        is_second = True


async def _attempt(
    send: Send, clock: Clock, log: Callable[[str], None], tools: Sequence[ModelTool]
) -> AsyncGenerator[Piece, None]:
    reached = False
    try:
        fetched = await send()
        reached = True
        if not 200 <= fetched.status < 300:
            raise await _refusal(fetched, clock.now_ms())
        async with aclosing(fetched.chunks), aclosing(_read(fetched, log, tools)) as pieces:
            async for piece in pieces:
                yield piece
    except ModelFailed as error:
        if tools and can_call_no_tools(error.log_detail):
            raise ModelFailed(NO_TOOLS, error.log_detail) from error
        if is_failed_call(error.log_detail):
            raise _Retryable(error) from error
        raise
    except FetchTimeout as error:
        raise ModelTimedOut("The model's service said nothing for too long.", str(error)) from error
    except FetchError as error:
        sentence = "The model's answer broke off." if reached else "The model's service could not be reached."
        raise _Retryable(ModelFailed(sentence, str(error))) from error


async def _read(
    fetched: FetchedResponse, log: Callable[[str], None], tools: Sequence[ModelTool]
) -> AsyncGenerator[Piece, None]:
    # The type that a response declares says little: event streams come as text/plain or without a type too.
    head = b""
    async for received in fetched.chunks:
        head = (head + received).removeprefix(BYTE_ORDER_MARK).lstrip()
        if len(head) >= LONGEST_FIELD:
            break
    chunks = _with_head(head, fetched.chunks)
    if head.startswith(b"{"):
        pieces = read_document(chunks, log, tools)
    elif head.startswith(FIELDS) or _kind(fetched) == "text/event-stream":
        pieces = read_stream(chunks, log, tools)
    else:
        raise ModelFailed(NO_ANSWER, await _excerpt(chunks))
    async with aclosing(chunks), aclosing(pieces):
        async for piece in pieces:
            yield piece


def _kind(fetched: FetchedResponse) -> str:
    return fetched.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _with_head(head: bytes, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    yield head
    async for received in chunks:
        yield received


async def _refusal(fetched: FetchedResponse, now_ms: int) -> ModelError | _Retryable:
    async with aclosing(fetched.chunks):
        excerpt = await _excerpt(fetched.chunks)
    sentence = f"The model's service answered with status {fetched.status}."
    error = refused(sentence, excerpt)
    if isinstance(error, PromptTooLong) or can_call_no_tools(excerpt):
        return error
    retry_after = _retry_after_seconds(fetched.headers.get("retry-after"), now_ms)
    if fetched.status in BUSY_STATUSES and (fetched.status != SERVICE_UNAVAILABLE or retry_after is not None):
        seconds = retry_after or 0
        passed_on = math.ceil(seconds) if 0 < seconds <= MAX_PASSED_ON_SECONDS else None
        busy = ModelBusy(f"{sentence} It has too much to do; try again later.", excerpt, passed_on)
        return _Retryable(busy, seconds)
    if fetched.status in RETRYABLE_STATUSES or fetched.status >= 500:
        return _Retryable(error, retry_after or 0)
    return error


async def _excerpt(chunks: AsyncGenerator[bytes, None]) -> str:
    body = bytearray()
    with suppress(FetchError):
        async for received in chunks:
            body += received
            if len(body) >= MAX_MODEL_LOG_LENGTH * MAX_BYTES_OF_CHARACTER:
                break
    return body.decode(errors="replace")[:MAX_MODEL_LOG_LENGTH]


def _retry_after_seconds(text: str | None, now_ms: int) -> float | None:
    """Retry-After in seconds from now; `None` if it is missing or no such value (RFC 9110, section 10.2.3)."""
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            at = datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
        except ValueError:
            return None
        seconds = max(at.timestamp() - now_ms / 1000, 0)
    return seconds if seconds >= 0 else None
