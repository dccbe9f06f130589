"""A store that retries: exponential backoff with jitter, within a limit of time."""

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from waypost_worker.clock import Clock
from waypost_worker.errors import StorageUnavailable
from waypost_worker.kv.delegating import DelegatingKv
from waypost_worker.kv.store import Kv, KvError
from waypost_worker.limits import MAX_WRITE_SECONDS
from waypost_worker.random import Random, jitter

P = ParamSpec("P")
T = TypeVar("T")

ATTEMPTS = 5
FIRST_DELAY_SECONDS = 0.25
"""Doubled at each attempt: 0.25, 0.5, 1, 2. Half of each is fixed and half is jitter, so that a key that was written
less than a second ago, to which KV refuses the next write, is writable again before the last attempt."""


class RetryingKv(DelegatingKv):
    """Repeats operations of `kv` that failed. Each is idempotent: a put writes the same value to the same key.

    Raises:
        StorageUnavailable: the last attempt failed too.
    """

    def __init__(self, kv: Kv, clock: Clock, random: Random) -> None:
        super().__init__(kv)
        self._clock = clock
        self._random = random

    async def _around(self, operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        attempt, delay = 1, FIRST_DELAY_SECONDS
        give_up_ms = self._clock.now_ms() + MAX_WRITE_SECONDS * 1000
        while True:
            try:
                return await operation(*args, **kwargs)
            except KvError as error:
                if attempt == ATTEMPTS or self._clock.now_ms() >= give_up_ms:
                    raise StorageUnavailable("The store refused several times; try again shortly.") from error
            await self._clock.sleep(delay / 2 + delay / 2 * jitter(self._random))
            attempt, delay = attempt + 1, delay * 2
