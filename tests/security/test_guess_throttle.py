"""Guessing codes is throttled: over its budget an address learns nothing more, not from hits either."""

from contextlib import ExitStack

import pytest

from tests.support.builders import SetClock
from tests.support.limiters import Budget
from waypost_worker.errors import RateLimited
from waypost_worker.limits import MAX_BLOCKED_ADDRESSES, MAX_LOOKUPS_AT_ONCE
from waypost_worker.security.guess_throttle import GuessThrottle

GUESSER, OTHER = "192.0.2.1", "192.0.2.2"


def is_blocked(throttle: GuessThrottle, address: str | None) -> bool:
    try:
        throttle.check(address)
    except RateLimited:
        return True
    return False


async def guess(throttle: GuessThrottle, address: str | None, times: int) -> None:
    for _ in range(times):
        await throttle.miss(address)


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
    others = [f"10.0.{number // 256}.{number % 256}" for number in range(MAX_BLOCKED_ADDRESSES - 1)]
    for address in (GUESSER, OTHER, GUESSER, *others):
        with pytest.raises(RateLimited):
            await throttle.miss(address)
    assert not is_blocked(throttle, OTHER)
    assert is_blocked(throttle, GUESSER)
    assert is_blocked(throttle, others[0])


def test_of_one_address_only_some_codes_are_looked_up_at_once():
    throttle = GuessThrottle(Budget(0), SetClock())
    with ExitStack() as on_their_way:
        for _ in range(MAX_LOOKUPS_AT_ONCE):
            on_their_way.enter_context(throttle.looking_up(GUESSER))
        with pytest.raises(RateLimited) as caught:
            on_their_way.enter_context(throttle.looking_up(GUESSER))
        assert caught.value.retry_after_seconds == 1
        with throttle.looking_up(OTHER):
            pass
    with throttle.looking_up(GUESSER):
        pass


def test_a_lookup_that_fails_is_over_too():
    throttle = GuessThrottle(Budget(100), SetClock())
    for _ in range(MAX_LOOKUPS_AT_ONCE + 1):
        with pytest.raises(KeyError), throttle.looking_up(GUESSER):
            raise KeyError


async def test_nothing_is_looked_up_for_an_address_that_is_blocked():
    throttle = GuessThrottle(Budget(0), SetClock())
    with pytest.raises(RateLimited):
        await guess(throttle, GUESSER, 1)
    with pytest.raises(RateLimited) as caught, throttle.looking_up(GUESSER):
        raise AssertionError
    assert caught.value.retry_after_seconds == 60


def test_without_a_limiter_any_number_is_looked_up_at_once():
    throttle = GuessThrottle(None, SetClock())
    with ExitStack() as on_their_way:
        for _ in range(MAX_LOOKUPS_AT_ONCE + 1):
            on_their_way.enter_context(throttle.looking_up(GUESSER))
