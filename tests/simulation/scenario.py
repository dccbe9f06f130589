"""One run: a session, its clients, a random number of minutes, and then a silence in which everything must settle."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from random import Random

from tests.simulation.actors import Host, Story, listen, persist, produce
from tests.simulation.checks import check
from tests.simulation.cluster import PLAN, Cluster, Faults
from tests.simulation.conversations import simulate_conversation
from tests.simulation.model_kv import Weather, World
from tests.support.virtual_time import run

SETTLE_SECONDS = 500
"""Longer than anything may take to become visible, be retried, and be seen again."""

QUIET_SECONDS = 120
"""The end of the silence, in which every stream must idle at its slowest rate."""


@dataclass(frozen=True)
class Report:
    """What came of one run."""

    seed: int
    violations: list[str]
    requests: int


def simulate(seed: int) -> Report:
    """One run from `seed`, the same at every call: three of the queues, then one of a conversation."""
    if seed % 4 == 3:
        return Report(seed, simulate_conversation(seed), 0)
    return run(_scenario(seed))


async def _scenario(seed: int) -> Report:
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
    world = World(random, random.randint(1, 4), weather)
    cluster = Cluster(world, random, faults)
    stories = [await _open(cluster) for _ in range(random.choice((1, 1, 1, 2)))]
    listeners: list[asyncio.Task[None]] = []
    producers: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()
    for story in stories:
        listeners.append(loop.create_task(Host(cluster, story, random.randrange(world.locations)).stay()))
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
    violations = cluster.overspent + [
        line for story in stories for line in _idle(story.code, world.looks - looks, cluster.connections - connections)
    ]
    for listener in listeners:
        if listener.done() and listener.exception():
            raise listener.exception() or RuntimeError
        listener.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)
    for story in stories:
        left = [key for key in world.live_keys(f"req:{story.code}:") if not _may_stay(world, key)]
        violations += check(story, left)
    return Report(seed, violations, sum(len(story.sent) for story in stories))


async def _open(cluster: Cluster) -> Story:
    while True:
        reply = await persist(cluster, lambda: cluster.call(0, "POST", "/api/sessions", {"ttl": 3600}), 20)
        if reply is not None:
            opened = reply.json()
            return Story(opened["code"], opened["hostToken"])


def _may_stay(world: World, key: str) -> bool:
    """A number that was given up is told to whoever comes for as long as its queue lasts."""
    metadata = world.versions[key][-1].metadata or ""
    return '"kind":"skip"' in metadata


def _idle(code: str, looks: Counter[str], connections: Counter[str]) -> list[str]:
    """A host's stream that gets nothing asks once per slowest interval; one that has just begun starts fast."""
    allowed = QUIET_SECONDS * 1000 / PLAN.poll_max_ms + 1 + 10 * connections[f"/api/stream?code={code}"]
    looked = looks[f"req:{code}:"]
    return [f"{looked} looks in {QUIET_SECONDS} s of silence"] if looked > allowed else []
