"""How long a tab and its agent stay apart after their isolate was replaced, in one data centre, on the real code.

The tab's stream stays in the old isolate; the agent's calls land in the new one, and go through KV until the two meet
again. `python -m simulation.latency` writes the table with its own.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from random import Random
from typing import cast

from simulation.deployment import TAB, Deployment, now
from simulation.profiles import CENTRE
from simulation.replaced import replaced
from simulation.traffic import THINKING_SECONDS, Call, Session
from simulation.virtual_time import run
from waypost_worker.polling.plans import FREE, PAID, Plan
from waypost_worker.queues.departures import Departures

BEGIN, END = "<!-- meeting: begin -->\n", "<!-- meeting: end -->\n"
SESSIONS = 40
"""Each with one replacement."""

APART_SECONDS = (60, 900)
"""How long the tab has been open then."""

MINUTE = 60
MINUTES = 2
HEADER = (
    "| | through KV in the first minute | in the second | in both: half within | 99 of 100 |\n|---|---|---|---|---|\n"
)


def _stays() -> AbstractContextManager[None]:
    """No stream leaves for a younger isolate."""
    return replaced(Departures, "leaves", lambda *_: False)


@dataclass(frozen=True)
class Variant:
    """One row: the plan, and what is different from the product."""

    title: str
    plan: Plan
    without: Callable[[], AbstractContextManager[None]] = nullcontext


VARIANTS = (
    Variant("paid plan: streams of 15 minutes that stay", replace(PAID, stream_seconds=15 * 60), _stays),
    Variant("paid plan: streams of 5 minutes that stay", PAID, _stays),
    Variant("paid plan", PAID),
    Variant("free plan: streams of 75 seconds that stay", FREE, _stays),
    Variant("free plan", FREE),
)


class _Deployment(Deployment):
    """Replaced once, when the session says so, and no client's requests go astray."""

    def keep(self) -> None:
        """The isolate that serves requests now is not replaced by chance."""
        self._ends[TAB, False] = inf

    def replace(self) -> None:
        """The next request reaches a new isolate; the old one goes on with its streams."""
        self._ends[TAB, False] = now()
        self.isolate(TAB)
        self.keep()

    def _is_astray(self, end: int) -> bool:
        return False


class _Loop(Session):
    """An agent that begins to call the tab, with pauses in which it thinks, when their isolate has been replaced."""

    async def use(self) -> None:
        deployment = cast(_Deployment, self.deployment)
        reply = await deployment.call(TAB, "POST", "/api/sessions")
        deployment.keep()
        self._code, self._token = reply.json()["code"], reply.json()["hostToken"]
        stream = asyncio.get_running_loop().create_task(self._stay(TAB))
        await asyncio.sleep(self.random.uniform(*APART_SECONDS))
        deployment.replace()
        end = now() + MINUTES * MINUTE
        while now() < end:
            await self._call("loop", listens=False)
            await asyncio.sleep(self.random.expovariate(1 / THINKING_SECONDS))
        stream.cancel()
        await asyncio.gather(stream, return_exceptions=True)
        self._settle()


def calls_of(seed: int, variant: Variant) -> list[Call]:
    """The calls of one session."""

    async def scene() -> list[Call]:
        random = Random(seed)
        session = _Loop(_Deployment(CENTRE, variant.plan, random), random)
        await session.use()
        return list(session.calls.values())

    with variant.without():
        return run(scene())


def measured(variant: Variant, sessions: int = SESSIONS, jobs: int = 1) -> list[Call]:
    """The calls of so many sessions."""
    with ProcessPoolExecutor(jobs) as pool:
        return [call for calls in pool.map(partial(calls_of, variant=variant), range(sessions)) for call in calls]


def share_through_kv(calls: list[Call], minute: int) -> float:
    """The share that went through KV of the calls in this minute (from 0) after the replacement."""
    soon = [call for call in calls if minute * MINUTE <= call.after_replacement < (minute + 1) * MINUTE]
    return sum(call.through_kv for call in soon) / len(soon)


def row(variant: Variant, calls: list[Call]) -> str:
    """One row of the table."""
    times = sorted(call.there_and_back for call in calls)
    cells = [variant.title, *(f"{share_through_kv(calls, minute):.0%}" for minute in range(MINUTES))]
    cells += [f"{times[int(part * len(times))]:.1f} s" for part in (0.5, 0.99)]
    return f"| {' | '.join(cells)} |\n"


def table(sessions: int = SESSIONS, jobs: int = 1) -> str:
    """The table, and what it was measured on."""
    calls = {variant: measured(variant, sessions, jobs) for variant in VARIANTS}
    count = sum(map(len, calls.values())) // len(calls)
    said = f"\nEach row: about {count:,} calls in {sessions} sessions of the simulation (seeds 0 to {sessions - 1}).\n"
    return HEADER + "".join(row(variant, found) for variant, found in calls.items()) + said
