"""Rate limiters for tests."""


class Budget:
    """A rate limiter that allows each key so many uses."""

    def __init__(self, uses: int) -> None:
        self.uses = uses
        self.counts: dict[str, int] = {}

    async def allows(self, key: str) -> bool:
        self.counts[key] = self.counts.get(key, 0) + 1
        return self.counts[key] <= self.uses
