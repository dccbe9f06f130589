"""Guessing codes is throttled: over its budget an address learns nothing more, not from hits either."""

import tracemalloc
from contextlib import ExitStack
from itertools import count

import pytest

from tests.support.builders import SetClock
from tests.support.limiters import Budget
from waypost_worker.errors import RateLimited
from waypost_worker.limits import MAX_CACHE_BYTES, MAX_LOOKUPS_AT_ONCE, MAX_REMEMBERED_GUESSES, SERVED_CODE_SECONDS
from waypost_worker.security.guess_throttle import GuessThrottle

NUMBERS = count()
GUESSER, OTHER = "192.0.2.1", "192.0.2.2"


def is_blocked(throttle: GuessThrottle, address: str | None) -> bool:
    try:
        throttle.check(address)
    except RateLimited:
        return True
    return False


async def guess(throttle: GuessThrottle, address: str | None, times: int) -> None:
    for number in range(times):
        await throttle.miss(address, f"{address} {number}")


async def test_misses_within_the_budget_block_nobody():
    throttle = GuessThrottle(Budget(2), SetClock())
    await guess(throttle, GUESSER, 2)
    assert not is_blocked(throttle, GUESSER)


async def test_the_miss_over_the_budget_is_refused_and_the_address_blocked_for_a_minute():
    clock = SetClock()
    throttle = GuessThrottle(Budget(2), clock)
    with pytest.raises(RateLimited) as caught:
        await guess(throttle, GUESSER, 3)
    assert caught.value.retry_after_seconds == 60
    clock.ms += 59_999
    assert is_blocked(throttle, GUESSER)
    clock.ms += 1
    assert not is_blocked(throttle, GUESSER)


async def test_one_address_does_not_block_another():
    throttle = GuessThrottle(Budget(0), SetClock())
    with pytest.raises(RateLimited):
        await guess(throttle, GUESSER, 1)
    assert not is_blocked(throttle, OTHER)


async def test_the_addresses_of_one_network_share_one_budget():
    throttle = GuessThrottle(Budget(1), SetClock())
    await guess(throttle, "2001:db8:1:2::1", 1)
    with pytest.raises(RateLimited):
        await guess(throttle, "2001:db8:1:2:ffff::2", 1)
    assert is_blocked(throttle, "2001:db8:1:2:3::3")
    assert not is_blocked(throttle, "2001:db8:1:3::1")


async def test_callers_without_an_address_share_one_budget():
    throttle = GuessThrottle(Budget(0), SetClock())
    with pytest.raises(RateLimited):
        await guess(throttle, None, 1)
    assert is_blocked(throttle, None)
    assert not is_blocked(throttle, OTHER)


async def test_without_a_limiter_nothing_is_throttled():
    throttle = GuessThrottle(None, SetClock())
    await guess(throttle, GUESSER, 1000)
    assert not is_blocked(throttle, GUESSER)


async def test_the_address_that_was_blocked_longest_ago_is_forgotten_first():
    throttle = GuessThrottle(Budget(0), SetClock())
    others = [f"10.0.{number // 256}.{number % 256}" for number in range(MAX_REMEMBERED_GUESSES - 1)]
    for address in (GUESSER, OTHER, GUESSER, *others):
        with pytest.raises(RateLimited):
            await throttle.miss(address, f"{next(NUMBERS)}")
    assert not is_blocked(throttle, OTHER)
    assert is_blocked(throttle, GUESSER)
    assert is_blocked(throttle, others[0])


def test_of_one_address_only_some_codes_are_looked_up_at_once():
    throttle = GuessThrottle(Budget(0), SetClock())
    with ExitStack() as on_their_way:
        for _ in range(MAX_LOOKUPS_AT_ONCE):
            on_their_way.enter_context(throttle.looking_up(GUESSER, f"{next(NUMBERS)}"))
        with pytest.raises(RateLimited) as caught:
            on_their_way.enter_context(throttle.looking_up(GUESSER, f"{next(NUMBERS)}"))
        assert caught.value.retry_after_seconds == 1
        with throttle.looking_up(OTHER, f"{next(NUMBERS)}"):
            pass
    with throttle.looking_up(GUESSER, f"{next(NUMBERS)}"):
        pass


def test_a_lookup_that_fails_is_over_too():
    throttle = GuessThrottle(Budget(100), SetClock())
    for _ in range(MAX_LOOKUPS_AT_ONCE + 1):
        with pytest.raises(KeyError), throttle.looking_up(GUESSER, f"{next(NUMBERS)}"):
            raise KeyError


