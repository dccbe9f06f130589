"""Figures as a table and as JSON; goals; and what the guard makes of two runs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bench.measure.figures import Better, Figure, Goal, Results, Skip
from bench.measure.stats import Spread, spread
from bench.regressions import warnings
from bench.report.report import as_json, number, table, text

MACHINE: dict[str, Any] = {
    "date": "2026-01-01 00:00 UTC",
    "versions": {"workerd": "1.0"},
    "machine": {"system": "Linux", "cpu": "a processor", "cores": 2},
}


def figure(ratio: float, better: Better = "higher", goal: Goal | None = None, name: str = "call") -> Figure:
    exactly = spread([ratio])
    return Figure("handlers", name, "requests/s", spread([10.0]), better, "bare", spread([20.0]), exactly, None, goal)


def committed(*figures: Figure) -> dict[str, Any]:
    results = Results(list(figures), [Skip("delivery", "Redis", "not installed")])
    content: dict[str, Any] = json.loads(json.dumps(as_json(results, MACHINE, "full", (0.1, 0.2))))
    return content


@pytest.mark.parametrize(
    ("goal", "is_met"),
    [
        (None, None),
        (Goal("ratio", 0.5, "higher"), True),
        (Goal("ratio", 0.6, "higher"), False),
        (Goal("ratio", 0.5, "lower"), True),
        (Goal("value", 9, "lower"), False),
        (Goal("value", 10, "lower"), True),
    ],
)
def test_a_goal_bounds_the_ratio_or_the_value(goal: Goal | None, is_met: bool | None) -> None:
    assert figure(0.5, goal=goal).is_met is is_met


def test_a_goal_of_a_ratio_is_neither_met_nor_missed_without_one() -> None:
    lonely = Figure("s", "n", "ms", spread([1.0]), "lower", goal=Goal("ratio", 1, "lower"))
    assert lonely.is_met is None


def test_the_table_tells_goals_that_were_missed_and_what_was_skipped() -> None:
    results = Results([figure(0.5, goal=Goal("ratio", 0.7, "higher"))], [Skip("delivery", "Redis", "not installed")])
    told = text(results, MACHINE)
    assert "| call | 10 requests/s |" in " ".join(told.split())
    assert "≥ 0.7× MISSED" in told
    assert "SKIPPED delivery: Redis: not installed" in told
    assert "2 cores of a processor" in told


def test_goals_are_told_together_with_what_was_measured() -> None:
    goals = Goal("ratio", 0.7, "higher"), Goal("value", 10, "lower"), None
    results = Results([figure(0.5, goal=goal, name=f"call {number}") for number, goal in enumerate(goals)])
    told = " ".join(text(results, MACHINE).partition("\ngoals\n")[2].split())
    assert "| handlers | call 0 | bare | ≥ 0.7× | 0.5× | MISSED |" in told
    assert "| handlers | call 1 | bare | ≤ 10 | 10 requests/s | met |" in told
    assert "call 2" not in told


def test_columns_are_as_wide_as_what_stands_in_them() -> None:
    lines = table([("a", "long cell")], ("head", "b")).splitlines()
    assert len({len(line) for line in lines}) == 1


def test_numbers_have_three_digits() -> None:
    assert [number(value) for value in (0.0, 0.01234, 3.14159, 12345.6)] == ["0", "0.0123", "3.14", "12,346"]


def test_the_json_keeps_goal_spread_and_load() -> None:
    content = committed(figure(1 / 3, goal=Goal("ratio", 0.7, "higher")))
    kept = content["figures"][0]
    assert (kept["ratio"]["median"], kept["goal"], kept["met"]) == (0.33333, "≥ 0.7×", False)
    assert (content["load_average"], content["skipped"][0]["why"]) == ([0.1, 0.2], "not installed")


def test_the_guard_warns_of_ratios_that_are_worse_by_more_than_its_band() -> None:
    before = committed(figure(0.8), figure(0.1, "lower", name="delay"))
    assert warnings(before, committed(figure(0.55), figure(0.15, "lower", name="delay")), 1.6) == []
    worse = warnings(before, committed(figure(0.4), figure(0.2, "lower", name="delay")), 1.6)
    assert worse == ["handlers | call | bare: 0.4×, was 0.8×", "handlers | delay | bare: 0.2×, was 0.1×"]


def test_the_guard_compares_cpu_time_where_it_was_measured() -> None:
    def busy(ratio: float, cpu: float) -> dict[str, Any]:
        return committed(replace(figure(ratio), cpu_ratio=spread([cpu])))

    assert warnings(busy(0.8, 1.2), busy(0.2, 1.3)) == []
    assert warnings(busy(0.8, 1.2), busy(0.8, 2.4)) == ["handlers | call | bare | CPU: 2.4×, was 1.2×"]


def test_the_guard_says_nothing_about_what_is_better_or_was_not_measured() -> None:
    assert warnings(committed(figure(0.8), figure(0.5, name="gone")), committed(figure(8.0))) == []


def test_a_spread_of_one_value_is_that_value() -> None:
    assert spread([2.0]) == Spread(2.0, 2.0, 2.0)
