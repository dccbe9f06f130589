"""Throttles the guessing of codes: an address that has spent its budget of wrong codes is refused for a minute.

The budget is the platform's rate-limit binding, counted per location, and spent by misses only. An address over its
budget is blocked here, before the look-up, so that it can't go on and learn from the hits. Only a few codes of an
address are looked up concurrently: otherwise a thousand guesses could be under way before the first of them counts.

An address is often shared: by an office, or by the clients of one hosted agent. Two rules keep a dead code in one
configuration from locking out the others, and neither makes guessing cheaper. The same wrong code (or token) counts
once a minute, since a guesser gains nothing by repeating one. And a code that this address was served with is looked up
also while the address is blocked: the address has had that hit already.
"""

import hashlib
from contextlib import AbstractContextManager, nullcontext

from waypost_worker.bounded_cache import BoundedCache
from waypost_worker.clock import Clock
from waypost_worker.errors import RateLimited
from waypost_worker.limits import MAX_CACHE_BYTES, MAX_LOOKUPS_AT_ONCE, MAX_REMEMBERED_GUESSES, SERVED_CODE_SECONDS
from waypost_worker.security.client_address import rate_limit_key
from waypost_worker.security.rate_limits import PERIOD_SECONDS, REFUSALS, Limit, Limiter


class GuessThrottle:
    """One per isolate. Without a limiter nothing is throttled."""

    def __init__(self, limiter: Limiter | None, clock: Clock) -> None:
        self._limiter = limiter
        self._clock = clock
        self._blocked = _recent(PERIOD_SECONDS)
        self._missed = _recent(PERIOD_SECONDS)
        self._served = _recent(SERVED_CODE_SECONDS)
        self._lookups: dict[str, int] = {}

    def looking_up(self, address: str | None, code: str) -> AbstractContextManager[None]:
        """A context manager around the look-up of `code`, and around the call of `miss`.

        Raises:
            RateLimited: `address` has spent its budget within the last minute, or has too many look-ups under way; and
                it was not served with this code before.
        """
        if self._served.get(_pair(address, code), self._clock.now_ms()):
            return nullcontext()
        self.check(address)
        key = rate_limit_key(address)
        if self._limiter is not None and self._lookups.get(key, 0) >= MAX_LOOKUPS_AT_ONCE:
            raise RateLimited("Too many codes from this address concurrently.", 1)
        return _Counted(self._lookups, key)

    def check(self, address: str | None) -> None:
        """Refuses a blocked address; called before a look-up, and before a wrong token is counted.

        Raises:
            RateLimited: `address` has spent its budget within the last minute.
        """
        if self._blocked.get(rate_limit_key(address), self._clock.now_ms()):
            raise _limited()

    def hit(self, address: str | None, code: str) -> None:
        """Remembers that `address` was served with the live `code`."""
        self._served.put(_pair(address, code), True, self._clock.now_ms())

    async def miss(self, address: str | None, secret: str) -> None:
        """Counts a code that does not exist, or an invalid token or key; the same one once a minute.

        Raises:
            RateLimited: this miss exceeds the budget of `address`.
        """
        pair = _pair(address, secret)
        self._served.pop(pair)
        if self._limiter is None or self._missed.get(pair, self._clock.now_ms()):
            return
        # Before the limiter is asked: the same code twice concurrently counts once, too.
        self._missed.put(pair, True, self._clock.now_ms())
        key = rate_limit_key(address)
        if await self._limiter.allows(key):
            return
        self._blocked.put(key, True, self._clock.now_ms())
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


def _recent(seconds: int) -> BoundedCache[bool]:
    """What was put in the last `seconds`."""
    return BoundedCache(MAX_REMEMBERED_GUESSES, MAX_CACHE_BYTES, seconds)


def _pair(address: str | None, secret: str) -> str:
    """`secret` of `address`, in 32 characters whatever its length; no token is kept."""
    return hashlib.sha256(f"{rate_limit_key(address)} {secret}".encode()).hexdigest()[:32]


def _limited() -> RateLimited:
    return RateLimited(f"{REFUSALS[Limit.MISS]}; wait a minute.", PERIOD_SECONDS)
