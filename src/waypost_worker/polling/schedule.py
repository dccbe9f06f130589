"""The schedule of a loop that polls KV: short intervals after a message, exponential back-off without one."""

from typing import NamedTuple

from waypost_worker.polling.plans import Plan

GROWTH = 2
"""The factor by which each look that finds nothing lengthens the interval."""

COALESCED_MS = 500
"""Looks at long intervals fall on multiples of this, so that the idle loops of one isolate wake together: waking up
costs the runtime several times as much as a look."""

COALESCE_ABOVE_MS = 2000
"""Intervals up to this are kept exactly."""


class Pace(NamedTuple):
    """The state of a schedule: the interval, and the time of the next look."""

    interval_ms: float
    next_look_ms: int


class PollSchedule:
    """When a loop is to look at KV next; all times in milliseconds."""

    def __init__(self, plan: Plan, poll_max_ms: int, now_ms: int, phase_ms: int = 0) -> None:
        """`phase_ms`: the offset of the multiples, so that not all isolates of the world look at the same time."""
        self._min = plan.poll_min_ms
        self._max = poll_max_ms
        self._interval = float(plan.poll_min_ms)
        self._phase_ms = phase_ms
        self.next_look_ms = now_ms

    @property
    def pace(self) -> Pace:
        """Its state, for a later `go_on`."""
        return Pace(self._interval, self.next_look_ms)

    def go_on(self, pace: Pace) -> None:
        """Goes on as another schedule of the same plan."""
        self._interval, self.next_look_ms = min(pace.interval_ms, self._max), pace.next_look_ms

    def found(self) -> None:
        """The look has found something: the interval is short again, because more messages tend to follow."""
        self._interval = float(self._min)

    def look_now(self, now_ms: int) -> None:
        """There is reason to expect a message: the next look is due."""
        self.next_look_ms = now_ms

    def looked(self, now_ms: int) -> None:
        """A look is over: plans the next one."""
        self.next_look_ms = now_ms + round(self._interval)
        if self._interval > COALESCE_ABOVE_MS:
            self.next_look_ms += (self._phase_ms - self.next_look_ms) % COALESCED_MS
        self._interval = min(self._interval * GROWTH, self._max)

    def failed(self, now_ms: int) -> int:
        """The store did not answer: backs off. Returns the milliseconds until the next look."""
        self._interval = min(self._interval * GROWTH * GROWTH, self._max)
        self.next_look_ms = now_ms + round(self._interval)
        return round(self._interval)
