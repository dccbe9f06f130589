"""Single-use codes: the first guest that joins consumes the code.

Key `joined:{code}`, until the session must end; its metadata is a digest of the `joinId` that the guest sent. A guest
that sends the same id again is let in again, so a lost reply locks no guest out. KV has no transaction: two guests in
two locations may both join within the two minutes that KV may be behind.
"""

import hmac
from hashlib import sha256

from waypost_worker.bounded_cache import BoundedCache
from waypost_worker.clock import Clock
from waypost_worker.errors import CodeClosed
from waypost_worker.kv.keys import joined_key
from waypost_worker.kv.store import Kv, find_key
from waypost_worker.limits import KV_MIN_TTL_SECONDS, MAX_CACHE_BYTES, MAX_JOINED_CODES, REORDER_WINDOW_SECONDS

SingleUseCache = BoundedCache[str]
"""Code -> digest of the guest's join id, per isolate: the isolate of the join refuses other guests immediately."""

DIGEST_BYTES = 128
"""What a digest costs in memory."""


def single_use_cache() -> SingleUseCache:
    """A new cache of used codes. After the reorder window a listing shows every one of them."""
    return BoundedCache(MAX_JOINED_CODES, MAX_CACHE_BYTES, REORDER_WINDOW_SECONDS)


class SingleUseCodes:
    """The consumed codes, for one request."""

    def __init__(self, kv: Kv, clock: Clock, cache: SingleUseCache) -> None:
        self._kv = kv
        self._clock = clock
        self._cache = cache

    async def consume(self, code: str, until_ms: int, join_id: str | None) -> None:
        """Consumes `code` until `until_ms`, for all guests but the one with `join_id`; `None`: for all.

        Raises:
            CodeClosed: another guest has joined.
        """
        digest = "" if join_id is None else sha256(f"{code}:{join_id}".encode()).hexdigest()
        key = await find_key(self._kv, joined_key(code))
        # The cache is read last: another request may have filled it while the store was asked.
        for other in (key.metadata or "" if key else None, self._cache.get(code, self._clock.now_ms())):
            if other is not None and not (digest and hmac.compare_digest(digest, other)):
                raise CodeClosed("The code was used; ask for a new session.")
        if key is None:
            await self._write(code, until_ms, digest)

    async def _write(self, code: str, until_ms: int, digest: str) -> None:
        self._cache.put(code, digest, self._clock.now_ms(), DIGEST_BYTES)
        seconds = max((until_ms - self._clock.now_ms()) // 1000, KV_MIN_TTL_SECONDS)
        try:
            await self._kv.put(joined_key(code), "1", ttl_seconds=seconds, metadata=digest)
        except BaseException:
            # No guest was let in, so the code is unused. If the failed write did take effect, the code is closed: safe.
            self._cache.pop(code)
            raise
