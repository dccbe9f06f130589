"""Round trips are counted along the path that a caller waits for, and nothing else is taken for one."""

import asyncio

import pytest

from simulation.round_trips import UNIT_SECONDS, Scene, Waited, WaitsForATimer, counted


def test_operations_after_each_other_count_each_and_concurrent_ones_once() -> None:
    async def story(scene: Scene) -> Waited:
        async def work() -> None:
            await asyncio.gather(scene.kv.get("a"), scene.kv.get_many(["b", "c"]), scene.kv.list("d"))
            await scene.kv.put("a", "1", ttl_seconds=60)
            await scene.kv.delete("a")

        return await scene.waited(work())

    assert counted(story) == Waited(3, {"read": 3, "list": 1, "write": 1, "delete": 1})


def test_what_goes_on_in_the_background_is_paid_and_not_waited_for() -> None:
    async def story(scene: Scene) -> Waited:
        async def later() -> None:
            await scene.kv.put("a", "1", ttl_seconds=60)
            await scene.kv.delete("a")

        async def work() -> None:
            scene.start(later())
            await scene.kv.get("a")

        return await scene.waited(work())

    assert counted(story) == Waited(1, {"read": 1, "write": 1, "delete": 1})


def test_a_caller_that_waits_for_a_timer_is_no_round_trip() -> None:
    async def story(scene: Scene) -> Waited:
        return await scene.waited(asyncio.sleep(UNIT_SECONDS / 2))

    with pytest.raises(WaitsForATimer):
        counted(story)


def test_the_silence_of_a_model_is_not_counted() -> None:
    async def story(scene: Scene) -> Waited:
        async def work() -> float:
            await scene.kv.get("a")
            await asyncio.sleep(1.003)
            return 1.003

        return await scene.waited(work())

    assert counted(story).round_trips == 1
