"""The randomness port from a seed."""

import random


class SeededRandom:
    """The same bytes at every run with the same seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def random_bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)
