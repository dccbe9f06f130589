"""Hints: what was noted since a mark, and never more than there is room for."""

import asyncio
from contextlib import ExitStack

from simulation.virtual_time import LoopBell
from tests.test_wakeups import Counter
from waypost_worker.limits import MAX_HINT_CHANNELS, MAX_HINTS_PER_CHANNEL
from waypost_worker.polling.local_channel import Hints


def noted(*items: tuple[str, int]) -> Hints[int]:
    hints: Hints[int] = Hints()
    for channel, item in items:
        hints.note(channel, item)
    return hints


def test_a_reader_sees_what_was_noted_after_its_mark_oldest_first():
    hints = noted(("a", 1))
    mark = hints.mark()
    hints.note("a", 2)
    hints.note("a", 3)
    assert hints.since("a", mark) == [2, 3]
    assert hints.since("a", 0) == [1, 2, 3]


def test_nothing_new_is_nothing():
    hints = noted(("a", 1))
    assert hints.since("a", hints.mark()) == []
    assert hints.since("b", 0) == []


def test_channels_do_not_hear_each_other():
    hints = noted(("a", 1), ("b", 2))
    assert hints.since("a", 0) == [1]


def test_a_channel_keeps_its_latest_items():
    hints = noted(*(("a", item) for item in range(MAX_HINTS_PER_CHANNEL + 1)))
    assert hints.since("a", 0) == list(range(1, MAX_HINTS_PER_CHANNEL + 1))


def test_the_channel_that_was_noted_longest_ago_goes_first():
    hints = noted(("old", 1), ("older", 1), ("old", 2), *((f"c{n}", n) for n in range(MAX_HINT_CHANNELS - 1)))
    assert hints.since("older", 0) == []
    assert hints.since("old", 0) == [1, 2]
    assert hints.since("c0", 0) == [0]


async def test_a_note_wakes_those_who_listen_on_its_channel_for_as_long_as_they_do():
    async def was_rung(bell: LoopBell) -> bool:
        began = asyncio.get_running_loop().time()
        await bell.wait(1)
        return asyncio.get_running_loop().time() == began

    hints: Hints[int] = Hints()
    bell, other = LoopBell(), LoopBell()
    with hints.listening("a", bell):
        with hints.listening("a", other):
            assert hints.listeners == 1
            hints.note("a", 1)
            assert await was_rung(bell)
            assert await was_rung(other)
            hints.note("b", 1)
            assert not await was_rung(bell)
        hints.note("a", 2)
        assert await was_rung(bell)
        assert not await was_rung(other)
    hints.note("a", 3)
    assert not await was_rung(bell)
    assert hints.listeners == 0


def test_those_whose_loops_are_gone_take_no_room_for_ever():
    hints: Hints[int] = Hints()
    bells = [Counter() for _ in range(MAX_HINT_CHANNELS)]
    # Never left: the platform ends a request, and nobody comes back.
    never_left = [hints.listening(f"c{number}", bell) for number, bell in enumerate(bells)]
    with ExitStack() as stack:
        for listening in never_left:
            listening.__enter__()
        stack.enter_context(hints.listening("one more", Counter()))
        assert hints.listeners == MAX_HINT_CHANNELS + 1
        for bell in bells[1:]:
            bell.gone = True
        for number in range(MAX_HINT_CHANNELS):
            stack.enter_context(hints.listening(f"d{number}", Counter()))
        assert hints.listeners == MAX_HINT_CHANNELS + 2
    assert hints.listeners == 1
    assert len(never_left) == MAX_HINT_CHANNELS
    hints.note("c0", 1)
    assert bells[0].rung == 1
