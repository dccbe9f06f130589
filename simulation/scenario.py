"""One run: sessions and their clients for a random number of minutes, then a silence in which all must settle."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from simulation.actors import Host, Story, end, listen, persist, produce, try_foreign_cursor
from simulation.addresses import simulate_addresses
from simulation.chats import simulate_chats
from simulation.checks import check
from simulation.cluster import PLAN, Cluster, Faults
from simulation.conversations import simulate_conversation
from simulation.daily_allowance import DailyAllowance
from simulation.deaths import Deaths
from simulation.deletion import simulate_deletion
from simulation.model_kv import Weather, World
from simulation.profiles import Profile, profile_of
from simulation.tab_chats import simulate_tab_chats
from simulation.virtual_time import run

DAILY_RUN = 5
"""Of eight runs, the one in which a day's operations are used up."""

TWO_HOSTS = 0.3
"""The probability that another host takes a session over."""

SETTLE_SECONDS = 500
"""Longer than any change may take to become visible, be retried, and become visible again."""

END_SECONDS = 200
"""The time until the end of a session is visible everywhere."""

QUIET_SECONDS = 120
"""The end of the silence, in which every stream must idle at its slowest rate."""


OTHER_TOPICS: dict[str, Callable[[int, Profile], list[str]]] = {
    "addresses": simulate_addresses,
    "conversation": simulate_conversation,
    "chats": simulate_chats,
    "deletion": simulate_deletion,
    "tab chats": simulate_tab_chats,
}


@dataclass(frozen=True)
class Report:
    """The result of one run."""

    seed: int
    violations: list[str]
    requests: int
    profile: str = ""


def topic_of(seed: int) -> str:
    """What the run from `seed` is about. Of sixteen, three are about a conversation, one about chats, one about chats
    that use a tab, one about a deletion, one about MCP addresses, two about queues on an account whose operations of
    the day are used up meanwhile, the others about queues."""
    if seed % 16 == 15:
        return "addresses"
    if seed % 4 == 3:
        return "conversation"
    if seed % 16 == 9:
        return "chats"
    if seed % 16 == 6:
        return "deletion"
    if seed % 16 == 12:
        return "tab chats"
    return "daily allowance" if seed % 8 == DAILY_RUN else "queues"


def simulate(seed: int, profile: Profile | None = None) -> Report:
    """One run from `seed`, the same at every call; the seed chooses the profile too, unless one is given."""
    profile = profile or profile_of(seed)
    scenario = OTHER_TOPICS.get(topic_of(seed))
    if scenario is None:
        return run(_scenario(seed, profile))
    return Report(seed, scenario(seed, profile), 0, profile.key)


async def _scenario(seed: int, profile: Profile) -> Report:
    random = Random(seed)
    bad = random.choice((0.0, 0.3, 1.0, 2.0))
    weather = Weather(
        slow_visibility=min(0.4 * bad, 1),
        unread_own_write=0.05 * bad,
        stale_listing=min(0.4 * bad, 1),
        empty_page=0.05 * bad,
        refused=0.02 * bad,
        failed_but_done=0.02 * bad,
    )
    faults = Faults(0.03 * bad, 0.03 * bad, 0.02 * bad, 0.03 * bad, 0.2)
    world = profile.world(random, weather)
    # From a source of its own: the other runs stay what they are.
    allowance = DailyAllowance(Random(f"allowance {seed}")) if topic_of(seed) == "daily allowance" else None
    deaths = Deaths(seed)
    world.outages = deaths.outages
    cluster = Cluster(world, random, faults, profile, allowance, deaths)
    stories = [await _open(cluster) for _ in range(random.choice((1, 1, 1, 2)))]
    listeners: list[asyncio.Task[None]] = []
    producers: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()
    for story in stories:
        has_second = random.random() < TWO_HOSTS
        first = Host(cluster, story, random.randrange(world.locations), reloads=not has_second)
        listeners.append(loop.create_task(first.stay()))
        if has_second:
            listeners.append(loop.create_task(_second_host(cluster, story, first)))
        for guest in range(random.choice((0, 1, 1, 2))):
            home = random.randrange(world.locations)
            listeners.append(loop.create_task(listen(cluster, story, f"guest{guest}", home)))
        for name in range(random.randint(1, 3)):
            home, count = random.randrange(world.locations), random.randint(1, 8)
            work = produce(cluster, story, f"p{name}", home, count, numbered=random.random() < 0.6)
            producers.append(loop.create_task(work))
    await asyncio.gather(*producers)
    await asyncio.sleep(SETTLE_SECONDS - QUIET_SECONDS - 60)
    connections = cluster.connections.copy()
    await asyncio.sleep(60)
    looks = world.looks.copy()
    await asyncio.sleep(QUIET_SECONDS)
    violations = (allowance.violations if allowance else []) + cluster.overspent + cluster.early_ends.violations
    violations += [f"read before it was written: {key}" for key in world.unwritten if key.startswith("wake:")]
    violations += [
        line
        for story in stories
        for line in _idle(story.code, world.looks - looks, cluster.connections - connections, allowance)
    ]
    for story, other in zip(stories, reversed(stories), strict=True):
        if story is not other:
            await try_foreign_cursor(cluster, story, other)
    # Read before the sessions end, which leaves keys behind too.
    left_over = {story.code: _left_over(world, story.code) for story in stories}
    await asyncio.gather(*(end(cluster, story, END_SECONDS) for story in stories))
    for listener in listeners:
        if listener.done() and listener.exception():
            raise listener.exception() or RuntimeError
        listener.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)
    for story in stories:
        story.stored = world.answered(story.code)
        violations += [f"written after it was removed: {key}" for key in world.restored(f"req:{story.code}:")]
        violations += check(story, left_over[story.code])
    return Report(seed, violations, sum(len(story.sent) for story in stories), profile.key)


async def _second_host(cluster: Cluster, story: Story, first: Host) -> None:
    # Later than the clocks of two locations differ: by them, a host that came just before may be the newer one.
    await first.was_connected.wait()
    await asyncio.sleep(cluster.random.uniform(5, 60))
    await Host(cluster, story, cluster.random.randrange(cluster.world.locations), reloads=True).stay()


async def _open(cluster: Cluster) -> Story:
    while True:
        reply = await persist(cluster, lambda: cluster.call(0, "POST", "/api/sessions"), 20)
        if reply is not None:
            opened = reply.json()
            return Story(opened["code"], opened["hostToken"])


def _left_over(world: World, code: str) -> list[str]:
    """Requests that are not acknowledged. Skips may stay: the next reader needs them."""
    keys = world.live_keys(f"req:{code}:")
    return [key for key in keys if '"kind":"skip"' not in (world.versions[key][-1].metadata or "")]


def _idle(code: str, looks: Counter[str], connections: Counter[str], allowance: DailyAllowance | None) -> list[str]:
    """Violations of idle hosts' streams: they may poll once per longest interval, and faster after a connect; and they
    must poll, also if a wake-up key says that there is nothing. Where a day's operations were used up, the interval of
    the free plan is no shorter than the silence."""
    allowed = QUIET_SECONDS * 1000 / PLAN.poll_max_ms + 1 + 10 * connections[f"/api/stream?code={code}"]
    looked = looks[f"req:{code}:"]
    least = 1 if allowance is None else 0
    return [] if least <= looked <= allowed else [f"{looked} looks in {QUIET_SECONDS} s of silence"]
