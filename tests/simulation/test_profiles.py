"""The three distances: what a place sees of the others' writes, and how long a replaced isolate goes on."""

import asyncio
from collections.abc import AsyncGenerator
from math import inf
from random import Random

import pytest

from simulation.client import make_client
from simulation.cluster import Cluster, Faults
from simulation.isolate import Isolate
from simulation.model_kv import CALM, OWN_VISIBILITY_SECONDS, VISIBILITY_SECONDS, LocationKv, Weather, World
from simulation.profiles import CENTRE, ISOLATE, LOCATIONS, PROFILES, Profile, profile_of
from waypost_worker.kv.store import KvError

WRITES = 400
WEATHER = Weather(refused=0, failed_but_done=0, empty_page=0, slowness=0.01)


def world_of(profile: Profile, places: int, seed: int = 0) -> World:
    random = Random(seed)
    while True:
        world = profile.world(random, WEATHER)
        if world.locations == places:
            return world


async def unseen_after(world: World, seconds: float) -> float:
    """The share of the writes of place 0 that the last place does not see after so long, by `get` and by `list`."""
    here, there = LocationKv(world, 0), LocationKv(world, world.locations - 1)
    unseen = 0
    for number in range(WRITES):
        await here.put(f"{number}-", "1", ttl_seconds=3600)
        await asyncio.sleep(seconds)
        unseen += await there.get(f"{number}-") is None
        unseen += not (await there.list(f"{number}-")).keys
    return unseen / WRITES / 2


@pytest.mark.parametrize(("profile", "places"), [(ISOLATE, 1), (CENTRE, 3)], ids=["isolate", "centre"])
async def test_in_one_data_centre_most_writes_are_visible_immediately_and_all_within_seconds(
    profile: Profile, places: int
) -> None:
    assert 0.02 < await unseen_after(world_of(profile, places), 0) < 0.12
    assert await unseen_after(world_of(profile, places), 2 * OWN_VISIBILITY_SECONDS) == 0


async def test_between_locations_many_writes_are_not_visible_for_long() -> None:
    assert await unseen_after(world_of(LOCATIONS, 3), VISIBILITY_SECONDS / 2) > 0.1


async def test_operations_take_as_long_as_they_do_on_average_and_not_always_the_same() -> None:
    loop = asyncio.get_running_loop()
    kv = LocationKv(World(Random(0), 1, Weather(0, 0, 0, 0, 0, 0)), 0)
    await kv.put("a", "1", ttl_seconds=3600)
    for work, mean in ((kv.get, 0.010), (kv.list, 0.050)):
        times = []
        for _ in range(500):
            began = loop.time()
            await work("a")
            times.append(loop.time() - began)
        assert sum(times) / len(times) == pytest.approx(mean, rel=0.15)
        assert max(times) > 2 * min(times)


async def test_a_write_takes_effect_before_its_writer_knows() -> None:
    world = World(Random(0), 1, CALM)
    writing = asyncio.ensure_future(LocationKv(world, 0).put("a", "1", ttl_seconds=60))
    await writing
    ((version,),) = world.versions.values()
    assert 0 < version.visible[0] < asyncio.get_running_loop().time()


async def test_a_refused_write_has_no_effect() -> None:
    world = World(Random(0), 1, Weather(0, 0, 0, 0, 1, 0))
    with pytest.raises(KvError):
        await LocationKv(world, 0).put("a", "1", ttl_seconds=60)
    assert world.live_keys("a") == []


async def ticks() -> AsyncGenerator[bytes, None]:
    while True:
        await asyncio.sleep(1)
        yield b"tick"


async def test_an_isolate_that_is_replaced_goes_on_with_its_streams_until_it_has_drained() -> None:
    isolate, stream = Isolate(make_client()), ticks()
    assert await isolate.next_chunk(stream) == b"tick"
    isolate.end_in(2.5)
    assert [await isolate.next_chunk(stream) for _ in range(3)] == [b"tick", b"tick", None]
    assert asyncio.get_running_loop().time() == pytest.approx(3.5, abs=0.01)


async def test_an_isolate_that_is_replaced_cuts_a_stream_that_waits() -> None:
    isolate = Isolate(make_client())
    waiting = asyncio.ensure_future(isolate.next_chunk(ticks()))
    await asyncio.sleep(0.5)
    isolate.end_in(0)
    assert await waiting is None
    assert asyncio.get_running_loop().time() == pytest.approx(0.5, abs=0.01)


async def test_a_stream_that_fails_by_a_timeout_of_its_own_is_not_taken_for_a_cut_one() -> None:
    async def failing() -> AsyncGenerator[bytes, None]:
        raise TimeoutError
        yield b""

    with pytest.raises(TimeoutError):
        await Isolate(make_client()).next_chunk(failing())


def test_each_kind_of_run_has_each_profile() -> None:
    kinds = {(seed % 16, profile_of(seed).key) for seed in range(48)}
    assert len(kinds) == 16 * len(PROFILES)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
async def test_a_cluster_replaces_isolates_and_lets_the_old_ones_drain_for_no_longer_than_the_profile_says(
    profile: Profile,
) -> None:
    cluster = Cluster(world_of(profile, profile.places[0]), Random(0), Faults(evicted=1, elsewhere=0), profile)
    isolates = [cluster.isolate(0) for _ in range(60)]
    assert len(set(map(id, isolates))) == 60
    drains = [isolate.ends_at - asyncio.get_running_loop().time() for isolate in isolates if isolate.ends_at < inf]
    assert len(drains) == 60 - profile.isolates_per_place
    assert profile.drain_seconds * 0.9 <= max(drains) <= profile.drain_seconds
