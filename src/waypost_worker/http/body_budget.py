"""The bytes of all bodies that an isolate is receiving or processing, or has read from KV to send: each has a limit of
its own, and these bound their sum, in total and for each address."""

from waypost_worker.clock import Clock
from waypost_worker.errors import Busy
from waypost_worker.limits import (
    BODY_MEMORY_FACTOR,
    DECODED_VALUE_BYTES,
    MAX_ADDRESS_BODIES_BYTES,
    MAX_BODIES_BYTES,
)
from waypost_worker.security.client_address import rate_limit_key

LOST_MS = 6 * 60_000
"""A share this old belongs to a request that the platform has ended without telling its code: bodies take three minutes
at most, and nothing waits longer than two before it responds."""


class BodyBudget:
    """One per isolate."""

    def __init__(
        self, clock: Clock, max_bytes: int = MAX_BODIES_BYTES, max_address_bytes: int = MAX_ADDRESS_BODIES_BYTES
    ) -> None:
        self.max_bytes = max_bytes
        self.max_address_bytes = max_address_bytes
        self.bytes = 0
        self.by_address: dict[str, int] = {}
        self.shares: dict[BodyShare, int] = {}
        """Those that hold bytes, with the time of their first ones, oldest first."""
        self.clock = clock

    def share(self, address: str | None) -> "BodyShare":
        """The share of one request from `address`; it holds nothing yet. Call its `release` when the request ends."""
        return BodyShare(self, address)


class BodyShare:
    """What the body of one request holds of the budget."""

    __slots__ = ("_address", "_budget", "_bytes")

    def __init__(self, budget: BodyBudget, address: str | None) -> None:
        self._budget = budget
        self._address = address
        self._bytes = 0

    def take(self, size: int) -> None:
        """Counts `size` more bytes.

        Raises:
            Busy: the isolate, or the address, has too many bytes in flight.
        """
        key = rate_limit_key(self._address)
        if not self._fits(key, size):
            self._free_lost()
            if not self._fits(key, size):
                raise Busy("Too many large bodies are being received or sent; send the request again.")
        budget = self._budget
        if not self._bytes:
            budget.shares[self] = budget.clock.now_ms()
        self._bytes += size
        budget.bytes += size
        budget.by_address[key] = budget.by_address.get(key, 0) + size

    def take_decoding(self, body: bytes) -> None:
        """Counts what `body`, whose bytes are counted already, takes as decoded JSON beyond the usual.

        Commas, colons and brackets stand for the values. Some of them are in texts, so this may count too much; a body
        that comes alone always fits.

        Raises:
            Busy: the isolate, or the address, has too many bytes in flight.
        """
        values = sum(map(body.count, (b",", b":", b"[", b"{")))
        effective = (len(body) + values * DECODED_VALUE_BYTES) // BODY_MEMORY_FACTOR
        if effective > len(body):
            self.take(min(effective, MAX_ADDRESS_BODIES_BYTES) - len(body))

    def release(self) -> None:
        """Gives everything back; may be called again."""
        if not self._bytes:
            return
        budget, key = self._budget, rate_limit_key(self._address)
        del budget.shares[self]
        budget.bytes -= self._bytes
        budget.by_address[key] -= self._bytes
        if not budget.by_address[key]:
            del budget.by_address[key]
        self._bytes = 0

    def _fits(self, key: str, size: int) -> bool:
        budget = self._budget
        in_total = budget.bytes + size <= budget.max_bytes
        return in_total and budget.by_address.get(key, 0) + size <= budget.max_address_bytes

    def _free_lost(self) -> None:
        lost_ms = self._budget.clock.now_ms() - LOST_MS
        for share in [share for share, began_ms in self._budget.shares.items() if began_ms <= lost_ms]:
            share.release()
