"""Workers KV as its documentation describes it, at its worst: data centres, each with its own stale view.

https://developers.cloudflare.com/kv/concepts/how-kv-works/. Deterministic from a seed; times are seconds of the running
loop. `test_model_kv.py` shows each behaviour.
"""

import asyncio
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

from waypost_worker.kv.keys import responses_scope
from waypost_worker.kv.store import KvError, ListedKey, ListPage
from waypost_worker.limits import KV_MAX_BULK_KEYS, KV_MAX_LIST_KEYS, KV_MIN_TTL_SECONDS, KV_READ_CACHE_SECONDS

VISIBILITY_SECONDS = 60.0
"""A change may take so long to be visible in another location:
https://developers.cloudflare.com/kv/concepts/how-kv-works/#consistency"""

READ_CACHE_SECONDS = KV_READ_CACHE_SECONDS
"""A read (also a miss) is cached for so long, which is what the product asks for."""

LISTING_AGE_SECONDS = 60.0
"""The greatest age of a listing: https://developers.cloudflare.com/kv/api/list-keys/"""

OWN_VISIBILITY_SECONDS = 5.0
"""The same three in the data centre of the write, where a change is usually visible immediately. The documentation
does not say how much later it may be; the promises hold with `VISIBILITY_SECONDS` too."""

WRITE_INTERVAL_SECONDS = 1.0
"""KV accepts one write a second to the same key."""


@dataclass(frozen=True, slots=True)
class Weather:
    """The probabilities of KV's faults, each between 0 (never) and 1.

    `slowness` multiplies the time that operations take. What is stale is so for at most `stale_seconds`.
    """

    slow_visibility: float = 0.4
    unread_own_write: float = 0.05
    stale_listing: float = 0.4
    empty_page: float = 0.05
    refused: float = 0.02
    failed_but_done: float = 0.02
    slowness: float = 1.0
    stale_seconds: float = VISIBILITY_SECONDS


CALM = Weather(0, 0, 0, 0, 0, 0, 0.01)

SECONDS = {"get": 0.010, "list": 0.050, "write": 0.100}
"""How long an operation takes on average. A get and a write are of the size that Cloudflare publishes (p99 of reads
below 5 ms inside of its network, p95 of all below 50 ms, 2025-08-22); of a list nothing is published.
https://developers.cloudflare.com/changelog/product/kv/"""


@dataclass(frozen=True, slots=True)
class _Version:
    """A key after one write or delete (`value` is `None`), and the time from which each data centre sees it."""

    value: str | bytes | None
    metadata: str | None
    expires: float
    visible: tuple[float, ...]

    @property
    def text(self) -> str | None:
        """The value as text."""
        return self.value.decode() if isinstance(self.value, bytes) else self.value


@dataclass(slots=True)
class Usage:
    """Operations of one invocation of the Worker. `listed`: by prefix, what its last listing had."""

    operations: int = 0
    listed: dict[str, list[ListedKey]] = field(default_factory=dict)


invocation: ContextVar[Usage] = ContextVar("invocation")
"""The invocation whose operations are counted."""


