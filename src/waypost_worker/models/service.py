"""One question to a model's service: when it is sent a second time, and what each failure is called.

Nothing that the service said, no address and no key is told to the caller; it stands in `log_detail`.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress

from waypost_worker.clock import Clock
from waypost_worker.errors import ModelError, ModelFailed, ModelTimedOut
from waypost_worker.limits import MAX_MODEL_LOG_LENGTH, MAX_RETRY_AFTER_SECONDS
from waypost_worker.models.completion_stream import NO_ANSWER, read_document, read_stream
from waypost_worker.models.model import AnswerCutOff
from waypost_worker.models.transport import FetchedResponse, FetchError, FetchTimeout
from waypost_worker.random import Random, jitter

Send = Callable[[], Awaitable[FetchedResponse]]
"""Sends the question, and returns once the head of the reply is there. Raises `FetchError`."""

BACKOFF_SECONDS = 0.5
"""Before the second attempt; half of it is jitter."""

PASSING_STATUSES = frozenset({408, 409, 429})
"""Refusals that may be over the next time, as are all from 500 on."""

MAX_BYTES_OF_CHARACTER = 4


class _Retryable(Exception):
    """What may go well the next time; `error` is what to say when it does not."""

    def __init__(self, error: ModelFailed, retry_after_seconds: float = 0) -> None:
        self.error = error
        self.retry_after_seconds = retry_after_seconds


async def request_completion(send: Send, clock: Clock, random: Random) -> AsyncGenerator[str, None]:
    """The pieces of the answer to what `send` sends. Before the first of them, what may pass is tried once more.

    A time-out is not: whoever waits has waited long enough.

    Raises:
        ModelFailed, ModelTimedOut
    """
    is_second = has_spoken = False
    while True:
        try:
            async with aclosing(_attempt(send)) as pieces:
                async for piece in pieces:
                    has_spoken = True
                    yield piece
            if not has_spoken:
                raise ModelFailed("The model said nothing.")
            return
        except AnswerCutOff as reason:
            if not has_spoken:
                raise ModelFailed("The model said nothing.", str(reason)) from reason
            raise
        except _Retryable as failure:
            if is_second or has_spoken or not 0 <= failure.retry_after_seconds <= MAX_RETRY_AFTER_SECONDS:
                raise failure.error from failure.__cause__
            backoff = BACKOFF_SECONDS / 2 * (1 + jitter(random))
            wait_seconds = failure.retry_after_seconds + backoff
        await clock.sleep(wait_seconds)
        is_second = True


async def _attempt(send: Send) -> AsyncGenerator[str, None]:
    reached = False
    try:
        fetched = await send()
        reached = True
        async with aclosing(fetched.chunks), aclosing(_read(fetched)) as pieces:
            async for piece in pieces:
                yield piece
    except FetchTimeout as error:
        raise ModelTimedOut("The model's service said nothing for too long.", str(error)) from error
    except FetchError as error:
        sentence = "The model's answer broke off." if reached else "The model's service could not be reached."
        raise _Retryable(ModelFailed(sentence, str(error))) from error


async def _read(fetched: FetchedResponse) -> AsyncGenerator[str, None]:
    if fetched.status != 200:
        raise await _refusal(fetched)
    kind = fetched.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text/event-stream":
        async with aclosing(read_stream(fetched.chunks)) as pieces:
            async for piece in pieces:
                yield piece
    elif kind == "application/json":
        if text := await read_document(fetched.chunks):
            yield text
    else:
        raise ModelFailed(NO_ANSWER, await _excerpt(fetched))


async def _refusal(fetched: FetchedResponse) -> ModelError | _Retryable:
    error = ModelFailed(f"The model's service answered with status {fetched.status}.", await _excerpt(fetched))
    if fetched.status in PASSING_STATUSES or fetched.status >= 500:
        return _Retryable(error, _seconds(fetched.headers.get("retry-after", "0")))
    return error


async def _excerpt(fetched: FetchedResponse) -> str:
    body = bytearray()
    with suppress(FetchError):
        async for received in fetched.chunks:
            body += received
            if len(body) >= MAX_MODEL_LOG_LENGTH * MAX_BYTES_OF_CHARACTER:
                break
    return body.decode(errors="replace")[:MAX_MODEL_LOG_LENGTH]


def _seconds(text: str) -> float:
    # A date may stand there too. Who sends one is not in a hurry.
    try:
        return float(text)
    except ValueError:
        return float("inf")
