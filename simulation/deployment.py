"""Where requests land in use: one isolate a data centre serves nearly all, and another one replaces it now and then.

Unlike `cluster.py`, which loses and scatters as much as it may, this is an ordinary day, sped up: isolates are
replaced a hundred times as often as runtimes are updated.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from random import Random
from typing import Any, ParamSpec, TypeVar

from simulation.client import KEY, Client, Reply, make_client
from simulation.isolate import Isolate
from simulation.model_kv import LocationKv, Weather, World
from simulation.profiles import ISOLATE, LOCATIONS, PLACED, Profile
from waypost_worker.kv.delegating import DelegatingKv
from waypost_worker.kv.store import Kv
from waypost_worker.polling.plans import Plan
from waypost_worker.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

REPLACED_SECONDS = 20 * 60
"""The mean time until an isolate is replaced. Runtimes are updated a few times a week; so often, every figure has
enough replacements to tell."""

ASTRAY = 0.05
"""The share of the time in which a client's requests reach another isolate of the data centre: a server that was
refused once by the usual one serves them itself for a while (https://blog.cloudflare.com/eliminating-cold-starts-2/)."""

ASTRAY_SECONDS = 10 * 60
"""For how long on average."""

NETWORK_SECONDS = (0.010, 0.030)
"""Between a client and Cloudflare, each way."""

WEATHER = Weather(empty_page=0, refused=0.001, failed_but_done=0.0005)

TAB, AGENT = 0, 1
"""The places of a session's ends, where they are in different ones."""


class AcceptedKv(DelegatingKv):
    """Notes when each request is in the store, and which isolate put it there."""

    client: Client

    def __init__(self, kv: Kv, accepted: dict[str, tuple[float, Client]]) -> None:
        super().__init__(kv)
        self._accepted = accepted

    async def _around(self, operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        result = await operation(*args, **kwargs)
        key = str(args[0])
        if operation.__name__ == "put" and key.startswith("req:"):
            self._accepted.setdefault(key.rpartition(":")[2], (now(), self.client))
        return result


class Deployment:
    """The isolates of one deployment at one distance. `accepted`: the cursor of a request -> when it was in the store,
    and the isolate that put it there. `replaced`: when a usual isolate was replaced, oldest first."""

    def __init__(self, profile: Profile, plan: Plan, random: Random, *, keeps_reads: bool | None = None) -> None:
        """`keeps_reads`: as `World` has it; by default between locations only."""
        places = 2 if profile is LOCATIONS else 1
        in_one_centre = profile.in_one_centre
        weather = profile.weather(WEATHER)
        keeps = not in_one_centre if keeps_reads is None else keeps_reads
        self._world = World(random, places, weather, in_one_centre=in_one_centre, keeps_reads=keeps)
        self._headers = PLACED if in_one_centre else {}
        self._is_steady = profile is ISOLATE
        self._profile = profile
        self._settings = Settings(signing_keys=(KEY,), plan=plan)
        self._random = random
        self._homes: dict[tuple[int, bool], Isolate] = {}
        self._ends: dict[tuple[int, bool], float] = {}
        self._astray: defaultdict[int, tuple[float, bool]] = defaultdict(lambda: (0.0, False))
        self.accepted: dict[str, tuple[float, Client]] = {}
        self.replaced: list[float] = []

    def isolate(self, end: int) -> Isolate:
        """The isolate that serves the next request of `end` (`TAB` or `AGENT`)."""
        place = (end if self._profile is LOCATIONS else 0, self._is_astray(end))
        if place in self._homes and now() >= self._ends[place]:
            drained_at = self._ends[place] + self._random.uniform(0, self._profile.drain_seconds)
            self.replaced += [] if place[1] else [self._ends[place]]
            self._homes.pop(place).end_in(max(drained_at - now(), 0))
        if place not in self._homes:
            self._homes[place] = Isolate(self._new_client(place[0]))
            self._ends[place] = now() + (1e9 if self._is_steady else self._random.expovariate(1 / REPLACED_SECONDS))
        return self._homes[place]

    def _is_astray(self, end: int) -> bool:
        until, is_astray = self._astray[end]
        if now() >= until:
            is_astray = not self._is_steady and self._random.random() < ASTRAY
            self._astray[end] = (now() + self._random.expovariate(1 / ASTRAY_SECONDS), is_astray)
        return is_astray

    def _new_client(self, location: int) -> Client:
        kv = LocationKv(self._world, location)
        kv.page_size = 1000
        store = AcceptedKv(kv, self.accepted)
        store.client = make_client(self._settings, store, seed=self._random.getrandbits(64))
        return store.client

    async def call(self, end: int, method: str, url: str, body: Any = None, **options: Any) -> Reply:
        """One request and its reply."""
        await self._travel()
        headers = {**self._headers, **options.pop("headers", {})}
        reply = await self.isolate(end).client.call(method, url, body, headers=headers, **options)
        await self._travel()
        return reply

    async def stream(self, end: int, url: str, **options: Any) -> AsyncGenerator[tuple[Client, dict[str, Any]], None]:
        """The events of one connection, each with the isolate that sent it, as they leave that isolate."""
        await self._travel()
        isolate = self.isolate(end)
        headers = {"Accept": "application/x-ndjson", **self._headers, **options.pop("headers", {})}
        response = await isolate.client.open("GET", url, headers=headers, **options)
        if not isinstance(response.body, AsyncGenerator):
            return
        async with aclosing(response.body) as chunks:
            while (chunk := await isolate.next_chunk(chunks)) is not None:
                for line in chunk.splitlines():
                    yield isolate.client, json.loads(line)

    async def _travel(self) -> None:
        await asyncio.sleep(self._random.uniform(*NETWORK_SECONDS))


def now() -> float:
    """The time of the run, in seconds."""
    return asyncio.get_running_loop().time()
