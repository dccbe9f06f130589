"""How often to look: soon after something happened, then ever less often."""

from waypost.plans import Plan

GROWTH = 2
"""Each look that finds nothing makes the wait for the next one longer by this factor."""

TICK_GROWTH = 100
"""After a rest the ticks are this fraction of it: a tenth of a second after 10 s, were there no `tick_max`."""


class Pacing:
    """The times of a loop that looks at KV; all in milliseconds."""

    def __init__(self, plan: Plan, poll_max_ms: int, now_ms: int) -> None:
        self._plan = plan
        self._min = plan.poll_min_ms
        self._max = poll_max_ms
        self._interval = float(plan.poll_min_ms)
        self._active_ms = now_ms
        self.next_look_ms = now_ms

    def hinted(self, now_ms: int) -> None:
        """Something came by a hint: what follows will come that way too, so KV need not be asked more often."""
        self._active_ms = now_ms

    def found(self, now_ms: int) -> None:
        """The store had something: where one message is, others follow."""
        self._interval = float(self._min)
        self._active_ms = now_ms

    def looked(self, now_ms: int) -> None:
        """The store was asked."""
        self.next_look_ms = now_ms + round(self._interval)
        self._interval = min(self._interval * GROWTH, self._max)

    def failed(self, now_ms: int) -> int:
        """The store did not answer; the time until it is asked again."""
        self._interval = min(self._interval * GROWTH * GROWTH, self._max)
        self.next_look_ms = now_ms + round(self._interval)
        return round(self._interval)

    def tick_seconds(self, now_ms: int) -> float:
        """How long to sleep before the hints are looked at again."""
        rest_ms = now_ms - self._active_ms
        tick = min(max(rest_ms / TICK_GROWTH, self._plan.tick_min_ms), self._plan.tick_max_ms)
        return min(tick, max(self.next_look_ms - now_ms, 1)) / 1000
