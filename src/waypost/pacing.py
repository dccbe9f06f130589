"""How often to look: soon after something happened, then ever less often."""

GROWTH = 1.5
"""Each look that finds nothing makes the wait for the next one longer by this factor."""

TICK_MIN_MS = 10
TICK_MAX_MS = 60
"""How often a loop looks at the isolate's hints, which costs no KV operation: often while there is traffic, and at rest
still often enough to be within 100 ms of a message."""


class Pacing:
    """The times of a loop that looks at KV; all in milliseconds."""

    def __init__(self, poll_min_ms: int, poll_max_ms: int, now_ms: int) -> None:
        self._min = poll_min_ms
        self._max = poll_max_ms
        self._interval = float(poll_min_ms)
        self._active_ms = now_ms
        self.next_look_ms = now_ms

    def found(self, now_ms: int) -> None:
        """Something came, by whatever way: where one message is, others follow."""
        self._interval = float(self._min)
        self._active_ms = now_ms
        self.next_look_ms = min(self.next_look_ms, now_ms + self._min)

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
        tick = min(max((now_ms - self._active_ms) / 100, TICK_MIN_MS), TICK_MAX_MS)
        return min(tick, max(self.next_look_ms - now_ms, 1)) / 1000
