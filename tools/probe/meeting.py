"""Whether connections of one client meet in one isolate, sampled while everything else is measured."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import combinations

from tools.probe.caller import Caller, Target
from tools.probe.scale import Scale

NOWHERE = "/api/probe"
"""Nothing is served there: the reply costs no KV operation, and tells its isolate all the same."""


@dataclass
class Meetings:
    """The isolates that the connections reached in each round, and the seconds of a reply without any KV operation."""

    rounds: list[list[str]] = field(default_factory=list)
    reply_seconds: list[float] = field(default_factory=list)

    @property
    def isolates(self) -> set[str]:
        """All that were seen."""
        return {isolate for seen in self.rounds for isolate in seen}

    @property
    def pairs(self) -> int:
        """Pairs of connections, over all rounds."""
        return sum(len(seen) * (len(seen) - 1) // 2 for seen in self.rounds)

    @property
    def met(self) -> int:
        """How many of these pairs reached one isolate."""
        return sum(one == other for seen in self.rounds for one, other in combinations(seen, 2))


async def sample(target: Target, scale: Scale, found: Meetings, is_over: asyncio.Event) -> None:
    """Ask on each connection in each round, until `is_over` and there are enough rounds."""
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(Caller(target)) for _ in range(scale.samplers)]
        while not (is_over.is_set() and len(found.rounds) >= scale.least_samples):
            started = loop.time()
            replies = await asyncio.gather(*(caller.call("GET", NOWHERE) for caller in callers))
            found.rounds.append([reply.told.isolate for reply in replies if reply.told.isolate is not None])
            if len(found.rounds) > 1:
                # The first replies of a connection include its making.
                found.reply_seconds += [reply.came - reply.sent for reply in replies]
            await asyncio.sleep(max(0.0, started + scale.sample_seconds - loop.time()))
