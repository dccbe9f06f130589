"""One request to a model's service: when it is retried, and which error each failure becomes.

The errors' sentences contain nothing of what the service sent, no address and no key. What the service sent is in
`log_detail`.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress

from waypost_worker.clock import Clock
from waypost_worker.errors import ModelError, ModelFailed, ModelTimedOut, PromptTooLong
from waypost_worker.limits import MAX_MODEL_LOG_LENGTH, MAX_RETRY_AFTER_SECONDS
from waypost_worker.models.completion_stream import NO_ANSWER, read_document, read_stream
from waypost_worker.models.model import AnswerCutOff
from waypost_worker.models.too_long import refused
from waypost_worker.models.transport import FetchedResponse, FetchError, FetchTimeout
from waypost_worker.random import Random, jitter

Send = Callable[[], Awaitable[FetchedResponse]]
"""Sends the request, and returns once the response's status and headers have arrived. Raises `FetchError`."""

BACKOFF_SECONDS = 0.5
"""Longest pause before the second attempt, besides its Retry-After; half of it is jitter."""

RETRYABLE_STATUSES = frozenset({408, 409, 429})
"""Statuses below 500 that are retried; all from 500 on are too."""

MAX_BYTES_OF_CHARACTER = 4


class _Retryable(Exception):
    """A failure that a second attempt may avoid; `error` is raised if it does not."""

    def __init__(self, error: ModelFailed, retry_after_seconds: float = 0) -> None:
        self.error = error
        self.retry_after_seconds = retry_after_seconds


async def request_completion(send: Send, clock: Clock, random: Random) -> AsyncGenerator[str, None]:
    """Yields the deltas of the answer to the request that `send` sends.

    A failure before the first delta that may be temporary is retried once. A timeout is not: the user has waited long
    enough.

    Raises:
        ModelFailed: the service could not be reached, refused, sent no answer or an empty one, or broke off.
        ModelTimedOut: the service was silent for too long.
        AnswerCutOff: the model was cut off; after the last delta.
    """
    is_second = has_begun = False
    while True:
        try:
            async with aclosing(_attempt(send)) as deltas:
                async for delta in deltas:
                    has_begun = True
                    yield delta
            if not has_begun:
                raise ModelFailed("The model said nothing.")
            return
        except AnswerCutOff as reason:
            if not has_begun:
                raise ModelFailed("The model said nothing.", str(reason)) from reason
            raise
        except _Retryable as failure:
            if is_second or has_begun or not 0 <= failure.retry_after_seconds <= MAX_RETRY_AFTER_SECONDS:
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
        async with aclosing(fetched.chunks), aclosing(_read(fetched)) as deltas:
            async for delta in deltas:
                yield delta
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
        async with aclosing(read_stream(fetched.chunks)) as deltas:
            async for delta in deltas:
                yield delta
    elif kind == "application/json":
        if text := await read_document(fetched.chunks):
            yield text
    else:
        raise ModelFailed(NO_ANSWER, await _excerpt(fetched))


async def _refusal(fetched: FetchedResponse) -> ModelError | _Retryable:
    error = refused(f"The model's service answered with status {fetched.status}.", await _excerpt(fetched))
    if isinstance(error, PromptTooLong):
        return error
    if fetched.status in RETRYABLE_STATUSES or fetched.status >= 500:
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
    # Retry-After may also be a date (RFC 9110, section 10.2.3): that counts as too long to wait.
    try:
        return float(text)
    except ValueError:
        return float("inf")
