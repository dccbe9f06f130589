"""Medians, quartiles and ratios."""

from __future__ import annotations

import pytest

from bench.measure.stats import Spread, percentile, ratios, spread


def test_a_percentile_lies_between_the_two_nearest_values() -> None:
    values = [4.0, 1.0, 3.0, 2.0]
    assert [percentile(values, percent) for percent in (0, 50, 75, 100)] == [1.0, 2.5, 3.25, 4.0]
    assert percentile([7.0], 99) == 7.0


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


def test_a_spread_is_the_median_and_the_quartiles() -> None:
    assert spread([5.0, 1.0, 2.0, 4.0, 3.0]) == Spread(3.0, 2.0, 4.0)


def test_a_ratio_is_taken_round_by_round_so_that_a_slow_round_changes_nothing() -> None:
    # The second round ran on a machine ten times as slow: the ratio of the medians would be 0.2.
    assert ratios([100.0, 10.0, 100.0], [200.0, 20.0, 500.0]) == Spread(0.5, 0.35, 0.5)


def test_samples_of_different_rounds_have_no_ratio() -> None:
    with pytest.raises(ValueError, match="same rounds"):
        ratios([1.0], [1.0, 2.0])
