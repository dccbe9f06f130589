"""The plans: what differs between them, and when a stream ends by itself."""

import pytest

from simulation.seeded_random import SeededRandom
from waypost_worker.polling.plans import FREE, PAID, Plan, stream_ends_after


@pytest.mark.parametrize("plan", [FREE, PAID], ids=lambda plan: plan.name)
def test_streams_that_began_together_end_over_a_fifth_of_their_time(plan: Plan):
    random = SeededRandom(1)
    ends = [stream_ends_after(plan, random) for _ in range(1000)]
    longest = plan.stream_seconds
    assert 0.8 * longest <= min(ends) < 0.81 * longest
    assert 0.99 * longest < max(ends) <= longest
