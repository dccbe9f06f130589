"""Interleaved rounds: every subject has its turn in every round, so that what disturbs one disturbs its reference."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.measure.figures import Better, Figure, Goal
from bench.measure.progress import Progress
from bench.measure.stats import ratios, spread


@dataclass(frozen=True)
class Sample:
    """What one turn came to: a `value`, and the CPU seconds of the server for each unit of work, where known."""

    value: float
    cpu_seconds: float = 0.0


Turns = Mapping[str, Callable[[], Sample]]
Samples = dict[str, list[Sample]]


def interleave(turns: Turns, rounds: int, seconds: float, progress: Progress, warm_up: bool = True) -> Samples:
    """The samples of every subject, as many of each; fewer than `rounds` when `seconds` are over, but at least one.

    The order is reversed every other round, so that no subject always follows an expensive one.
    """
    names = list(turns)
    deadline = time.monotonic() + seconds
    samples: Samples = {name: [] for name in names}
    progress.expect(rounds * len(names))
    if warm_up:
        for name in names:
            _taken(name, turns)
    for number in range(rounds):
        if number and time.monotonic() > deadline:
            break
        for name in names if number % 2 == 0 else reversed(names):
            progress.step(name)
            samples[name].append(_taken(name, turns))
    return samples


def _taken(name: str, turns: Turns) -> Sample:
    try:
        return turns[name]()
    except Exception as error:
        error.add_note(f"while it was the turn of: {name}")
        raise


def values(samples: list[Sample]) -> list[float]:
    """The values of `samples`, in order."""
    return [sample.value for sample in samples]


def compared(
    section: str, name: str, unit: str, better: Better, samples: Samples, subject: str, against: str, goal: Goal | None
) -> Figure:
    """The figure of `subject` beside `against`."""
    mine, its = samples[subject], samples[against]
    has_cpu = all(sample.cpu_seconds > 0 for sample in mine + its)
    return Figure(
        section,
        name,
        unit,
        spread(values(mine)),
        better,
        against,
        spread(values(its)),
        ratios(values(mine), values(its)),
        ratios([s.cpu_seconds for s in mine], [s.cpu_seconds for s in its]) if has_cpu else None,
        goal,
    )
