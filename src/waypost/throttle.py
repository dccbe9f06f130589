"""Guessing codes is throttled: an address that has spent its budget of unknown codes is refused for a while.

The budget is the platform's rate-limit binding, counted per location. Whether it is spent is known only when it is
asked, and it is asked only for misses; so that an address that is over it can't go on and learn from the hits, it is
remembered here and refused before the look-up.
"""

from typing import Protocol

from waypost.clock import Clock
from waypost.errors import RateLimited

BLOCK_SECONDS = 60
"""The binding's period."""

MAX_BLOCKED = 10_000
"""Addresses remembered per isolate; the oldest go first."""


class Limiter(Protocol):
    """The rate-limit port: https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/"""

    async def allows(self, key: str) -> bool:
        """Count one use of `key`; whether it is still within its budget."""
        ...


class MissThrottle:
    """One per isolate. Without a limiter nothing is throttled (`/health` says so)."""

    def __init__(self, limiter: Limiter | None, clock: Clock) -> None:
        self._limiter = limiter
        self._clock = clock
        self._blocked_until_ms: dict[str, int] = {}

    @property
    def is_active(self) -> bool:
        """Whether a rate limiter is bound."""
        return self._limiter is not None

    def check(self, address: str | None) -> None:
        """To be called before a code is looked up.

        Raises:
            RateLimited: `address` has lately spent its budget.
        """
        until = self._blocked_until_ms.get(address or "", 0)
        if until > self._clock.now_ms():
            raise _limited()

    async def miss(self, address: str | None) -> None:
        """Count an unknown code.

        Raises:
            RateLimited: this one is over the budget of `address`.
        """
        key = address or ""
        if self._limiter is None or await self._limiter.allows(key):
            return
        self._blocked_until_ms.pop(key, None)
        self._blocked_until_ms[key] = self._clock.now_ms() + BLOCK_SECONDS * 1000
        if len(self._blocked_until_ms) > MAX_BLOCKED:
            del self._blocked_until_ms[next(iter(self._blocked_until_ms))]
        raise _limited()


def _limited() -> RateLimited:
    return RateLimited("Too many unknown session codes from this address; wait a minute.", BLOCK_SECONDS)
