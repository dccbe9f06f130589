"""The promises of the queues, on thousands of runs; and the proof that the runs can see a broken one."""

import os
from contextlib import AbstractContextManager
from itertools import count, islice
from typing import Any

import pytest

from simulation.__main__ import simulate_all
from simulation.planted import PLANTED
from simulation.profiles import PROFILES
from simulation.scenario import simulate, topic_of

RUNS = {"a few": range(300), "many": range(300, 1200)}
"""Seeds: the few are run by `make test`, all of them by `make verify`."""
FOUND_WITHIN = 1000
"""So many runs about a planted bug's topic find it."""


@pytest.mark.parametrize("number", ["a few", pytest.param("many", marks=pytest.mark.verify)])
def test_no_run_breaks_a_promise(number: str) -> None:
    seeds = RUNS[number]
    reports = list(simulate_all(seeds, os.cpu_count() or 1))
    broken = {report.seed: report.violations for report in reports if report.violations}
    assert broken == {}, "PYTHONPATH=src .venv/bin/python -m simulation --runs 1 --seed <seed> shows one of them"
    for profile in PROFILES:
        requests = [report.requests for report in reports if report.profile == profile]
        assert sum(requests) > 5 * len(requests) > len(seeds), f"so few requests prove nothing: {profile}"


@pytest.mark.verify
@pytest.mark.parametrize(("bug", "topic"), PLANTED, ids=[bug.__name__ for bug, _ in PLANTED])
def test_a_planted_bug_is_found(bug: Any, topic: str) -> None:
    seeds = islice((seed for seed in count() if topic_of(seed) == topic), FOUND_WITHIN)
    context: AbstractContextManager[None] = bug()
    with context:
        assert any(simulate(seed).violations for seed in seeds)


def test_a_seed_gives_the_same_run_each_time() -> None:
    assert simulate(7) == simulate(7)
