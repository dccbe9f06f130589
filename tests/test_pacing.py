"""When to look: soon after traffic, ever less often without it."""

from waypost.pacing import Pacing
from waypost.plans import FREE, PAID

MAX = 5000


def intervals(pacing: Pacing, count: int) -> list[int]:
    found, now = [], 0
    for _ in range(count):
        pacing.looked(now)
        found.append(pacing.next_look_ms - now)
        now = pacing.next_look_ms
    return found


def test_the_first_look_is_at_once():
    assert Pacing(PAID, MAX, 1000).next_look_ms == 1000


def test_looks_that_find_nothing_get_rarer_up_to_the_greatest_interval():
    assert intervals(Pacing(PAID, MAX, 0), 7) == [250, 500, 1000, 2000, 4000, 5000, 5000]


def test_what_the_store_had_makes_the_looks_frequent_again():
    pacing = Pacing(PAID, MAX, 0)
    intervals(pacing, 10)
    pacing.found(100_000)
    pacing.looked(100_000)
    assert pacing.next_look_ms == 100_250


def test_a_hint_makes_the_ticks_frequent_and_not_the_looks():
    pacing = Pacing(PAID, MAX, 0)
    intervals(pacing, 10)
    pacing.looked(100_000)
    pacing.hinted(101_000)
    assert pacing.next_look_ms == 105_000
    assert pacing.tick_seconds(101_000) == 0.010
    pacing.looked(105_000)
    assert pacing.next_look_ms == 110_000


def test_failures_slow_the_looks_down_faster_and_say_for_how_long():
    pacing = Pacing(PAID, MAX, 0)
    assert [pacing.failed(0) for _ in range(5)] == [1000, 4000, 5000, 5000, 5000]
    assert pacing.next_look_ms == 5000


def test_ticks_are_short_under_traffic_and_longer_at_rest():
    pacing = Pacing(PAID, MAX, 0)
    pacing.looked(60_000)
    pacing.next_look_ms = 10**9
    assert pacing.tick_seconds(0) == 0.010
    assert pacing.tick_seconds(3000) == 0.030
    assert pacing.tick_seconds(60_000) == 0.060


def test_no_tick_passes_the_next_look_and_none_is_zero():
    pacing = Pacing(PAID, MAX, 0)
    pacing.looked(0)
    assert pacing.tick_seconds(245) == 0.005
    assert pacing.tick_seconds(250) == 0.001
    assert pacing.tick_seconds(900) == 0.001


def test_a_stream_of_the_free_plan_can_idle_through_its_time_within_its_operations():
    looks, now, pacing = 0, 0, Pacing(FREE, FREE.poll_max_ms, 0)
    while now < FREE.stream_seconds * 1000:
        pacing.looked(now)
        looks, now = looks + 1, pacing.next_look_ms
    assert looks < FREE.operations_per_invocation
