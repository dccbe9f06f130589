"""Codes that let one guest join: the first one closes the code behind itself.

Key `joined:{code}`, until the session must end; its metadata is the mark of who joined, made of the id that the guest
sent. Who sends the same id again has joined already, so that a reply that was lost locks nobody out. KV has no
transaction: of two guests in two locations, within the two minutes that KV may be behind, both may get in.
"""

import hmac
from collections import OrderedDict
from hashlib import sha256

from waypost_worker.clock import Clock
from waypost_worker.errors import CodeClosed
from waypost_worker.kv.keys import joined_key
from waypost_worker.kv.store import Kv, find_key
from waypost_worker.limits import KV_MIN_TTL_SECONDS, MAX_JOINED_CODES

SingleUseCache = OrderedDict[str, str]
"""Code -> the mark of who joined; plain data, kept per isolate: where it happened, the code is closed at once."""


class SingleUseCodes:
    """The codes that were used, as one request sees them."""

    def __init__(self, kv: Kv, clock: Clock, cache: SingleUseCache) -> None:
        self._kv = kv
        self._clock = clock
        self._cache = cache

    async def consume(self, code: str, until_ms: int, join_id: str | None) -> None:
        """Close `code`, until `until_ms`, to all but who joins with `join_id`; without one, to all.

        Raises:
            CodeClosed: somebody else has joined.
        """
        mark = "" if join_id is None else sha256(f"{code}:{join_id}".encode()).hexdigest()
        found = await find_key(self._kv, joined_key(code))
        # What is remembered is looked at last: it may have come while the store was asked.
        for other in (found.metadata or "" if found else None, self._cache.get(code)):
            if other is not None and not (mark and hmac.compare_digest(mark, other)):
                raise CodeClosed("The code was used; ask for a new session.")
        if found is None:
            await self._write(code, until_ms, mark)

    async def _write(self, code: str, until_ms: int, mark: str) -> None:
        self._cache[code] = mark
        if len(self._cache) > MAX_JOINED_CODES:
            self._cache.popitem(last=False)
        seconds = max((until_ms - self._clock.now_ms()) // 1000, KV_MIN_TTL_SECONDS)
        try:
            await self._kv.put(joined_key(code), "1", ttl_seconds=seconds, metadata=mark)
        except BaseException:
            # Nobody was let in, so the code is not used; should it be written all the same, it is closed, and safe.
            self._cache.pop(code, None)
            raise
