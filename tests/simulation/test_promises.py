"""The promises of the queues, on thousands of runs; and the proof that the runs can see a broken one."""

import os
from contextlib import AbstractContextManager
from typing import Any

import pytest

from simulation.__main__ import simulate_all
from simulation.planted import PLANTED
from simulation.scenario import simulate

RUNS = 2000
FOUND_WITHIN = 500


def test_no_run_breaks_a_promise() -> None:
    reports = list(simulate_all(range(RUNS), os.cpu_count() or 1))
    broken = {report.seed: report.violations for report in reports if report.violations}
    assert broken == {}, "python -m simulation --runs 1 --seed <seed> shows one of them"
    assert sum(report.requests for report in reports) > 5 * RUNS, "so few requests prove nothing"


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.__name__)
def test_a_planted_bug_is_found(bug: Any) -> None:
    context: AbstractContextManager[None] = bug()
    with context:
        assert any(simulate(seed).violations for seed in range(FOUND_WITHIN))


def test_a_seed_gives_the_same_run_each_time() -> None:
    assert simulate(7) == simulate(7)
