"""Arithmetic of samples: medians with their quartiles, ratios of what was measured in the same round, percentiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """A median and the quartiles around it."""

    median: float
    low: float
    high: float


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of `values` lie, interpolated between the two nearest."""
    if not values:
        raise ValueError("a percentile of nothing")
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def spread(values: Sequence[float]) -> Spread:
    """The median of `values` and their quartiles."""
    return Spread(percentile(values, 50), percentile(values, 25), percentile(values, 75))


def ratios(subject: Sequence[float], reference: Sequence[float]) -> Spread:
    """The spread of what `subject` is of `reference`, round by round: never a ratio of two medians."""
    if len(subject) != len(reference):
        raise ValueError("a ratio takes samples of the same rounds")
    return spread([mine / its for mine, its in zip(subject, reference, strict=True)])