@dataclass
class World:
    """The namespace: every version of every key, and each data centre's read cache.

    `locations`: the places in which the Worker runs: each in a data centre of its own, or all in one
    (`in_one_centre`). `keeps_reads`: every `get` is cached for as long as it may be, as that of a key that is read all
    the time; a write replaces what its own data centre has cached, unless it is not visible there immediately.
    `outages`: from when to when all writes are refused.
    """

    random: Random
    locations: int
    weather: Weather = field(default_factory=Weather)
    in_one_centre: bool = False
    keeps_reads: bool = False
    outages: Sequence[tuple[float, float]] = ()
    versions: dict[str, list[_Version]] = field(default_factory=dict)
    looks: Counter[str] = field(default_factory=Counter)
    unwritten: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._centres = 1 if self.in_one_centre else self.locations
        self._last_write: dict[str, float] = {}
        self._half_done: set[str] = set()
        self._sorted_keys: list[str] = []
        self._reads: list[dict[str, tuple[float, _Version | None]]] = [{} for _ in range(self._centres)]

    def centre(self, location: int) -> int:
        """The data centre of `location`."""
        return 0 if self.in_one_centre else location

    def live_keys(self, prefix: str) -> list[str]:
        """The keys that exist now, whatever the locations see."""
        now = asyncio.get_running_loop().time()
        return [
            key
            for key, versions in self.versions.items()
            if key.startswith(prefix) and versions[-1].value is not None and versions[-1].expires > now
        ]

    def answered(self, code: str) -> set[str]:
        """The ids of the requests of a session whose final response was ever stored, whatever the locations see."""
        return {
            key.split(":")[2]
            for key, versions in self.versions.items()
            if key.startswith(responses_scope(code) + ":") and '"final":true' in (versions[0].metadata or "")
        }

    def restored(self, prefix: str) -> list[str]:
        """The keys that were written again after they were deleted; but for those that may be: a write that took effect
        and failed is repeated, also if its message was read and removed meanwhile."""
        return [
            key
            for key, versions in self.versions.items()
            if key.startswith(prefix) and key not in self._half_done
            if any(old.value is None and new.value is not None for old, new in pairwise(versions))
        ]

    def keys(self, prefix: str, after: str) -> Iterator[str]:
        """The keys that were ever written under `prefix`, in order, behind `after`."""
        keys = self._sorted_keys
        for index in range(bisect_left(keys, max(prefix, after)), len(keys)):
            if not keys[index].startswith(prefix):
                return
            if keys[index] > after:
                yield keys[index]

    def read(self, location: int, key: str, at: float) -> _Version | None:
        """The result of a `get` in `location` at the time `at`; cached there for up to `READ_CACHE_SECONDS`, also if it
        is a miss."""
        if key not in self.versions:
            self.unwritten[key] += 1
        cache = self._reads[self.centre(location)]
        remembered = cache.get(key)
        if remembered and remembered[0] > at:
            return remembered[1]
        found = self.seen(location, key, at)
        if self.keeps_reads:
            cache[key] = (at + READ_CACHE_SECONDS, found)
        elif not self.in_one_centre and self._chance(self.weather.slow_visibility):
            cache[key] = (at + self._stale(READ_CACHE_SECONDS), found)
        return found

    def seen(self, location: int, key: str, at: float) -> _Version | None:
        """The newest version visible in `location` at the time `at`; `None` if the key does not exist there."""
        centre = self.centre(location)
        for version in reversed(self.versions.get(key, ())):
            if version.visible[centre] <= at:
                return version if version.value is not None and version.expires > at else None
        return None

    def is_put_after(self, key: str, at: float) -> bool:
        """Whether a put of `key` took effect after the time `at`."""
        return any(version.value is not None and min(version.visible) > at for version in self.versions.get(key, ()))

    def write(self, location: int, key: str, value: str | bytes | None, metadata: str | None, ttl: float) -> None:
        """A put, or a delete (`value` is `None`).

        Raises:
            KvError: where KV would refuse or fail.
        """
        now = asyncio.get_running_loop().time()
        if any(begin <= now < end for begin, end in self.outages):
            raise KvError("503 Service Unavailable")
        if now - self._last_write.get(key, -WRITE_INTERVAL_SECONDS) < WRITE_INTERVAL_SECONDS:
            raise KvError("429 Too Many Requests")
        if self._chance(self.weather.refused):
            raise KvError("503 Service Unavailable")
        self._last_write[key] = now
        visible = tuple(now + self._delay(self.centre(location), other) for other in range(self._centres))
        if self.keeps_reads and visible[self.centre(location)] == now:
            self._reads[self.centre(location)].pop(key, None)
        # Expired keys are removed late.
        expires = now + ttl + self.random.uniform(0, VISIBILITY_SECONDS)
        if key not in self.versions:
            insort(self._sorted_keys, key)
        self.versions.setdefault(key, []).append(_Version(value, metadata, expires, visible))
        if self._chance(self.weather.failed_but_done):
            self._half_done.add(key)
            raise KvError("500 Internal Server Error")

    def listing_time(self, at: float) -> float:
        """The time whose state a listing at the time `at` shows."""
        return at - self._stale(LISTING_AGE_SECONDS) if self._chance(self.weather.stale_listing) else at

    def duration(self, operation: str) -> float:
        """The seconds that an operation takes."""
        # Half of it always; the rest varies as waiting times do.
        return SECONDS[operation] * self.weather.slowness * (0.5 + self.random.expovariate(2))

    def _delay(self, writer: int, reader: int) -> float:
        if writer == reader:
            is_slow = self._chance(self.weather.unread_own_write)
        else:
            is_slow = self._chance(self.weather.slow_visibility)
        return self._stale(VISIBILITY_SECONDS) if is_slow else self.random.uniform(0, 0.2) * (writer != reader)

    def _stale(self, seconds: float) -> float:
        return self.random.uniform(0, min(seconds, self.weather.stale_seconds))

    def _chance(self, probability: float) -> bool:
        return self.random.random() < probability


