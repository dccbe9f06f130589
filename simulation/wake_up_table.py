"""What wake-up keys save, and how long a message then takes: the second table of docs/cost.md.
`make wake-up-table` writes it.

Each row without the keys and with them, on the same seeds. Only the calls of `traffic.py` whose ends were in two
isolates count. A `get` of the key is cached for 30 s. A write in the same data centre replaces what is cached there,
"usually" (https://developers.cloudflare.com/kv/concepts/how-kv-works/): in 19 of 20 cases here. What happens in the
20th the documentation does not say, so there are two rows: the write is visible within 5 s, or the old value stays
until its time is over.
"""

import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from random import Random

from simulation.cost import PAGE, stream_hour
from simulation.deployment import Deployment
from simulation.profiles import CENTRE, PROFILES
from simulation.replaced import replaced
from simulation.traffic import Call, Session
from simulation.virtual_time import run
from tools.prices import DOLLARS
from waypost_worker.context.request_context import RequestContext
from waypost_worker.polling.plans import PLANS

BEGIN, END = "<!-- wake-up: begin -->\n", "<!-- wake-up: end -->\n"
SESSIONS = 40
HEADER = (
    "| | wake-up keys | an idle hour: reads | lists | cost | to the tab: half within | 99 of 100 "
    "| there and back: half within | 99 of 100 |\n|---|---|---|---|---|---|---|---|---|\n"
)


@dataclass(frozen=True)
class Row:
    """One distance and plan. `keeps_reads`: a write may leave the old value in the cache of its own data centre."""

    profile: str
    plan: str
    keeps_reads: bool

    @property
    def title(self) -> str:
        """How the table names it."""
        note = ", a stale `get` stays stale for 30 s" if self.is_pessimistic else ""
        return f"{PROFILES[self.profile].title}, {self.plan} plan{note}"

    @property
    def is_pessimistic(self) -> bool:
        """Whether it assumes more than the documentation says."""
        return self.keeps_reads and self.profile == CENTRE.key


ROWS = tuple(
    Row(profile, plan, keeps)
    for profile, plan in product(("centre", "locations"), ("paid", "free"))
    for keeps in ((False, True) if profile == "centre" else (True,))
)


def crossing_calls(job: tuple[Row, bool, int]) -> list[Call]:
    """The calls through KV of one session: its row, whether with wake-up keys, its seed."""
    row, wakes, seed = job

    async def scene() -> list[Call]:
        random = Random(seed)
        deployment = Deployment(PROFILES[row.profile], PLANS[row.plan], random, keeps_reads=row.keeps_reads)
        session = Session(deployment, random)
        await session.use()
        return [call for call in session.calls.values() if call.through_kv]

    with replaced(RequestContext, "wakes", wakes):
        return run(scene())


def measured(sessions: int, jobs: int, rows: Iterable[Row] = ROWS) -> dict[tuple[Row, bool], list[Call]]:
    """The calls of each row, without wake-up keys and with them."""
    work = [(row, wakes, seed) for row in rows for wakes in (False, True) for seed in range(sessions)]
    calls: dict[tuple[Row, bool], list[Call]] = {}
    with ProcessPoolExecutor(jobs) as pool:
        for (row, wakes, _), found in zip(work, pool.map(crossing_calls, work), strict=True):
            calls.setdefault((row, wakes), []).extend(found)
    return calls


def within(seconds: Iterable[float], share: float) -> float:
    """The time within which this share of the calls was done."""
    times = sorted(seconds)
    return times[int(share * len(times))]


def line(row: Row, wakes: bool, calls: list[Call]) -> str:
    """One line of the table."""
    with replaced(RequestContext, "wakes", wakes):
        hour = stream_hour(PLANS[row.plan], host=True)
    dollars = sum(DOLLARS[kind] * number for kind, number in hour.items())
    cost = f"${dollars:.4f}" if row.plan == "paid" else ""
    cells = [row.title, "yes" if wakes else "no", f"{hour['read']:,}", f"{hour['list']:,}", cost]
    for seconds in ([call.to_host for call in calls], [call.there_and_back for call in calls]):
        cells += [f"{within(seconds, share):.1f} s" for share in (0.5, 0.99)]
    return f"| {' | '.join(cells)} |\n"


def table(sessions: int, jobs: int) -> str:
    """The table, and what it was measured on."""
    calls = measured(sessions, jobs)
    lines = "".join(line(row, wakes, found) for (row, wakes), found in calls.items())
    counts = sorted(len(found) for found in calls.values())
    return f"{HEADER}{lines}\nEach row: {counts[0]:,} calls or more, in {sessions} sessions of the simulation.\n"


def main() -> None:
    """Writes the table into docs/cost.md, and prints it."""
    text = table(SESSIONS, os.cpu_count() or 1)
    print(text, end="")
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(before + BEGIN + text + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
