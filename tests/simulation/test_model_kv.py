"""The model can do everything that KV may do to us; a model that is too kind would prove nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from math import ceil
from random import Random

import pytest

from simulation.model_kv import (
    CALM,
    LISTING_AGE_SECONDS,
    READ_CACHE_SECONDS,
    VISIBILITY_SECONDS,
    LocationKv,
    Weather,
    World,
)
from simulation.virtual_time import run
from waypost_worker.kv.store import KvError, list_all

Scene = Callable[[World, LocationKv, LocationKv], Awaitable[bool]]


def happens(scene: Scene, weather: Weather, tries: int = 200) -> bool:
    """Whether `scene`, played with ever other chances, comes out true at least once."""

    async def play(seed: int) -> bool:
        world = World(Random(seed), 2, weather)
        return await scene(world, LocationKv(world, 0), LocationKv(world, 1))

    return any(run(play(seed)) for seed in range(tries))


async def names(kv: LocationKv, prefix: str = "") -> list[str]:
    return [key.name async for page in list_all(kv, prefix) for key in page]


SLOW = Weather(1, 0, 0, 0, 0, 0, 0.01)


def test_a_write_can_take_a_minute_to_be_seen_elsewhere() -> None:
    async def scene(world: World, here: LocationKv, there: LocationKv) -> bool:
        await here.put("a", "1", ttl_seconds=600)
        await asyncio.sleep(50)
        return await here.get("a") == "1" and "a" not in await names(there)

    assert happens(scene, SLOW)


def test_every_write_is_seen_everywhere_in_the_end() -> None:
    async def scene(world: World, here: LocationKv, there: LocationKv) -> bool:
        await here.put("a", "1", ttl_seconds=600)
        await asyncio.sleep(125)
        return await there.get("a") != "1" or await names(there) != ["a"]

    assert not happens(scene, SLOW)


def test_a_miss_is_remembered() -> None:
    async def scene(world: World, here: LocationKv, there: LocationKv) -> bool:
        await there.get("a")
        await here.put("a", "1", ttl_seconds=600)
        await asyncio.sleep(5)
        return world.seen(1, "a", asyncio.get_running_loop().time()) is not None and await there.get("a") is None

    assert happens(scene, Weather(0.5, 0, 0, 0, 0, 0, 0.01))


def test_a_value_is_remembered() -> None:
    async def scene(world: World, here: LocationKv, there: LocationKv) -> bool:
        await here.put("a", "1", ttl_seconds=600)
        await asyncio.sleep(120)
        await there.get("a")
        await here.put("a", "2", ttl_seconds=600)
        await asyncio.sleep(30)
        return await there.get("a") == "1"

    assert happens(scene, SLOW)


def test_a_value_that_is_read_again_and_again_is_seen_half_a_minute_after_it_is_visible() -> None:
    async def scene(world: World, here: LocationKv, there: LocationKv) -> bool:
        await here.put("a", "1", ttl_seconds=600)
        seen = None
        for _ in range(ceil(VISIBILITY_SECONDS + READ_CACHE_SECONDS) + 1):
            await asyncio.sleep(1)
            seen = await there.get("a")
        return seen is None

    assert (VISIBILITY_SECONDS, READ_CACHE_SECONDS, LISTING_AGE_SECONDS) == (60, 30, 60)
    assert not happens(scene, SLOW)


def test_a_location_may_not_see_its_own_write() -> None:
    async def scene(world: World, here: LocationKv, there: LocationKv) -> bool:
        await here.put("a", "1", ttl_seconds=600)
        await asyncio.sleep(5)
        return await here.get("a") is None

    assert happens(scene, Weather(0, 0.5, 0, 0, 0, 0, 0.01))


def test_a_later_write_can_be_seen_before_an_earlier_one() -> None:
    async def scene(world: World, here: LocationKv, there: LocationKv) -> bool:
        await here.put("a", "1", ttl_seconds=600)
        await asyncio.sleep(2)
        await here.put("b", "1", ttl_seconds=600)
        await asyncio.sleep(20)
        return await names(there) == ["b"]

    assert happens(scene, SLOW)


def test_a_listing_can_be_a_minute_old() -> None:
    async def scene(world: World, here: LocationKv, there: LocationKv) -> bool:
        await here.put("a", "1", ttl_seconds=600)
        await asyncio.sleep(40)
        return await names(here) == []

    assert happens(scene, Weather(0, 0, 1, 0, 0, 0, 0.01))


def test_a_deleted_key_can_still_be_listed() -> None:
    async def scene(world: World, here: LocationKv, there: LocationKv) -> bool:
        await here.put("a", "1", ttl_seconds=600)
        await asyncio.sleep(120)
        await here.delete("a")
        await asyncio.sleep(40)
        return await names(here) == ["a"]

    assert happens(scene, Weather(0, 0, 1, 0, 0, 0, 0.01))


def test_a_listing_can_show_metadata_of_an_older_version() -> None:
    async def scene(world: World, here: LocationKv, there: LocationKv) -> bool:
        await here.put("a", "1", ttl_seconds=600, metadata="old")
        await asyncio.sleep(120)
        await here.put("a", "2", ttl_seconds=600, metadata="new")
        await asyncio.sleep(20)
        return [key.metadata for key in (await here.list("a")).keys] == ["old"]

    assert happens(scene, Weather(0, 0, 1, 0, 0, 0, 0.01))


def test_a_page_can_be_empty_with_more_to_come() -> None:
    async def scene(world: World, here: LocationKv, there: LocationKv) -> bool:
        await here.put("a", "1", ttl_seconds=600)
        page = await here.list("a")
        return page.keys == () and page.cursor is not None and await names(here) == ["a"]

    assert happens(scene, Weather(0, 0, 0, 0.3, 0, 0, 0.01))


def test_a_listing_has_pages() -> None:
    async def scene(world: World, here: LocationKv, there: LocationKv) -> bool:
        for number in range(20):
            await here.put(f"a{number:02}", "1", ttl_seconds=600)
        return len((await here.list("a")).keys) < 20 and len(await names(here)) == 20

    assert happens(scene, CALM, tries=1)


def test_a_second_write_to_a_key_within_a_second_is_refused() -> None:
    async def scene(world: World, here: LocationKv, there: LocationKv) -> bool:
        await here.put("a", "1", ttl_seconds=600)
        with pytest.raises(KvError, match="429"):
            await there.put("a", "2", ttl_seconds=600)
        await asyncio.sleep(1)
        await there.put("a", "3", ttl_seconds=600)
        return await there.get("a") == "3"

    assert happens(scene, CALM, tries=1)


@pytest.mark.parametrize("operation", ["put", "delete"])
def test_a_write_can_fail_after_it_took_effect(operation: str) -> None:
    async def scene(world: World, here: LocationKv, there: LocationKv) -> bool:
        if operation == "delete":
            world.weather = CALM
            await here.put("a", "1", ttl_seconds=600)
            await asyncio.sleep(2)
            world.weather = Weather(0, 0, 0, 0, 0, 1, 0.01)
        with pytest.raises(KvError, match="500"):
            await (here.delete("a") if operation == "delete" else here.put("a", "1", ttl_seconds=600))
        return (world.live_keys("a") == ["a"]) is (operation == "put")

    assert happens(scene, Weather(0, 0, 0, 0, 0, 1, 0.01), tries=1)


@pytest.mark.parametrize("operation", ["get", "list", "put", "delete"])
def test_every_operation_can_be_refused(operation: str) -> None:
    async def scene(world: World, here: LocationKv, there: LocationKv) -> bool:
        work = {
            "get": lambda: here.get("a"),
            "list": lambda: here.list("a"),
            "put": lambda: here.put("a", "1", ttl_seconds=600),
            "delete": lambda: here.delete("a"),
        }[operation]
        with pytest.raises(KvError):
            await work()
        return world.live_keys("a") == []

    assert happens(scene, Weather(0, 0, 0, 0, 1, 0, 0.01), tries=1)


def test_an_expired_key_is_removed_late_but_removed() -> None:
    async def late(world: World, here: LocationKv, there: LocationKv) -> bool:
        await here.put("a", "1", ttl_seconds=60)
        await asyncio.sleep(90)
        return await names(here) == ["a"]

    async def gone(world: World, here: LocationKv, there: LocationKv) -> bool:
        await here.put("a", "1", ttl_seconds=60)
        await asyncio.sleep(121)
        return await names(here) == []

    assert happens(late, CALM)
    assert happens(gone, CALM, tries=1)


async def test_the_weather_comes_from_the_seed_alone() -> None:
    async def look(seed: int) -> list[str]:
        world = World(Random(seed), 2, Weather(0.5, 0.1, 0.5, 0.1, 0.1, 0.1, 0.03))
        seen = []
        for number in range(30):
            try:
                await LocationKv(world, number % 2).put(f"k{number}", "1", ttl_seconds=60)
                seen += await names(LocationKv(world, 0))
            except KvError as error:
                seen.append(str(error))
        return seen

    assert await look(3) == await look(3)
    assert await look(3) != await look(4)
