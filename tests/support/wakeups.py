"""A wakeup that only counts."""


class CountingWakeup:
    """Counts how often it is set. `gone` says that its loop has ended."""

    times_set = 0
    gone = False

    def set(self) -> None:
        self.times_set += 1

    async def wait(self, seconds: float) -> None:
        raise AssertionError(seconds)

    def is_lost(self) -> bool:
        return self.gone
