"""A wakeup ends the present wait, or the next one; so does its time-out."""

import asyncio

import pytest

from simulation.virtual_time import VirtualClock
from tests.support.wakeups import CountingWakeup
from waypost_worker.clock import Wakeups


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_wait_ends_when_its_wakeup_is_set():
    wakeup = VirtualClock().wakeup()
    asyncio.get_running_loop().call_later(3, wakeup.set)
    await wakeup.wait(10)
    assert 3 <= now() < 3.01


async def test_a_wait_ends_with_its_time():
    await VirtualClock().wakeup().wait(10)
    assert 10 <= now() < 10.01


async def test_a_wakeup_set_before_the_wait_ends_one_wait():
    wakeup = VirtualClock().wakeup()
    wakeup.set()
    wakeup.set()
    await wakeup.wait(10)
    assert now() == 0
    await wakeup.wait(10)
    assert 10 <= now() < 10.01


async def test_a_wakeup_works_again_after_a_wait_was_cancelled():
    wakeup = VirtualClock().wakeup()
    waiting = asyncio.ensure_future(wakeup.wait(10))
    await asyncio.sleep(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    wakeup.set()
    await wakeup.wait(10)
    assert 1 <= now() < 1.01


def test_wakeups_are_set_while_they_are_subscribed():
    wakeups, first, second = Wakeups(), CountingWakeup(), CountingWakeup()
    with wakeups.subscribe(first):
        with wakeups.subscribe(second):
            wakeups.set()
            assert len(wakeups) == 2
        wakeups.set()
    wakeups.set()
    assert (first.times_set, second.times_set, len(wakeups)) == (2, 1, 0)


def test_a_lost_wakeup_is_dropped_instead_of_set():
    wakeups, here, gone = Wakeups(), CountingWakeup(), CountingWakeup()
    with wakeups.subscribe(here), wakeups.subscribe(gone):
        gone.gone = True
        wakeups.set()
        assert (here.times_set, gone.times_set, len(wakeups)) == (1, 0, 1)
    assert len(wakeups) == 0
