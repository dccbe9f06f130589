"""The schedule of a loop that polls KV: short intervals after a message, exponential back-off without one.

A look is a `list`. A reader that has a wake-up key reads it at short intervals instead, and looks when it is woken, and
at long intervals.
"""

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
    """The state of a schedule: the interval, and the time of the next look; the same of the wake-up key, if there is
    one."""

    interval_ms: float
    next_look_ms: int
    has_key: bool = False
    wake_up_interval_ms: float = 0
    next_wake_up_ms: int = 0


class PollSchedule:
    """When a loop is to look at KV next; all times in milliseconds."""

    def __init__(
        self,
        plan: Plan,
        poll_max_ms: int,
        now_ms: int,
        phase_ms: int = 0,
        wake_up_max_ms: int = 0,
        asleep_ms: int = 0,
        *,
        is_only_reader: bool = False,
    ) -> None:
        """`phase_ms`: the offset of the multiples, so that not all isolates of the world look at the same time.
        `wake_up_max_ms`, `asleep_ms`: the longest interval between readings of a wake-up key, and between looks while
        that does not change. `is_only_reader`: nobody else takes a message that the wake-up key has named, so it is
        looked for until it is found."""
        self._is_only_reader = is_only_reader
        self._min = plan.poll_min_ms
        self._max = poll_max_ms
        self._interval = float(plan.poll_min_ms)
        self._phase_ms = phase_ms
        self._wake_up_min = plan.wake_up_min_ms
        self._wake_up_max = wake_up_max_ms
        self._wake_up_interval = float(plan.wake_up_min_ms)
        self._asleep_ms = asleep_ms
        self.next_look_ms = now_ms
        self.has_key = False
        """Whether the loop has a wake-up key that it can read now."""
        self.next_wake_up_ms = now_ms + plan.wake_up_min_ms
        """When that is to be read next."""

    @property
    def due_ms(self) -> int:
        """When the loop has something to do: a look, or a reading of its wake-up key."""
        return min(self.next_look_ms, self.next_wake_up_ms) if self.has_key else self.next_look_ms

    def is_wake_up_due(self, now_ms: int) -> bool:
        """Whether the wake-up key is to be read, and no look is due, which would say more."""
        return self.has_key and self.next_wake_up_ms <= now_ms < self.next_look_ms

    @property
    def pace(self) -> Pace:
        """Its state, for a later `go_on`."""
        if not self.has_key:
            return Pace(self._interval, self.next_look_ms)
        return Pace(self._interval, self.next_look_ms, True, self._wake_up_interval, self.next_wake_up_ms)

    def go_on(self, pace: Pace) -> None:
        """Goes on as another schedule of the same plan."""
        self._interval, self.next_look_ms = min(pace.interval_ms, self._max), pace.next_look_ms
        if pace.has_key:
            self.has_key = True
            self._wake_up_interval = min(pace.wake_up_interval_ms, self._wake_up_max)
            self.next_wake_up_ms = pace.next_wake_up_ms

    def found(self) -> None:
        """The look has found something: the intervals are short again, because more messages tend to follow."""
        self._interval = float(self._min)
        self._wake_up_interval = float(self._wake_up_min)

    def look_now(self, now_ms: int) -> None:
        """There is reason to expect a message: the next look is due."""
        self.next_look_ms = now_ms

    def woken(self, now_ms: int) -> None:
        """The wake-up key names a message for this reader: the next look is due, and others follow it soon until that
        message is found."""
        self._interval = float(min(self._min, self._wake_up_min))
        self._wake_up_interval = float(self._wake_up_min)
        self.look_now(now_ms)

    def lost_key(self, now_ms: int) -> None:
        """The wake-up key is not there: looks as often as a loop without one."""
        self.has_key = False
        self.next_look_ms = min(self.next_look_ms, self._after(now_ms, self._interval))

    def read_wake_up(self, now_ms: int) -> None:
        """The wake-up key was read: plans the next reading."""
        self.next_wake_up_ms = self._after(now_ms, self._wake_up_interval)
        self._wake_up_interval = min(self._wake_up_interval * GROWTH, self._wake_up_max)

    def looked(self, now_ms: int, *, expects: bool = False) -> None:
        """A look is over: plans the next one. `expects`: the wake-up key has named a message that the look has not
        found; after some more looks, another reader counts as having taken it."""
        has_given_up = self._interval >= self._max and not self._is_only_reader
        if self.has_key and (not expects or has_given_up):
            self.next_look_ms = self._after(now_ms, self._asleep_ms)
            return
        self.next_look_ms = self._after(now_ms, self._interval)
        self._interval = min(self._interval * GROWTH, self._max)

    def failed(self, now_ms: int) -> int:
        """The store did not answer: backs off. Returns the milliseconds until the next look."""
        self._interval = min(self._interval * GROWTH * GROWTH, self._max)
        self.next_look_ms = now_ms + round(self._interval)
        self.next_wake_up_ms = max(self.next_wake_up_ms, self.next_look_ms)
        return round(self._interval)

    def _after(self, now_ms: int, interval_ms: float) -> int:
        due_ms = now_ms + round(interval_ms)
        if interval_ms > COALESCE_ABOVE_MS:
            due_ms += (self._phase_ms - due_ms) % COALESCED_MS
        return due_ms
