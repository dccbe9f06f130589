"""The promises of the queues, on thousands of runs; and the proof that the runs can see a broken one."""

import os

import pytest

from simulation.__main__ import simulate_all
from simulation.planted import PLANTED
from simulation.planted_seeds import seed_that_finds
from simulation.profiles import PROFILES
from simulation.scenario import simulate

RUNS = {"a few": range(300), "many": range(300, 900)}
"""Seeds: the few are run by `make test`, all of them by `make verify`, and 100,000 by `make soak`."""


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
@pytest.mark.parametrize("number", range(len(PLANTED)), ids=[bug.__name__ for bug, _ in PLANTED])
def test_a_planted_bug_is_found(number: int) -> None:
    assert seed_that_finds(number) is not None


def test_a_seed_gives_the_same_run_each_time() -> None:
    assert simulate(7) == simulate(7)
