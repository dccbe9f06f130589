"""One run of MCP addresses: browsers whose tabs open one session after the other, clients that look for the newest one,
and a person who renews an address; in several locations, none of which sees all of it.

Tabs of one browser may reach two locations, a write of an older session may come late, and isolates are replaced.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from random import Random

from simulation.model_kv import LocationKv, Weather
from simulation.profiles import Profile
from simulation.seeded_random import SeededRandom
from simulation.virtual_time import START_MS, VirtualClock, run
from waypost_worker.errors import Missing, NewerSession, Unavailable
from waypost_worker.kv.retrying import RetryingKv
from waypost_worker.limits import ADDRESS_CACHE_SECONDS, KV_READ_CACHE_SECONDS, KV_VISIBLE_SECONDS
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.sessions.mcp_address import AddressCache, McpAddresses, address_of
from waypost_worker.sessions.session import Session

SETTLED_SECONDS = KV_VISIBLE_SECONDS + KV_READ_CACHE_SECONDS + ADDRESS_CACHE_SECONDS + 20
"""Until a change is visible, a read from before it is forgotten, an isolate reads again, and all of that was repeated
after failures."""

TOGETHER_SECONDS = 12
"""Two sessions that take an address within so many seconds may be in either order: a write is repeated for 8 s, and
clocks differ by up to 4 s."""


@dataclass
class Isolate:
    """One isolate: a location, and what it remembers. `newest`: when the session that it answered with last took the
    address, by address."""

    location: int
    skew_ms: int
    cache: AddressCache = field(default_factory=AddressCache)
    newest: dict[str, int] = field(default_factory=dict)
    withdrew: set[str] = field(default_factory=set)


@dataclass
class Browser:
    """One browser and its present address. `taken`: code -> when a session took it, as early and as late as possible;
    `None`: it is not known whether it did. `withdrawn_at`: of the addresses that it had before. `asked_to_withdraw`: of
    some of these the browser does not know whether they were withdrawn."""

    name: str
    number: int = 0
    sessions: list[Session] = field(default_factory=list)
    taken: dict[str, tuple[float, float | None]] = field(default_factory=dict)
    withdrawn_at: dict[str, float] = field(default_factory=dict)
    asked_to_withdraw: set[str] = field(default_factory=set)

    @property
    def address(self) -> str:
        return _address_of(f"{self.name}-{self.number}")


_address_of = cache(address_of)


class Addresses:
    """The run: its isolates, browsers and violations."""

    def __init__(self, random: Random, profile: Profile) -> None:
        bad = random.choice((0.0, 0.5, 1.0, 2.0))
        weather = Weather(min(0.5 * bad, 1), 0.05 * bad, min(0.5 * bad, 1), 0.05 * bad, 0.02 * bad, 0.02 * bad)
        self.world = profile.world(random, weather)
        self.random = random
        self.violations: list[str] = []
        self.browsers = [Browser(name) for name in ("ada", "bob")]
        self._skews = [random.randint(-2000, 2000) for _ in range(self.world.locations)]
        self._isolates: dict[tuple[int, int], Isolate] = {}

    def isolate(self, home: int) -> Isolate:
        """The isolate that a request from near `home` reaches; now and then another location, or a new isolate."""
        location = self.random.randrange(self.world.locations) if self.random.random() < 0.2 else home
        place = (location, self.random.randrange(2))
        if place not in self._isolates or self.random.random() < 0.02:
            self._isolates[place] = Isolate(location, self._skews[location])
        return self._isolates[place]

    def store(self, isolate: Isolate) -> McpAddresses:
        """The addresses, for one request."""
        clock = VirtualClock(isolate.skew_ms)
        kv = RetryingKv(LocationKv(self.world, isolate.location), clock, SeededRandom(self.random.getrandbits(32)))
        return McpAddresses(kv, clock, isolate.cache, LocalChannel(clock))

    async def open(self, browser: Browser, home: int) -> None:
        """A tab of `browser` opens a session with its address."""
        isolate = self.isolate(home)
        await self._take(browser, isolate, self._new_session(browser, isolate), is_late=False)

    async def come_late(self, browser: Browser, home: int) -> None:
        """A session of `browser` takes its address without a claim, as a retry does that comes late."""
        await self._take(browser, self.isolate(home), self.random.choice(browser.sessions), is_late=True)

    async def _take(self, browser: Browser, isolate: Isolate, session: Session, is_late: bool) -> None:
        address, began, store = browser.address, now(), self.store(isolate)
        newest = self._newest_for_sure(browser)
        is_refusable = is_late and newest is not None and self._is_older(browser, session, newest)
        try:
            await store.check(address, session if is_late else None)
            if is_refusable:
                self.violations.append(f"{browser.name}: a late write of {session.code} was let through")
            browser.taken[session.code] = (began, None)
            await store.take(address, session)
        except NewerSession:
            return
        except Missing:
            if address not in browser.asked_to_withdraw:
                self.violations.append(f"{browser.name}: an address was refused that nobody withdrew")
            self._begin_another(browser, address)
            return
        except Unavailable:
            return
        if address == browser.address:
            browser.taken[session.code] = (began, now())

    def _new_session(self, browser: Browser, isolate: Isolate) -> Session:
        created_ms = VirtualClock(isolate.skew_ms).now_ms() // 1000 * 1000
        session = Session(f"{browser.name}{len(browser.sessions)}", created_ms, created_ms + 600_000, 600)
        browser.sessions.append(session)
        return session

    def _is_older(self, browser: Browser, session: Session, newest: str) -> bool:
        """Whether `session` was created well before `newest` took the address, whatever the clocks say."""
        created_s = (session.created_ms - START_MS) / 1000
        return session.code != newest and created_s + TOGETHER_SECONDS < browser.taken[newest][0]

    def _newest_for_sure(self, browser: Browser) -> str | None:
        """The session that every location must have seen to be the newest; `None` if there is no such one yet."""
        if not browser.taken:
            return None
        code, (_, ended) = max(browser.taken.items(), key=lambda item: item[1][0])
        others = [end for other, (_, end) in browser.taken.items() if other != code]
        began = browser.taken[code][0]
        is_alone = all(end is not None and end + TOGETHER_SECONDS < began for end in others)
        return code if is_alone and ended is not None and now() - ended > SETTLED_SECONDS else None

    async def look(self, browser: Browser, home: int, address: str) -> None:
        """A client looks for the newest session at `address`, of `browser`."""
        isolate = self.isolate(home)
        began = now()
        has_withdrawn = address in isolate.withdrew
        newest = self._newest_for_sure(browser) if address == browser.address else None
        try:
            record = (await self.store(isolate).find(address)).record
        except Unavailable:
            return
        except Missing as error:
            is_maybe_withdrawn = address in browser.asked_to_withdraw
            if newest is not None and not is_maybe_withdrawn and newest == self._newest_for_sure(browser):
                self.violations.append(f"{browser.name}: {error.code}, though {newest} has the address")
            return
        if not record.code.startswith(browser.name):
            self.violations.append(f"{browser.name}: led to {record.code}, of another browser")
        is_settled = newest is not None and newest == self._newest_for_sure(browser) and address == browser.address
        if is_settled and record.code != newest:
            self.violations.append(f"{browser.name}: led to {record.code}, after {newest} was visible")
        if record.taken_ms + TOGETHER_SECONDS * 1000 < isolate.newest.get(address, 0):
            self.violations.append(f"{browser.name}: led back to {record.code} in the same isolate")
        isolate.newest[address] = max(record.taken_ms, isolate.newest.get(address, 0))
        withdrawn_at = browser.withdrawn_at.get(address)
        if has_withdrawn or (withdrawn_at is not None and began > withdrawn_at + SETTLED_SECONDS):
            self.violations.append(f"{browser.name}: a withdrawn address led to {record.code}")

    async def renew(self, browser: Browser, home: int) -> None:
        """A person renews the address of `browser`."""
        isolate, address = self.isolate(home), browser.address
        browser.asked_to_withdraw.add(address)
        try:
            await self.store(isolate).withdraw(address)
        except Unavailable:
            # It may have taken effect: then the browser's next session is refused, and begins another address.
            return
        isolate.withdrew.add(address)
        self._begin_another(browser, address)

    def _begin_another(self, browser: Browser, withdrawn: str) -> None:
        if withdrawn == browser.address:
            browser.withdrawn_at[withdrawn] = now()
            browser.number += 1
            browser.taken = {}


def now() -> float:
    """The time of the run, in seconds."""
    return asyncio.get_running_loop().time()


def simulate_addresses(seed: int, profile: Profile) -> list[str]:
    """The violations of one run from `seed`."""
    return run(_scenario(seed, profile))


async def _scenario(seed: int, profile: Profile) -> list[str]:
    addresses = Addresses(Random(seed), profile)
    clients = [asyncio.ensure_future(_look(addresses, browser)) for browser in addresses.browsers for _ in range(3)]
    await asyncio.gather(*(_browse(addresses, browser) for browser in addresses.browsers))
    await asyncio.sleep(SETTLED_SECONDS + 60)
    for browser in addresses.browsers:
        await addresses.come_late(browser, addresses.random.randrange(addresses.world.locations))
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    for browser in addresses.browsers:
        for address in (browser.address, *browser.withdrawn_at):
            for location in range(addresses.world.locations):
                await addresses.look(browser, location, address)
    return addresses.violations


async def _browse(addresses: Addresses, browser: Browser) -> None:
    """Two tabs, each in a location of its own; and now and then the address is renewed."""
    random, world = addresses.random, addresses.world
    homes = [random.randrange(world.locations) for _ in range(2)]
    pause = random.choice((5, 30, 200))
    for _ in range(random.randint(2, 10)):
        await asyncio.sleep(random.expovariate(1 / pause))
        await addresses.open(browser, random.choice(homes))
        if random.random() < 0.3:
            await addresses.come_late(browser, random.choice(homes))
        if random.random() < 0.15:
            late = asyncio.ensure_future(addresses.open(browser, random.choice(homes)))
            await addresses.renew(browser, random.choice(homes))
            await late


async def _look(addresses: Addresses, browser: Browser) -> None:
    """A client that calls at random times, now and then by an address that it was not told is withdrawn."""
    random, world = addresses.random, addresses.world
    home = random.randrange(world.locations)
    with suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(random.choice((1, 10, 40)) * random.random())
            address = random.choice((browser.address, browser.address, *browser.withdrawn_at))
            await addresses.look(browser, home, address)
