"""How often to look: soon after something happened, then ever less often."""

from waypost_worker.polling.plans import Plan

GROWTH = 2
"""Each look that finds nothing makes the wait for the next one longer by this factor."""

COALESCED_MS = 500
"""Looks that are seldom fall on multiples of this, so that loops at rest in one isolate wake together: waking up costs
the runtime several times as much as a look that is made while it is awake."""

SELDOM_MS = 2000


class PollSchedule:
    """The times of a loop that looks at KV; all in milliseconds."""

    def __init__(self, plan: Plan, poll_max_ms: int, now_ms: int, phase_ms: int = 0) -> None:
        """`phase_ms`: where the multiples begin, so that not all the isolates of the world look at once."""
        self._min = plan.poll_min_ms
        self._max = poll_max_ms
        self._interval = float(plan.poll_min_ms)
        self._phase_ms = phase_ms
        self.next_look_ms = now_ms

    def found(self) -> None:
        """The store had something: where one message is, others follow."""
        self._interval = float(self._min)

    def looked(self, now_ms: int) -> None:
        """The store was asked."""
        self.next_look_ms = now_ms + round(self._interval)
        if self._interval > SELDOM_MS:
            self.next_look_ms += (self._phase_ms - self.next_look_ms) % COALESCED_MS
        self._interval = min(self._interval * GROWTH, self._max)

    def failed(self, now_ms: int) -> int:
        """The store did not answer; the time until it is asked again."""
        self._interval = min(self._interval * GROWTH * GROWTH, self._max)
        self.next_look_ms = now_ms + round(self._interval)
        return round(self._interval)
