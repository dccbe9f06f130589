"""A bell wakes whoever waits, or whoever waits next; time that passes wakes them too."""

import asyncio

import pytest

from simulation.virtual_time import VirtualClock
from tests.support.wakeups import CountingWakeup
from waypost_worker.clock import Wakeups


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_wait_ends_when_it_is_rung():
    wakeup = VirtualClock().wakeup()
    asyncio.get_running_loop().call_later(3, wakeup.set)
    await wakeup.wait(10)
    assert 3 <= now() < 3.01


async def test_a_wait_ends_with_its_time():
    await VirtualClock().wakeup().wait(10)
    assert 10 <= now() < 10.01


async def test_what_was_rung_before_the_wait_is_heard_once():
    wakeup = VirtualClock().wakeup()
    wakeup.set()
    wakeup.set()
    await wakeup.wait(10)
    assert now() == 0
    await wakeup.wait(10)
    assert 10 <= now() < 10.01


async def test_a_bell_can_be_waited_for_again_after_a_wait_was_given_up():
    wakeup = VirtualClock().wakeup()
    waiting = asyncio.ensure_future(wakeup.wait(10))
    await asyncio.sleep(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    wakeup.set()
    await wakeup.wait(10)
    assert 1 <= now() < 1.01


def test_bells_are_rung_for_as_long_as_somebody_listens():
    wakeups, first, second = Wakeups(), CountingWakeup(), CountingWakeup()
    with wakeups.subscribe(first):
        with wakeups.subscribe(second):
            wakeups.set()
            assert len(wakeups) == 2
        wakeups.set()
    wakeups.set()
    assert (first.rung, second.rung, len(wakeups)) == (2, 1, 0)


def test_a_bell_whose_loop_is_gone_is_forgotten_when_it_would_be_rung():
    wakeups, here, gone = Wakeups(), CountingWakeup(), CountingWakeup()
    with wakeups.subscribe(here), wakeups.subscribe(gone):
        gone.gone = True
        wakeups.set()
        assert (here.rung, gone.rung, len(wakeups)) == (1, 0, 1)
    assert len(wakeups) == 0
