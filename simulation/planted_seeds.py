"""Finds the planted bugs again, and writes down where: `npm run planted-seeds`.

Some bugs are found by one run in hundreds. The seeds in `planted_seeds.json` are tried first, so that a test finds each
bug within seconds; where a change of the code has made one useless, the search goes on from the beginning.
"""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from itertools import count, islice
from pathlib import Path

from simulation.planted import PLANTED
from simulation.scenario import simulate, topic_of

FILE = Path(__file__).with_suffix(".json")
FOUND_WITHIN = 1000
"""So many runs about a planted bug's topic find it."""

KNOWN: dict[str, int] = json.loads(FILE.read_text())
"""A seed that has found each bug, by the bug's name."""


def seed_that_finds(number: int) -> int | None:
    """The first seed that finds the bug `PLANTED[number]`, the known one before all; `None` if none of
    `FOUND_WITHIN` does."""
    bug, topic = PLANTED[number]
    context: AbstractContextManager[None] = bug()
    with context:
        return next((seed for seed in _seeds(bug.__name__, topic) if simulate(seed).violations), None)


def _seeds(name: str, topic: str) -> Iterator[int]:
    if topic_of(KNOWN.get(name, 0)) == topic:
        yield KNOWN.get(name, 0)
    yield from islice((seed for seed in count() if topic_of(seed) == topic), FOUND_WITHIN)


def main() -> None:
    """Writes the seeds of all bugs that are found."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = dict(
            zip([bug.__name__ for bug, _ in PLANTED], pool.map(seed_that_finds, range(len(PLANTED))), strict=True)
        )
    seeds = {name: seed for name, seed in found.items() if seed is not None}
    FILE.write_text(json.dumps(seeds, indent=1) + "\n")
    print("not found:", ", ".join(found.keys() - seeds.keys()) or "none")


if __name__ == "__main__":
    main()
