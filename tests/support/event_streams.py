"""Event streams, as tests of them have them: isolates on one namespace, and a host that listens."""

import asyncio
from dataclasses import replace
from typing import Any

from simulation.client import KEY, Client, Opened, make_client
from simulation.virtual_time import VirtualClock
from tests.support.faulty_kv import FaultyKv
from tests.support.listener import Listener, listen
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.polling.plans import PAID, Plan
from waypost_worker.settings import Settings

PLAN = replace(PAID, operations_per_invocation=10_000)


class Setting:
    """A namespace that can fail, and an isolate on it; others can be made."""

    def __init__(self, plan: Plan = PLAN) -> None:
        self.kv = FaultyKv(MemoryKv(VirtualClock()), lambda *_: False)
        self.settings = Settings(signing_keys=(KEY,), plan=plan)
        self.client = self.isolate(0)

    def isolate(self, seed: int) -> Client:
        return make_client(self.settings, self.kv, seed=seed)


async def host_stream(at: Setting, session: Opened, **options: Any) -> Listener:
    """What the session's host hears."""
    return await listen(at.client, f"/api/stream?code={session.code}", token=session.host, **options)


async def after(seconds: float) -> None:
    """Wait, while the rest goes on."""
    await asyncio.sleep(seconds)
