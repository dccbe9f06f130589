"""What may come between the delivery of a message and its write: its isolate dies, the store takes no writes, or the
host that has the message crashes.

From a source of randomness of its own, so that all else in a run is as it would be without.
"""

import asyncio
from random import Random

from simulation.isolate import Isolate

WRITE_SECONDS = 0.4
"""Most calls are over so soon. An isolate dies within this time of a call's beginning."""

LONGEST_OUTAGE_SECONDS = 20
"""Longer than a refused write is repeated."""


class Deaths:
    """The isolates and hosts that die in a run, and its outages: each in two thirds of the runs."""

    def __init__(self, seed: int) -> None:
        self._random = random = Random(f"deaths {seed}")
        self._probability = random.choice((0.0, 0.03, 0.1))
        self._crashes = random.choice((0.0, 0.1, 0.3))
        count = random.choice((0, 2, 4))
        begins = [random.uniform(0, 60) for _ in range(count)]
        self.outages = [(begin, begin + random.uniform(1, LONGEST_OUTAGE_SECONDS)) for begin in begins]

    def crashes(self) -> bool:
        """Whether a host that may crash now does."""
        return self._random.random() < self._crashes

    def strike(self, isolate: Isolate) -> bool:
        """Lets `isolate`, which a call has just reached, die in the middle of it, or not. Returns whether."""
        if self._random.random() >= self._probability:
            return False
        asyncio.get_running_loop().call_later(self._random.uniform(0, WRITE_SECONDS), isolate.die)
        return True
