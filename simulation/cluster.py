"""Isolates in several locations on one namespace, behind a network that loses requests, replies and streams."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from simulation.client import KEY, Client, Reply
from simulation.daily_allowance import DailyAllowance
from simulation.deaths import Deaths
from simulation.departures import Connection, EarlyEnds
from simulation.isolate import Isolate, IsolateDied
from simulation.model_kv import LocationKv, Usage, World, invocation
from simulation.profiles import PLACED, Profile
from simulation.seeded_random import SeededRandom
from simulation.virtual_time import VirtualClock
from waypost_worker.app import App
from waypost_worker.kv.keys import requests_scope, responses_scope
from waypost_worker.kv.store import Kv
from waypost_worker.limits import MAX_BODY_BYTES, MAX_WRITE_SECONDS, STREAM_RESERVED_OPERATIONS
from waypost_worker.polling.plans import FREE, Plan
from waypost_worker.settings import Settings

MAX_SKEW_MS = 2000

PLAN = Plan(
    name="simulated",
    operations_per_invocation=150,
    poll_min_ms=1_000,
    poll_max_ms=20_000,
    wait_poll_max_ms=5_000,
    wakes_between_locations=False,
    reads_ahead=True,
    wake_up_min_ms=1_000,
    wake_up_max_ms=4_000,
    wake_up_wait_max_ms=2_000,
    asleep_poll_ms=50_000,
    asleep_wait_poll_ms=15_000,
    stream_seconds=200,
    heartbeat_seconds=15,
    mcp_stream_seconds=200,
    presence_seconds=60,
    session_check_seconds=60,
    chunk_ms=5_000,
    stop_look_ms=10_000,
    mcp_progress_seconds=5,
)
"""Slower than in production, so that a run of minutes costs milliseconds; the code is the same."""

MIN_STREAM_SECONDS = 0.8 * PLAN.stream_seconds
"""How long a stream lasts at least, unless its client is to meet a younger isolate."""

MAX_LOOK_SECONDS = 30
"""How long a stream may overrun: its last look may meet a store that refuses for as long as it can."""

MAX_CALL_SECONDS = 20 + 4 * MAX_WRITE_SECONDS
"""The longest wait that the clients ask for, and a few operations that are refused until their retries end."""

ROOM_BYTES = 8 * (MAX_BODY_BYTES + 5000)
"""Large values that an isolate holds here: as many as a poll may return, so that others have to wait now and then."""


class NetworkError(Exception):
    """The client got no reply; the request may have taken effect."""


class SessionOver(Exception):
    """The session has ended: 410."""


@dataclass
class Faults:
    """The probabilities of faults between clients and isolates."""

    lost_request: float = 0.03
    lost_reply: float = 0.03
    broken_stream: float = 0.02
    evicted: float = 0.03
    elsewhere: float = 0.2


class Cluster:
    """The deployed Worker as its clients see it: each request may reach another location and isolate."""

    def __init__(
        self,
        world: World,
        random: Random,
        faults: Faults,
        profile: Profile,
        allowance: DailyAllowance | None = None,
        deaths: Deaths | None = None,
    ) -> None:
        self.world = world
        self._profile = profile
        self.random = random
        self.faults = faults
        self._allowance = allowance
        self._deaths = deaths
        self.overspent: list[str] = []
        self.connections: Counter[str] = Counter()
        self.early_ends = EarlyEnds(world)
        self._skews = [random.randint(-MAX_SKEW_MS, MAX_SKEW_MS) for _ in range(world.locations)]
        # Without it no wake-up keys are used; a plan may use them between locations too.
        self._headers = PLACED if profile.in_one_centre or random.random() < 0.5 else {}
        self._isolates: dict[tuple[int, int], Isolate] = {}

    def isolate(self, home: int) -> Isolate:
        """The isolate that serves a request from a client near `home`; now and then a new one, which replaces another:
        that one goes on for a while with the streams that it has."""
        location = home
        if self._chance(self.faults.elsewhere):
            location = self.random.randrange(self.world.locations)
        place = (location, self.random.randrange(self._profile.isolates_per_place))
        if place in self._isolates and self._chance(self.faults.evicted):
            self._isolates.pop(place).end_in(self.random.uniform(0, self._profile.drain_seconds))
        if place not in self._isolates or self._isolates[place].is_dead:
            self._isolates[place] = Isolate(self._new_isolate(location))
        return self._isolates[place]

    @property
    def may_write(self) -> bool:
        """Whether the store takes writes now and for the next half minute: the account has some left for today, and
        there is no outage."""
        now = asyncio.get_running_loop().time()
        is_out = any(begin < now + 30 and now < end for begin, end in self.world.outages)
        return not is_out and not (
            self._allowance and any(self._allowance.refuses("put", at) for at in (now, now + 30))
        )

    @property
    def may_crash(self) -> bool:
        """Whether a host's page that has just lost its stream crashes."""
        return self._deaths is not None and self._deaths.crashes()

    async def call(self, home: int, method: str, url: str, body: Any = None, **options: Any) -> Reply:
        """One request and its whole reply.

        Raises:
            NetworkError: the request or its reply was lost.
        """
        await asyncio.sleep(self.random.uniform(0.005, 0.1))
        if self._chance(self.faults.lost_request):
            raise NetworkError(url)
        usage = Usage()
        invocation.set(usage)
        started = asyncio.get_running_loop().time()
        headers = {**self._headers, **options.pop("headers", {})}
        isolate = self.isolate(home)
        if self._deaths and method == "POST":
            self._deaths.strike(isolate)
        try:
            reply = await isolate.run(isolate.client.call(method, url, body, headers=headers, **options))
        except IsolateDied:
            raise NetworkError(url) from None
        self._check_budget(url, usage, asyncio.get_running_loop().time() - started, MAX_CALL_SECONDS)
        if reply.status == 500:
            raise AssertionError(f"{method} {url}: {reply.body!r}")
        if self._chance(self.faults.lost_reply):
            raise NetworkError(url)
        return reply

    async def stream(self, home: int, url: str, **options: Any) -> AsyncGenerator[dict[str, Any], None]:
        """The events of one connection, until it ends or breaks.

        Raises:
            NetworkError: no stream was opened.
            SessionOver: the session has ended.
        """
        await asyncio.sleep(self.random.uniform(0.005, 0.1))
        self.connections[url.partition("&")[0]] += 1
        usage = Usage()
        invocation.set(usage)
        started = asyncio.get_running_loop().time()
        headers = {"Accept": "application/x-ndjson", **self._headers, **options.pop("headers", {})}
        isolate = self.isolate(home)
        try:
            response = await isolate.run(isolate.client.open("GET", url, headers=headers, **options))
        except IsolateDied:
            raise NetworkError(url) from None
        if response.status == 410:
            raise SessionOver(url)
        if response.status != 200 or not isinstance(response.body, AsyncGenerator):
            raise NetworkError(f"{response.status} {response.body!r}")
        connection = self._connection(url, isolate, usage, started)
        last = ""
        async with aclosing(response.body) as chunks:
            while (chunk := await isolate.next_chunk(chunks)) is not None:
                invocation.set(usage)
                for line in chunk.splitlines():
                    if self._chance(self.faults.broken_stream):
                        return
                    event = msgspec.json.decode(line)
                    last = event["event"]
                    if last == "request":
                        connection.sent.add(event["data"]["id"])
                    yield event
        now = asyncio.get_running_loop().time()
        self._check_budget(url, usage, now - started, PLAN.stream_seconds + MAX_LOOK_SECONDS)
        is_over = last in ("end", "superseded") or now >= isolate.ends_at
        is_spent = usage.operations >= PLAN.operations_per_invocation - STREAM_RESERVED_OPERATIONS
        # Isolates count in milliseconds. Streams at the pace of the free plan end early too.
        is_early = now - started < MIN_STREAM_SECONDS - 0.001
        if is_early and not is_over and not is_spent and self._allowance is None:
            self.early_ends.add(connection, now)

    def _connection(self, url: str, isolate: Isolate, usage: Usage, opened: float) -> Connection:
        query = dict(parse_qsl(url.partition("?")[2]))
        client = query.get("instance", "").partition(".")[0] or None
        scope = requests_scope(query["code"]) if client else responses_scope(query["code"])
        born_ms = isolate.client.app.isolate.cursors.born_ms
        return Connection(scope, client, isolate, born_ms, opened, usage)

    def _check_budget(self, url: str, usage: Usage, seconds: float, limit_seconds: float) -> None:
        # An isolate whose account is used up goes on at the pace and with the budget of the free plan.
        plan = PLAN if self._allowance is None else FREE
        if usage.operations > plan.operations_per_invocation:
            self.overspent.append(f"{url}: {usage.operations} operations")
        if seconds > limit_seconds:
            self.overspent.append(f"{url}: {seconds:.0f} s")

    def _new_isolate(self, location: int) -> Client:
        kv: Kv = LocationKv(self.world, location)
        clock = VirtualClock(self._skews[location])
        if self._allowance:
            kv = self._allowance.in_front_of(kv)
            clock.skew_ms += self._allowance.clock_offset_ms
        log: list[str] = []
        settings = Settings(signing_keys=(KEY,), plan=PLAN)
        seed = self.random.getrandbits(64)
        app = App(settings, kv, clock, SeededRandom(seed), log.append)
        app.isolate.loads.max_bytes = app.isolate.loads.max_address_bytes = ROOM_BYTES
        return Client(app, log)

    def _chance(self, probability: float) -> bool:
        return self.random.random() < probability
