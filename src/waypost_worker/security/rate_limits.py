"""How often somebody may do something: the budgets of the platform's rate-limit bindings, each named where it is spent.

A budget is counted in the Cloudflare location that the request came to, and is full again after a minute:
https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/. How much each holds is in wrangler.toml;
one that is not bound bounds nothing, and `/health` says so.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from waypost_worker.errors import RateLimited
from waypost_worker.security.client_address import rate_limit_key

PERIOD_SECONDS = 60
"""After which a budget is full again, as wrangler.toml has it."""


class Limit(StrEnum):
    """The budgets, by the names of their bindings."""

    ADDRESS = "ADDRESS_LIMIT"
    """Everything that comes from one address: each request, and once more for each 2.5 KV operations beyond the first.
    Nobody alone may run up the bill."""

    SESSION = "SESSION_LIMIT"
    """Sessions that one address opens."""

    MISS = "MISS_LIMIT"
    """Codes, tokens and keys that do not exist, of one address: what guessing costs."""

    REQUEST = "REQUEST_LIMIT"
    """Requests to one session; and answers in it, apart from them."""

    ANSWER = "ANSWER_LIMIT"
    """Questions to the model, which somebody pays for: of one resource where an app has shown who it is, else of one
    address."""

    APPEND = "APPEND_LIMIT"
    """What is written into one conversation; and into the documents and pages of one session, apart from it."""


OF_ADDRESS = (Limit.ADDRESS, Limit.SESSION)
"""Those that are spent before a route's handler is asked."""

REFUSALS = {
    Limit.ADDRESS: "Too many requests from this address",
    Limit.SESSION: "Too many new sessions from this address",
    Limit.MISS: "Too many unknown codes or tokens from this address",
    Limit.REQUEST: "Too many requests or answers in this session",
    Limit.ANSWER: "Too many questions to the model",
    Limit.APPEND: "Too much is written into this conversation or session",
}


class Limiter(Protocol):
    """The rate-limit port."""

    async def allows(self, key: str) -> bool:
        """Count one use of `key`; whether it is still within its budget."""
        ...


class RateLimits:
    """The budgets of a deployment."""

    def __init__(self, limiters: Mapping[Limit, Limiter]) -> None:
        self._limiters = limiters

    def bound(self) -> dict[str, bool]:
        """Each budget's name, and whether there is a binding that counts it."""
        return {limit.value: limit in self._limiters for limit in Limit}

    async def spend(self, limit: Limit, key: str, uses: int = 1) -> None:
        """Count `uses` of what `key` names.

        Raises:
            RateLimited: the budget of `key` is spent.
        """
        limiter = self._limiters.get(limit)
        if limiter is None:
            return
        # The binding counts one at a time.
        for _ in range(uses):
            if not await limiter.allows(key):
                raise RateLimited(f"{REFUSALS[limit]}; wait a minute.", PERIOD_SECONDS)

    async def spend_of_address(self, limits: tuple[Limit, ...], address: str | None, uses: int = 1) -> None:
        """Count those of `limits` that count by `address`: `uses` of `ADDRESS`, one of the others.

        Raises:
            RateLimited: one of them is spent.
        """
        for limit in limits:
            if limit in OF_ADDRESS:
                await self.spend(limit, rate_limit_key(address), uses if limit is Limit.ADDRESS else 1)

    async def pay(self, address: str | None) -> bool:
        """Count one more use of `ADDRESS`; whether it was within its budget."""
        limiter = self._limiters.get(Limit.ADDRESS)
        return limiter is None or await limiter.allows(rate_limit_key(address))
