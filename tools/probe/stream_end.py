"""How a stream at rest ends: by itself, or broken, and after how long."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx

from tools.probe.caller import Caller, Target
from tools.probe.made import Session

SILENCE_SECONDS = 120.0


@dataclass
class StreamEnd:
    """`seconds` it has been open. `ended`: `None` while it is open, else "cleanly" or "broken".

    `error`: what broke it. `heartbeats`: how many came.
    """

    seconds: float = 0.0
    ended: str | None = None
    error: str = ""
    heartbeats: int = 0


async def hold(target: Target, session: Session, found: StreamEnd) -> None:
    """Hold the host's stream of `session` until it ends, or this task is cancelled."""
    loop = asyncio.get_running_loop()
    async with (
        Caller(target) as caller,
        caller.stream(f"/api/stream?code={session.code}", session.host, SILENCE_SECONDS) as stream,
    ):
        opened = loop.time()
        try:
            async for event in stream.events():
                found.heartbeats += event["event"] == "heartbeat"
            found.ended = "cleanly"
        except httpx.TransportError as error:
            found.ended, found.error = "broken", str(error) or type(error).__name__
        finally:
            found.seconds = loop.time() - opened
