"""The local channel: the items published after a position, within bounds."""

import asyncio
from contextlib import ExitStack

from simulation.virtual_time import LoopWakeup
from tests.support.builders import SetClock
from tests.support.wakeups import CountingWakeup
from waypost_worker.limits import (
    MAX_LOCAL_BYTES,
    MAX_LOCAL_ITEMS_PER_TOPIC,
    MAX_LOCAL_TOPICS,
    REORDER_WINDOW_SECONDS,
)
from waypost_worker.polling.local_channel import ITEM_BYTES, LocalChannel


def channel_of(*items: tuple[str, int]) -> LocalChannel[int]:
    channel: LocalChannel[int] = LocalChannel(SetClock())
    for topic, item in items:
        channel.publish(topic, item)
    return channel


def test_a_reader_sees_the_items_after_its_position_oldest_first():
    channel = channel_of(("a", 1))
    position = channel.position()
    channel.publish("a", 2)
    channel.publish("a", 3)
    assert channel.since("a", position) == [2, 3]
    assert channel.since("a", 0) == [1, 2, 3]


def test_without_new_items_there_are_none():
    channel = channel_of(("a", 1))
    assert channel.since("a", channel.position()) == []
    assert channel.since("b", 0) == []


def test_topics_are_separate():
    channel = channel_of(("a", 1), ("b", 2))
    assert channel.since("a", 0) == [1]


def test_a_topic_keeps_its_latest_items():
    channel = channel_of(*(("a", item) for item in range(MAX_LOCAL_ITEMS_PER_TOPIC + 1)))
    assert channel.since("a", 0) == list(range(1, MAX_LOCAL_ITEMS_PER_TOPIC + 1))


def test_the_topic_with_the_oldest_last_item_is_dropped_first():
    channel = channel_of(("old", 1), ("older", 1), ("old", 2), *((f"c{n}", n) for n in range(MAX_LOCAL_TOPICS - 1)))
    assert channel.since("older", 0) == []
    assert channel.since("old", 0) == [1, 2]
    assert channel.since("c0", 0) == [0]


async def test_an_item_wakes_the_subscribers_of_its_topic():
    async def was_woken(wakeup: LoopWakeup) -> bool:
        began = asyncio.get_running_loop().time()
        await wakeup.wait(1)
        return asyncio.get_running_loop().time() == began

    channel: LocalChannel[int] = LocalChannel(SetClock())
    wakeup, other = LoopWakeup(), LoopWakeup()
    with channel.subscribe("a", wakeup):
        with channel.subscribe("a", other):
            assert channel.listeners == 1
            channel.publish("a", 1)
            assert await was_woken(wakeup)
            assert await was_woken(other)
            channel.publish("b", 1)
            assert not await was_woken(wakeup)
        channel.publish("a", 2)
        assert await was_woken(wakeup)
        assert not await was_woken(other)
    channel.publish("a", 3)
    assert not await was_woken(wakeup)
    assert channel.listeners == 0


def test_lost_wakeups_are_dropped():
    channel: LocalChannel[int] = LocalChannel(SetClock())
    wakeups = [CountingWakeup() for _ in range(MAX_LOCAL_TOPICS)]
    # Never left: the platform ends the request without running its code.
    never_left = [channel.subscribe(f"c{number}", wakeup) for number, wakeup in enumerate(wakeups)]
    with ExitStack() as stack:
        for listening in never_left:
            listening.__enter__()
        stack.enter_context(channel.subscribe("one more", CountingWakeup()))
        assert channel.listeners == MAX_LOCAL_TOPICS + 1
        for wakeup in wakeups[1:]:
            wakeup.gone = True
        for number in range(MAX_LOCAL_TOPICS):
            stack.enter_context(channel.subscribe(f"d{number}", CountingWakeup()))
        assert channel.listeners == MAX_LOCAL_TOPICS + 2
    assert channel.listeners == 1
    assert len(never_left) == MAX_LOCAL_TOPICS
    channel.publish("c0", 1)
    assert wakeups[0].times_set == 1


def test_items_are_dropped_once_every_reader_has_found_them_in_the_store():
    clock = SetClock()
    channel: LocalChannel[int] = LocalChannel(clock)
    channel.publish("a", 1)
    clock.ms += 1000
    channel.publish("b", 2)
    clock.ms += REORDER_WINDOW_SECONDS * 1000 - 1000
    channel.publish("b", 3)
    assert channel.since("a", 0) == [1]
    clock.ms += 1
    channel.publish("b", 4)
    assert (channel.since("a", 0), channel.since("b", 0)) == ([], [2, 3, 4])
    clock.ms += 1000
    channel.publish("b", 5)
    assert channel.since("b", 0) == [3, 4, 5]


def test_all_items_together_have_a_bounded_number_of_bytes():
    channel: LocalChannel[int] = LocalChannel(SetClock())
    size = MAX_LOCAL_BYTES // 4 - ITEM_BYTES
    for number in range(4):
        channel.publish(f"c{number}", number, size)
    assert (channel.since("c0", 0), channel.bytes) == ([0], MAX_LOCAL_BYTES // 4 * 4)
    channel.publish("c4", 4, 1)
    assert (channel.since("c0", 0), channel.since("c1", 0)) == ([], [1])
    for number in range(5):
        channel.publish("c4", number, size)
    assert channel.bytes <= MAX_LOCAL_BYTES


def test_dropped_items_are_gone_and_cost_nothing():
    channel = channel_of(("a", 1), ("a", 2), ("b", 3))
    channel.drop("a", lambda item: item == 1)
    assert (channel.since("a", 0), channel.since("b", 0), channel.bytes) == ([2], [3], 2 * ITEM_BYTES)
    channel.drop("a", lambda item: True)
    channel.drop("never", lambda item: True)
    assert (channel.since("a", 0), channel.bytes) == ([], ITEM_BYTES)
    channel.publish("a", 4)
    assert channel.since("a", 0) == [4]


def test_loops_can_be_woken_without_an_item():
    channel, wakeup = channel_of(), CountingWakeup()
    with channel.subscribe("a", wakeup):
        channel.wake("a")
        channel.wake("b")
    assert (wakeup.times_set, channel.since("a", 0)) == (1, [])
