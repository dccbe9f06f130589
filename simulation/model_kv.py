"""Workers KV as its documentation describes it, at its worst: several locations, each with its own stale view.

https://developers.cloudflare.com/kv/concepts/how-kv-works/. Deterministic from a seed; times are seconds of the running
loop. `test_model_kv.py` shows each behaviour.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from random import Random

from waypost_worker.kv.store import KvError, ListedKey, ListPage
from waypost_worker.limits import KV_MAX_BULK_KEYS, KV_MAX_LIST_KEYS, KV_MIN_TTL_SECONDS

VISIBILITY_SECONDS = 60.0
"""A change may take so long to be visible in another location, and a read (also a miss) is cached for so long."""

LISTING_AGE_SECONDS = 60.0
"""The greatest age of a listing."""

WRITE_INTERVAL_SECONDS = 1.0
"""KV accepts one write a second to the same key."""


@dataclass(frozen=True, slots=True)
class Weather:
    """The probabilities of KV's faults, each between 0 (never) and 1."""

    slow_visibility: float = 0.4
    unread_own_write: float = 0.05
    stale_listing: float = 0.4
    empty_page: float = 0.05
    refused: float = 0.02
    failed_but_done: float = 0.02
    latency_seconds: float = 0.03


CALM = Weather(0, 0, 0, 0, 0, 0, 0.01)


@dataclass(frozen=True, slots=True)
class _Version:
    """A key after one write or delete (`value` is `None`), and the time from which each location sees it."""

    value: str | None
    metadata: str | None
    expires: float
    visible: tuple[float, ...]


@dataclass(slots=True)
class Usage:
    """Operations of one invocation of the Worker."""

    operations: int = 0


invocation: ContextVar[Usage] = ContextVar("invocation")
"""The invocation whose operations are counted."""


@dataclass
class World:
    """The namespace: every version of every key, and each location's read cache."""

    random: Random
    locations: int
    weather: Weather = field(default_factory=Weather)
    versions: dict[str, list[_Version]] = field(default_factory=dict)
    looks: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._last_write: dict[str, float] = {}
        self._reads: list[dict[str, tuple[float, _Version | None]]] = [{} for _ in range(self.locations)]

    def live_keys(self, prefix: str) -> list[str]:
        """The keys that exist now, whatever the locations see."""
        now = asyncio.get_running_loop().time()
        return [
            key
            for key, versions in self.versions.items()
            if key.startswith(prefix) and versions[-1].value is not None and versions[-1].expires > now
        ]

    def read(self, location: int, key: str) -> _Version | None:
        """The result of a `get` in `location`; cached there for up to a minute, also if it is a miss."""
        now = asyncio.get_running_loop().time()
        remembered = self._reads[location].get(key)
        if remembered and remembered[0] > now:
            return remembered[1]
        found = self.seen(location, key, now)
        if self._chance(self.weather.slow_visibility):
            self._reads[location][key] = (now + self.random.uniform(0, VISIBILITY_SECONDS), found)
        return found

    def seen(self, location: int, key: str, at: float) -> _Version | None:
        """The newest version visible in `location` at the time `at`; `None` if the key does not exist there."""
        for version in reversed(self.versions.get(key, ())):
            if version.visible[location] <= at:
                return version if version.value is not None and version.expires > at else None
        return None

    def write(self, location: int, key: str, value: str | None, metadata: str | None, ttl: float) -> None:
        """A put, or a delete (`value` is `None`).

        Raises:
            KvError: where KV would refuse or fail.
        """
        now = asyncio.get_running_loop().time()
        if now - self._last_write.get(key, -WRITE_INTERVAL_SECONDS) < WRITE_INTERVAL_SECONDS:
            raise KvError("429 Too Many Requests")
        if self._chance(self.weather.refused):
            raise KvError("503 Service Unavailable")
        self._last_write[key] = now
        visible = tuple(now + self._delay(location, other) for other in range(self.locations))
        # Expired keys are removed late.
        expires = now + ttl + self.random.uniform(0, VISIBILITY_SECONDS)
        self.versions.setdefault(key, []).append(_Version(value, metadata, expires, visible))
        if self._chance(self.weather.failed_but_done):
            raise KvError("500 Internal Server Error")

    def listing_time(self) -> float:
        """The time whose state a listing shows."""
        now = asyncio.get_running_loop().time()
        return now - self.random.uniform(0, LISTING_AGE_SECONDS) if self._chance(self.weather.stale_listing) else now

    def _delay(self, writer: int, reader: int) -> float:
        if writer == reader:
            is_slow = self._chance(self.weather.unread_own_write)
        else:
            is_slow = self._chance(self.weather.slow_visibility)
        return (
            self.random.uniform(0, VISIBILITY_SECONDS) if is_slow else self.random.uniform(0, 0.2) * (writer != reader)
        )

    def _chance(self, probability: float) -> bool:
        return self.random.random() < probability


class LocationKv:
    """The KV port in one location of the world."""

    def __init__(self, world: World, location: int) -> None:
        self._world = world
        self._location = location

    async def get(self, key: str) -> str | None:
        await self._travel()
        version = self._world.read(self._location, key)
        return version.value if version else None

    async def get_bytes(self, key: str) -> bytes | None:
        text = await self.get(key)
        return None if text is None else text.encode()

    async def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        if len(keys) > KV_MAX_BULK_KEYS:
            raise ValueError("too many keys")
        await self._travel()
        found = {key: self._world.read(self._location, key) for key in keys}
        return {key: version.value for key, version in found.items() if version and version.value is not None}

    async def put(self, key: str, value: str | bytes, *, ttl_seconds: int, metadata: str | None = None) -> None:
        if ttl_seconds < KV_MIN_TTL_SECONDS:
            raise ValueError("too short a time to live")
        await self._travel()
        text = value if isinstance(value, str) else value.decode()
        self._world.write(self._location, key, text, metadata, ttl_seconds)

    async def delete(self, key: str) -> None:
        await self._travel()
        self._world.write(self._location, key, None, None, 0)

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        if cursor is None:
            self._world.looks[prefix] += 1
        await self._travel()
        at = self._world.listing_time()
        after = cursor or ""
        if self._world.random.random() < self._world.weather.empty_page:
            # Before every key, also one that is the prefix itself.
            return ListPage((), after or "\0")
        names = sorted(key for key in self._world.versions if key.startswith(prefix) and key > after)
        keys: list[ListedKey] = []
        for name in names:
            if version := self._world.seen(self._location, name, at):
                if len(keys) == min(limit, KV_MAX_LIST_KEYS, self.page_size):
                    return ListPage(tuple(keys), keys[-1].name)
                keys.append(ListedKey(name, version.metadata))
        return ListPage(tuple(keys))

    page_size = 7
    """Small, so that a handful of messages has pages."""

    async def _travel(self) -> None:
        usage = invocation.get(None)
        if usage:
            usage.operations += 1
        world = self._world
        await asyncio.sleep(world.random.uniform(0.001, world.weather.latency_seconds))
        if world.random.random() < world.weather.refused:
            raise KvError("503 Service Unavailable")
