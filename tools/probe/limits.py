"""Whether wrong codes are counted. The last step: it locks this address out of unknown codes for a minute."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from tools.probe.caller import Caller, Target
from tools.probe.scale import Scale
from waypost_worker.ids import CROCKFORD


@dataclass
class Guesses:
    """`refused_after`: the wrong codes that were looked up before one was refused; `None` if none was.

    `retry_after`: the seconds that the refusal names. `unusual`: the status of a reply that is neither.
    """

    made: int = 0
    refused_after: int | None = None
    retry_after: int = 0
    unusual: int = 0


async def guess(target: Target, scale: Scale, found: Guesses) -> None:
    """Ask for sessions by codes that do not exist, until one is refused. It stops there, so that the minute does not
    begin again."""
    async with Caller(target) as caller:
        while found.made < scale.guesses:
            code = "".join(secrets.choice(CROCKFORD) for _ in range(8))
            reply = await caller.call("GET", f"/api/sessions/{code}")
            if reply.status == 429:
                found.refused_after = found.made
                found.retry_after = int(reply.http.headers.get("Retry-After", "0"))
                return
            if reply.status != 404:
                found.unusual = reply.status
                return
            found.made += 1
