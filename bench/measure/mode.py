"""How much is measured: in a minute, in under ten, or for as long as it takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mode:
    """Sizes of everything. A section stops after `section_seconds` with the rounds that it has, at least one.

    A stream at rest looks every 6 to 6.5 s and is sent a heartbeat with every second look: only over many of them is
    what it takes an average.
    """

    name: str
    rounds: int
    calls: int
    stored_calls: int
    section_seconds: float
    connections: tuple[int, ...]
    deliveries: int
    slow_deliveries: int
    open_streams: tuple[int, ...]
    rest_seconds: float
    watch_seconds: float
    backlogs: tuple[int, ...]
    simulations: int


QUICK = Mode("quick", 3, 160, 16, 6, (4,), 30, 15, (50, 100), 1, 1, (200, 400), 30)
FULL = Mode("full", 9, 400, 48, 55, (1, 4, 16), 200, 40, (100, 500, 1000), 25, 8, (1_000, 10_000), 150)
LONG = Mode("long", 15, 1000, 120, 900, (1, 4, 16), 500, 60, (100, 500, 1000), 50, 20, (1_000, 10_000, 100_000), 600)
MODES = {mode.name: mode for mode in (QUICK, FULL, LONG)}