class LocationKv:
    """The KV port in one location of the world."""

    def __init__(self, world: World, location: int) -> None:
        self._world = world
        self._location = location

    async def get(self, key: str) -> str | None:
        version = self._world.read(self._location, key, await self._look("get"))
        return version.text if version else None

    async def get_bytes(self, key: str) -> bytes | None:
        version = self._world.read(self._location, key, await self._look("get"))
        value = version.value if version else None
        return value.encode() if isinstance(value, str) else value

    async def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        if len(keys) > KV_MAX_BULK_KEYS:
            raise ValueError("too many keys")
        at = await self._look("get")
        found = {key: self._world.read(self._location, key, at) for key in keys}
        return {key: version.text for key, version in found.items() if version and version.text is not None}

    async def put(self, key: str, value: str | bytes, *, ttl_seconds: int, metadata: str | None = None) -> None:
        if ttl_seconds < KV_MIN_TTL_SECONDS:
            raise ValueError("too short a time to live")
        await self._write(key, value, metadata, ttl_seconds)

    async def delete(self, key: str) -> None:
        await self._write(key, None, None, 0)

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        if cursor is None:
            self._world.looks[prefix] += 1
        listed = _listed_here(prefix, cursor)
        at = self._world.listing_time(await self._look("list"))
        after = cursor or ""
        if self._world.random.random() < self._world.weather.empty_page:
            # Before every key, also one that is the prefix itself.
            return ListPage((), after or "\0")
        keys: list[ListedKey] = []
        for name in self._world.keys(prefix, after):
            if version := self._world.seen(self._location, name, at):
                if len(keys) == min(limit, KV_MAX_LIST_KEYS, self.page_size):
                    return ListPage(tuple(keys), keys[-1].name)
                keys.append(ListedKey(name, version.metadata))
                listed.append(keys[-1])
        return ListPage(tuple(keys))

    page_size = 7
    """Small, so that a handful of messages has pages."""

    async def _look(self, operation: str) -> float:
        """Takes the time of a reading. Returns the moment in between that it shows."""
        seconds = self._begin(operation)
        await asyncio.sleep(seconds)
        self._may_be_refused()
        return asyncio.get_running_loop().time() - seconds * self._world.random.random()

    async def _write(self, key: str, value: str | bytes | None, metadata: str | None, ttl: float) -> None:
        """Writes, some time before the writer knows."""
        seconds = self._begin("write")
        way_there = seconds * self._world.random.random()
        await asyncio.sleep(way_there)
        failed: KvError | None = None
        try:
            self._may_be_refused()
            self._world.write(self._location, key, value, metadata, ttl)
        except KvError as error:
            failed = error
        await asyncio.sleep(seconds - way_there)
        if failed:
            raise failed

    def _begin(self, operation: str) -> float:
        usage = invocation.get(None)
        if usage:
            usage.operations += 1
        return self._world.duration(operation)

    def _may_be_refused(self) -> None:
        if self._world.random.random() < self._world.weather.refused:
            raise KvError("503 Service Unavailable")


def _listed_here(prefix: str, cursor: str | None) -> list[ListedKey]:
    """Where this invocation notes what its listing of `prefix` has, which is a new one without a `cursor`."""
    usage = invocation.get(None) or Usage()
    if cursor is None:
        usage.listed[prefix] = []
    return usage.listed.setdefault(prefix, [])
