"""Budgets: spent by name and key, refused with a sentence, and nothing bounded where nothing is bound."""

import pytest

from tests.support.limiters import Budget
from waypost_worker.errors import RateLimited
from waypost_worker.security.rate_limits import OF_ADDRESS, REFUSALS, Limit, RateLimits

ADDRESS = "2001:db8:1:2::1"


async def test_a_budget_is_spent_for_each_key_apart():
    limits = RateLimits({Limit.REQUEST: Budget(1)})
    await limits.spend(Limit.REQUEST, "one")
    await limits.spend(Limit.REQUEST, "other")
    with pytest.raises(RateLimited) as caught:
        await limits.spend(Limit.REQUEST, "one")
    assert caught.value.retry_after_seconds == 60


@pytest.mark.parametrize("limit", Limit)
async def test_each_refusal_says_what_was_too_much(limit: Limit):
    with pytest.raises(RateLimited, match=REFUSALS[limit]):
        await RateLimits({limit: Budget(0)}).spend(limit, "key")


@pytest.mark.parametrize("limit", Limit)
async def test_a_budget_that_is_not_bound_bounds_nothing(limit: Limit):
    await RateLimits({}).spend(limit, "key")


async def test_what_counts_by_address_is_spent_with_the_address_and_the_rest_is_left_to_the_handler():
    budgets = {limit: Budget(9) for limit in Limit}
    await RateLimits(budgets).spend_of_address(tuple(Limit), ADDRESS)
    assert {limit: budget.counts for limit, budget in budgets.items() if budget.counts} == {
        limit: {"2001:db8:1:2::/64": 1} for limit in OF_ADDRESS
    }


async def test_what_a_route_does_not_spend_is_not_spent():
    budget = Budget(0)
    await RateLimits({Limit.SESSION: budget}).spend_of_address((Limit.ADDRESS,), ADDRESS)
    assert budget.counts == {}


async def test_much_at_once_is_many_uses():
    budget = Budget(5)
    limits = RateLimits({Limit.APPEND: budget})
    await limits.spend(Limit.APPEND, "key", 3)
    with pytest.raises(RateLimited):
        await limits.spend(Limit.APPEND, "key", 3)
    assert budget.counts == {"key": 6}
