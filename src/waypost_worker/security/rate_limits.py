"""Rate limits: budgets that the platform's rate-limit bindings count.

A budget is counted in the Cloudflare location that the request came to, and is full again after a minute:
https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/. The size of each is in wrangler.toml; one
without a binding limits nothing, and `/health` says so.
"""

from collections.abc import Awaitable, Mapping
from enum import StrEnum
from typing import Protocol

from waypost_worker.errors import RateLimited
from waypost_worker.security.client_address import rate_limit_key

PERIOD_SECONDS = 60
"""The period after which a budget is full again, as in wrangler.toml."""


class Limit(StrEnum):
    """The budgets, by the names of their bindings."""

    ADDRESS = "ADDRESS_LIMIT"
    """Every request from one address, and one more use for each further 2.5 KV operations: no single client may run up
    the bill."""

    SESSION = "SESSION_LIMIT"
    """Sessions opened from one address."""

    MISS = "MISS_LIMIT"
    """Codes, tokens and keys that do not exist, sent from one address: the cost of guessing."""

    REQUEST = "REQUEST_LIMIT"
    """Requests to one session; and, counted separately, responses in it."""

    ANSWER = "ANSWER_LIMIT"
    """Questions to the model, which cost the deployer, and long prompts more than once: of one resource if the caller
    is an app or has its token, otherwise of one address."""

    APPEND = "APPEND_LIMIT"
    """Large writes to one conversation; and, counted separately, writes to the documents and pages of one session."""

    MESSAGE = "MESSAGE_LIMIT"
    """Appends, deletions and pops of messages in one conversation; large ones spend APPEND as well."""


OF_ADDRESS = (Limit.ADDRESS, Limit.SESSION)
"""Budgets that are spent before a route's handler is called."""

REFUSALS = {
    Limit.ADDRESS: "Too many requests from this address",
    Limit.SESSION: "Too many new sessions from this address",
    Limit.MISS: "Too many unknown codes or tokens from this address",
    Limit.REQUEST: "Too many requests or responses in this session",
    Limit.ANSWER: "Too many questions to the model",
    Limit.APPEND: "Too many writes to this conversation or session",
    Limit.MESSAGE: "Too many writes to this conversation",
}

QUOTAS = {
    Limit.ADDRESS: 1200,
    Limit.SESSION: 60,
    Limit.MISS: 10,
    Limit.REQUEST: 600,
    Limit.ANSWER: 20,
    Limit.APPEND: 60,
    Limit.MESSAGE: 600,
}
"""Uses in a period, as in wrangler.toml: a binding does not say its size, but `RateLimit-Policy` must. A deployment
that changes one there changes it here."""


def policy_of(limit: Limit) -> str:
    """The name and the size of a budget: a member of the field `RateLimit-Policy`."""
    name = limit.value.removesuffix("_LIMIT").lower()
    return f'"{name}";q={QUOTAS[limit]};w={PERIOD_SECONDS}'


class Limiter(Protocol):
    """The rate-limit port."""

    def allows(self, key: str) -> Awaitable[bool]:
        """Counts one use of `key`, now or when the result is awaited, which it must be: whether it is within the
        budget."""
        ...


class Asked:
    """A use that is being counted, while its request goes on. `end` must be awaited."""

    def __init__(self, limit: Limit, answer: Awaitable[bool] | None) -> None:
        self._limit = limit
        self._answer = answer

    async def end(self) -> None:
        """Returns once it is counted.

        Raises:
            RateLimited: the budget is spent.
        """
        if self._answer is not None and not await self._answer:
            raise _refused(self._limit)


class RateLimits:
    """The budgets of a deployment."""

    def __init__(self, limiters: Mapping[Limit, Limiter]) -> None:
        self._limiters = limiters

    def bound(self) -> dict[str, bool]:
        """Each budget's name, and whether there is a binding that counts it."""
        return {limit.value: limit in self._limiters for limit in Limit}

    def policy(self, limit: Limit) -> dict[str, str]:
        """The header that names the budget a response has spent; nothing if none is counted. How much is left of it is
        not known: the binding only says yes or no. https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/"""
        return {"RateLimit-Policy": policy_of(limit)} if limit in self._limiters else {}

    def ask(self, limit: Limit, key: str) -> Asked:
        """Begins to count a use of `key`."""
        limiter = self._limiters.get(limit)
        return Asked(limit, None if limiter is None else limiter.allows(key))

    async def spend(self, limit: Limit, key: str, uses: int = 1) -> None:
        """Counts `uses` uses of `key`.

        Raises:
            RateLimited: the budget of `key` is spent.
        """
        limiter = self._limiters.get(limit)
        if limiter is None:
            return
        # The binding counts one at a time.
        for _ in range(uses):
            if not await limiter.allows(key):
                raise _refused(limit)

    async def spend_of_address(self, limits: tuple[Limit, ...], address: str | None, uses: int = 1) -> None:
        """Counts those of `limits` that are counted by address: `uses` of `ADDRESS`, one of the others.

        Raises:
            RateLimited: one of these budgets is spent.
        """
        for limit in limits:
            if limit in OF_ADDRESS:
                await self.spend(limit, rate_limit_key(address), uses if limit is Limit.ADDRESS else 1)

    async def pay(self, address: str | None) -> bool:
        """Counts one more use of `ADDRESS`. Returns whether it was within the budget."""
        limiter = self._limiters.get(Limit.ADDRESS)
        return limiter is None or await limiter.allows(rate_limit_key(address))


def _refused(limit: Limit) -> RateLimited:
    return RateLimited(f"{REFUSALS[limit]}; wait a minute.", PERIOD_SECONDS, policy_of(limit))
