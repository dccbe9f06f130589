"""The poll schedule: short intervals after a message, exponential back-off without one; few looks with a key."""

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


def asleep(now_ms: int = 0, *, is_only_reader: bool = False) -> PollSchedule:
    """A schedule with a wake-up key, after its first look."""
    schedule = PollSchedule(PAID, MAX, now_ms, 0, 4000, asleep_ms=60_000, is_only_reader=is_only_reader)
    schedule.has_key = True
    schedule.looked(now_ms)
    return schedule


def wake_ups(schedule: PollSchedule, count: int) -> list[int]:
    """When it reads its wake-up key from now on, if that never changes."""
    times = []
    for _ in range(count):
        times.append(schedule.next_wake_up_ms)
        schedule.read_wake_up(times[-1])
    return times


def test_with_a_wake_up_key_that_is_read_often_looks_are_few():
    schedule = asleep()
    assert (schedule.next_look_ms, schedule.due_ms) == (60_000, PAID.wake_up_min_ms)
    assert wake_ups(schedule, 6) == [500, 1000, 2000, 4000, 8000, 12_000]


def test_a_loop_whose_wake_up_names_a_message_looks_until_it_is_found():
    schedule = asleep()
    wake_ups(schedule, 5)
    schedule.woken(10_000)
    assert schedule.next_look_ms == 10_000
    schedule.looked(10_000, expects=True)
    schedule.looked(schedule.next_look_ms, expects=True)
    assert schedule.next_look_ms == 10_000 + PAID.poll_min_ms * 3
    schedule.looked(schedule.next_look_ms)
    assert schedule.next_look_ms == 71_000
    # Before the message the key was read each 4 s.
    assert wake_ups(schedule, 2)[1] - 12_000 == PAID.wake_up_min_ms


def test_a_message_that_is_never_found_is_given_up():
    schedule, now = asleep(), 10_000
    schedule.woken(now)
    for _ in range(5):
        schedule.looked(now, expects=True)
        now = schedule.next_look_ms
    assert now - 10_000 < 2 * MAX
    schedule.looked(now, expects=True)
    assert schedule.next_look_ms - now >= 60_000


def test_a_message_that_has_one_reader_is_not_given_up():
    schedule, now = asleep(is_only_reader=True), 10_000
    schedule.woken(now)
    for _ in range(20):
        schedule.looked(now, expects=True)
        assert schedule.next_look_ms - now <= MAX + COALESCED_MS
        now = schedule.next_look_ms
    schedule.looked(now)
    assert schedule.next_look_ms - now >= 60_000


def test_the_key_is_not_read_when_a_look_is_due_which_says_more():
    schedule = asleep()
    assert not schedule.is_wake_up_due(499)
    assert schedule.is_wake_up_due(500)
    schedule.look_now(500)
    assert not schedule.is_wake_up_due(500)


def test_a_loop_that_loses_its_key_looks_as_often_as_one_without():
    schedule = asleep()
    schedule.lost_key(1000)
    assert schedule.due_ms == schedule.next_look_ms == 1000 + PAID.poll_min_ms
    schedule.look_now(1100)
    schedule.lost_key(1100)
    assert schedule.next_look_ms == 1100


def test_a_loop_whose_store_fails_does_not_read_the_key_before_its_next_look():
    schedule = asleep()
    schedule.failed(500)
    assert schedule.next_wake_up_ms == schedule.next_look_ms == 1500


def test_a_schedule_that_goes_on_knows_when_the_key_is_to_be_read():
    schedule, next_one = asleep(), PollSchedule(PAID, MAX, 50_000, 0, wake_up_max_ms=4000, asleep_ms=60_000)
    wake_ups(schedule, 9)
    next_one.go_on(schedule.pace)
    assert (next_one.pace, next_one.due_ms) == (schedule.pace, schedule.due_ms)


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
