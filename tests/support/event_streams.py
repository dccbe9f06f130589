"""Event streams, as tests of them have them: isolates on one namespace, and a host that listens."""

import asyncio
from dataclasses import replace
from typing import Any

from simulation.client import Opened
from tests.support.listener import Listener, listen
from tests.support.namespace import Isolates
from waypost_worker.polling.plans import PAID, Plan

PLAN = replace(PAID, operations_per_invocation=10_000, stream_seconds=15 * 60)
"""The paid plan, with streams that end neither for their operations nor for their time."""


class Setting(Isolates):
    """A namespace that can fail, and an isolate on it; others can be made."""

    def __init__(self, plan: Plan = PLAN) -> None:
        super().__init__(plan=plan)


async def host_stream(at: Setting, session: Opened, **options: Any) -> Listener:
    """The host's event stream of the session."""
    return await listen(at.client, f"/api/stream?code={session.code}", token=session.host, **options)


async def after(seconds: float) -> None:
    """Wait, while the rest goes on."""
    await asyncio.sleep(seconds)
