"""How much is measured, and what that costs at most."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

from tools.prices import A_DAY, DOLLARS
from waypost_worker.polling.plans import Plan

CENT = 0.01
SHARE = 0.1
"""Of a day's operations on the free plan: the probe asks before it may use more."""

LOOKS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0, 10.0, 10.0, 10.0)
"""Seconds before each look for something that was written: a minute in all, in few looks."""


@dataclass(frozen=True)
class Scale:
    """What one run does.

    `documents` are written to see when that is visible; `streams` are opened one after the other, each with
    `calls_a_stream`; `round_trips` are calls that wait for their answer. `samplers` connections ask every
    `sample_seconds` in which isolate they are, while the rest goes on, and at least `least_samples` times. The run
    takes `seconds` at least; after `section_seconds` of writing documents, of calls one way, and of calls there and
    back, no further one begins. `is_long`: an idle stream is held until it ends.
    """

    documents: int = 10
    streams: int = 6
    calls_a_stream: int = 8
    round_trips: int = 25
    samplers: int = 6
    sample_seconds: float = 5.0
    least_samples: int = 6
    seconds: float = 150.0
    section_seconds: float = 45.0
    guesses: int = 40
    is_long: bool = False

    def times(self, factor: int) -> Scale:
        """The same with `factor` times the samples."""
        return replace(
            self,
            documents=self.documents * factor,
            streams=self.streams * factor,
            round_trips=self.round_trips * factor,
            section_seconds=self.section_seconds * factor,
        )


FULL = Scale()
QUICK = Scale(
    documents=2,
    streams=2,
    calls_a_stream=2,
    round_trips=2,
    samplers=4,
    sample_seconds=0.2,
    least_samples=2,
    seconds=0.0,
)
"""Shows in seconds that everything can be measured; its figures mean little."""


@dataclass(frozen=True)
class Cost:
    """KV operations, at most."""

    read: int
    write: int
    list: int

    @property
    def dollars(self) -> float:
        """Their price beyond what the paid plan includes."""
        return self.read * DOLLARS["read"] + self.write * DOLLARS["write"] + self.list * DOLLARS["list"]

    @property
    def share_of_a_free_day(self) -> float:
        """The largest share of a day's operations of one kind on the free plan."""
        return max(self.read / A_DAY["read"], self.write / A_DAY["write"], self.list / A_DAY["list"])


def cost_at_most(scale: Scale, plan: Plan, stream_seconds: int) -> Cost:
    """What a run can cost: everything is seen at the last look only, and nobody meets in one isolate.

    A call and its answer are 3 writes, a read, and a look of each side at the most frequent interval (docs/cost.md).
    """
    calls = scale.streams * scale.calls_a_stream + scale.round_trips
    # Streams and waits look more often just after a message; as often as the interval doubles.
    settling = (plan.poll_max_ms // plan.poll_min_ms).bit_length()
    held = stream_seconds if scale.is_long else max(scale.seconds, 60.0)
    idle_looks = ceil(2 * held * 1000 / plan.poll_max_ms)
    sessions = scale.streams + 2
    return Cost(
        read=calls + scale.documents * 2 * len(LOOKS) + scale.guesses * 3 + sessions * 12,
        write=3 * calls + 3 * scale.documents + sessions * 5,
        list=2 * settling * calls + scale.documents * (4 * len(LOOKS) + 3) + idle_looks + sessions * 2,
    )


def question(cost: Cost, plan: Plan) -> str | None:
    """What to ask the person before the run; `None` if it costs too little to ask."""
    if plan.name == "free" and cost.share_of_a_free_day > SHARE:
        return (
            f"This may use up to {min(1.0, cost.share_of_a_free_day):.0%} of the KV operations that the free plan has "
            f"a day ({cost.list} lists, {cost.write} writes and deletes). Go on?"
        )
    if cost.dollars > CENT:
        return (
            f"This may cost up to ${cost.dollars:.3f}, beyond what the paid plan includes ({cost.list} lists, "
            f"{cost.write} writes and deletes, {cost.read} reads). Go on?"
        )
    return None
