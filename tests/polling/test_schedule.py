"""The poll schedule: short intervals after a message, exponential back-off without one."""

import pytest

from simulation.seeded_random import SeededRandom
from simulation.virtual_time import VirtualClock
from waypost_worker.context.isolate import Isolate
from waypost_worker.polling.plans import FREE, PAID
from waypost_worker.polling.schedule import COALESCE_ABOVE_MS, COALESCED_MS, PollSchedule

MAX = 5000


def look_times(schedule: PollSchedule, count: int, began_ms: int = 0) -> list[int]:
    """When it looks from now on, if every look finds nothing."""
    times = [began_ms]
    for _ in range(count):
        schedule.looked(times[-1])
        times.append(schedule.next_look_ms)
    return times


def test_the_first_look_is_immediate():
    assert PollSchedule(PAID, MAX, 1000).next_look_ms == 1000


def test_looks_that_find_nothing_back_off_to_the_longest_interval():
    # From 3,750 on they are delayed to a whole half second.
    assert look_times(PollSchedule(PAID, MAX, 0), 7) == [0, 250, 750, 1750, 3750, 8000, 13_000, 18_000]


def test_a_message_makes_the_interval_short_again():
    schedule = PollSchedule(PAID, MAX, 0)
    look_times(schedule, 10)
    schedule.found()
    schedule.looked(100_000)
    assert schedule.next_look_ms == 100_250


def test_failures_back_off_faster_and_return_the_time():
    schedule = PollSchedule(PAID, MAX, 0)
    assert [schedule.failed(0) for _ in range(5)] == [1000, 4000, 5000, 5000, 5000]
    assert schedule.next_look_ms == 5000


@pytest.mark.parametrize("phase_ms", [0, 123, COALESCED_MS - 1])
def test_looks_at_long_intervals_coalesce_within_an_isolate(phase_ms: int):
    for began in range(0, 6000, 37):
        times = look_times(PollSchedule(PAID, MAX, began, phase_ms), 12, began)
        late = [after - before - MAX for before, after in zip(times[6:], times[7:], strict=False)]
        assert {time % COALESCED_MS for time in times[6:]} == {phase_ms}
        assert all(0 <= each < COALESCED_MS for each in late)


def test_looks_at_short_intervals_are_not_delayed():
    times = look_times(PollSchedule(PAID, MAX, 37, phase_ms=123), 4, 37)
    assert [after - before for before, after in zip(times, times[1:], strict=False)] == [
        250,
        500,
        1000,
        COALESCE_ABOVE_MS,
    ]


def test_a_stream_of_the_free_plan_can_idle_through_its_time_within_its_operations():
    looks, now, schedule = 0, 0, PollSchedule(FREE, FREE.poll_max_ms, 0)
    while now < FREE.stream_seconds * 1000:
        schedule.looked(now)
        looks, now = looks + 1, schedule.next_look_ms
    assert looks < FREE.operations_per_invocation


def test_isolates_look_at_different_times_of_a_half_second():
    phases = {Isolate(VirtualClock(), SeededRandom(seed)).phase_ms for seed in range(50)}
    assert len(phases) > 30
    assert all(0 <= phase < COALESCED_MS for phase in phases)