async def test_nothing_is_looked_up_for_an_address_that_is_blocked():
    throttle = GuessThrottle(Budget(0), SetClock())
    with pytest.raises(RateLimited):
        await guess(throttle, GUESSER, 1)
    with pytest.raises(RateLimited) as caught, throttle.looking_up(GUESSER, f"{next(NUMBERS)}"):
        raise AssertionError
    assert caught.value.retry_after_seconds == 60


def test_without_a_limiter_any_number_is_looked_up_at_once():
    throttle = GuessThrottle(None, SetClock())
    with ExitStack() as on_their_way:
        for _ in range(MAX_LOOKUPS_AT_ONCE + 1):
            on_their_way.enter_context(throttle.looking_up(GUESSER, f"{next(NUMBERS)}"))


def is_refused(throttle: GuessThrottle, address: str, code: str) -> bool:
    try:
        with throttle.looking_up(address, code):
            return False
    except RateLimited:
        return True


async def test_the_same_wrong_code_counts_once_a_minute():
    clock, budget = SetClock(), Budget(100)
    throttle = GuessThrottle(budget, clock)
    for _ in range(50):
        await throttle.miss(GUESSER, "DEAD0000")
    assert budget.counts == {GUESSER: 1}
    await throttle.miss(GUESSER, "DEAD0001")
    await throttle.miss(OTHER, "DEAD0000")
    assert budget.counts == {GUESSER: 2, OTHER: 1}
    # Asking for it again does not put the end of its minute off.
    clock.ms += 59_999
    await throttle.miss(GUESSER, "DEAD0000")
    assert budget.counts[GUESSER] == 2
    clock.ms += 1
    await throttle.miss(GUESSER, "DEAD0000")
    assert budget.counts[GUESSER] == 3


async def test_a_code_that_an_address_was_served_with_is_looked_up_while_it_is_refused_others():
    throttle = GuessThrottle(Budget(0), SetClock())
    throttle.hit(GUESSER, "LIVE0000")
    throttle.hit(OTHER, "LIVE0001")
    with pytest.raises(RateLimited):
        await throttle.miss(GUESSER, "DEAD0000")
    assert not is_refused(throttle, GUESSER, "LIVE0000")
    assert is_refused(throttle, GUESSER, "LIVE0001")
    assert is_refused(throttle, GUESSER, "DEAD0000")


async def test_a_code_that_was_served_and_is_dead_by_now_is_one_like_others():
    throttle = GuessThrottle(Budget(0), SetClock())
    throttle.hit(GUESSER, "LIVE0000")
    with pytest.raises(RateLimited):
        await throttle.miss(GUESSER, "LIVE0000")
    assert is_refused(throttle, GUESSER, "LIVE0000")


async def test_a_code_that_was_served_is_remembered_for_an_hour_after_the_last_time():
    clock = SetClock()
    throttle = GuessThrottle(Budget(0), clock)
    for seconds in (0, SERVED_CODE_SECONDS - 1, SERVED_CODE_SECONDS - 1, 1):
        clock.ms += seconds * 1000
        if seconds != 1:
            throttle.hit(GUESSER, "LIVE0000")
    with pytest.raises(RateLimited):
        await throttle.miss(GUESSER, "DEAD0000")
    assert not is_refused(throttle, GUESSER, "LIVE0000")
    clock.ms += (SERVED_CODE_SECONDS - 1) * 1000
    with pytest.raises(RateLimited):
        await throttle.miss(GUESSER, "DEAD0000")
    assert is_refused(throttle, GUESSER, "LIVE0000")


async def test_what_is_remembered_is_bounded_in_number_bytes_and_age():
    clock = SetClock()
    throttle = GuessThrottle(Budget(10**9), clock)
    tracemalloc.start()
    for number in range(MAX_REMEMBERED_GUESSES + 1000):
        throttle.hit(GUESSER, f"{number}")
        await throttle.miss(GUESSER, f"{number} {'x' * 4000}")
    assert tracemalloc.get_traced_memory()[0] < 2 * MAX_CACHE_BYTES
    tracemalloc.stop()
    clock.ms += SERVED_CODE_SECONDS * 1000
    throttle.hit(GUESSER, "LIVE0000")
    await throttle.miss(GUESSER, "DEAD0000")
    tables = (throttle._served, throttle._missed)
    assert [len(table) for table in tables] == [1, 1]
