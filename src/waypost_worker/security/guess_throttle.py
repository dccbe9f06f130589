"""Throttles the guessing of codes: an address that has spent its budget of unknown codes is refused for a minute.

The budget is the platform's rate-limit binding, counted per location, and spent by misses only. An address over its
budget is blocked here, before the look-up, so that it can't go on and learn from the hits. Only a few codes of an
address are looked up concurrently: otherwise a thousand guesses could be under way before the first of them counts.
"""

from contextlib import AbstractContextManager

from waypost_worker.clock import Clock
from waypost_worker.errors import RateLimited
from waypost_worker.limits import MAX_BLOCKED_ADDRESSES, MAX_LOOKUPS_AT_ONCE
from waypost_worker.security.client_address import rate_limit_key
from waypost_worker.security.rate_limits import PERIOD_SECONDS, REFUSALS, Limit, Limiter


class GuessThrottle:
    """One per isolate. Without a limiter nothing is throttled."""

    def __init__(self, limiter: Limiter | None, clock: Clock) -> None:
        self._limiter = limiter
        self._clock = clock
        self._blocked_until_ms: dict[str, int] = {}
        self._looked_up: dict[str, int] = {}

    def looking_up(self, address: str | None) -> AbstractContextManager[None]:
        """A context manager around a look-up that may miss, and around the call of `miss`.

        Raises:
            RateLimited: `address` has spent its budget within the last minute, or has too many look-ups under way.
        """
        self.check(address)
        key = rate_limit_key(address)
        if self._limiter is not None and self._looked_up.get(key, 0) >= MAX_LOOKUPS_AT_ONCE:
            raise RateLimited("Too many codes from this address concurrently.", 1)
        return _Counted(self._looked_up, key)

    def check(self, address: str | None) -> None:
        """Refuses a blocked address; called before a look-up.

        Raises:
            RateLimited: `address` has spent its budget within the last minute.
        """
        until = self._blocked_until_ms.get(rate_limit_key(address), 0)
        if until > self._clock.now_ms():
            raise _limited()

    async def miss(self, address: str | None) -> None:
        """Counts a code that does not exist, or an invalid token.

        Raises:
            RateLimited: this miss exceeds the budget of `address`.
        """
        key = rate_limit_key(address)
        if self._limiter is None or await self._limiter.allows(key):
            return
        self._blocked_until_ms.pop(key, None)
        self._blocked_until_ms[key] = self._clock.now_ms() + PERIOD_SECONDS * 1000
        if len(self._blocked_until_ms) > MAX_BLOCKED_ADDRESSES:
            del self._blocked_until_ms[next(iter(self._blocked_until_ms))]
        raise _limited()


class _Counted:
    """Counts `key` while the context is open."""

    def __init__(self, counts: dict[str, int], key: str) -> None:
        self._counts = counts
        self._key = key

    def __enter__(self) -> None:
        self._counts[self._key] = self._counts.get(self._key, 0) + 1

    def __exit__(self, *_: object) -> None:
        self._counts[self._key] -= 1
        if not self._counts[self._key]:
            del self._counts[self._key]


def _limited() -> RateLimited:
    return RateLimited(f"{REFUSALS[Limit.MISS]}; wait a minute.", PERIOD_SECONDS)
