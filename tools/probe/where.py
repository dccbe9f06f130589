"""Is it a Waypost, can it be used, and where do its requests run?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tools.probe.caller import Caller
from tools.probe.failure import ProbeFailure, no_waypost
from tools.probe.timing import Told
from waypost_worker.polling.plans import FREE, PLANS, Plan


@dataclass(frozen=True)
class Deployment:
    """What `/health` says: its version, the pace it works at, what it limits, and where this request ran.

    `plan_hint`: how to set the plan, if it is not set.
    """

    version: str
    plan: Plan
    plan_hint: str
    storage: str
    stream_seconds: int
    counts_guesses: bool
    placement: str | None
    colo: str | None


async def deployment(caller: Caller) -> Deployment:
    """The deployment that answers. Raises `ProbeFailure` if it is none, or can't be used."""
    reply = await caller.call("GET", "/health")
    try:
        health = reply.json()
    except ValueError:
        health = None
    if not (isinstance(health, dict) and {"status", "version", "limits", "plan"} <= health.keys()):
        raise no_waypost(caller.target.url, reply.http)
    if health["status"] != "ok":
        raise ProbeFailure(f"The deployment can't be used now: {health.get('detail') or health['status']}")
    if limited := health.get("dailyLimit"):
        spent = ", ".join(limited.get("operations", ["KV operations"]))
        raise ProbeFailure(f"The {spent} of this day are spent. Run the probe after 00:00 UTC.")
    return _deployment(health)


def _deployment(health: dict[str, Any]) -> Deployment:
    plan = PLANS.get(health["plan"], FREE)
    return Deployment(
        version=health["version"],
        plan=plan,
        plan_hint=health.get("planHint") or "",
        storage=health.get("storage", "kv"),
        stream_seconds=health["limits"].get("streamSeconds", plan.stream_seconds),
        counts_guesses=health.get("rateLimits", {}).get("MISS_LIMIT", True),
        placement=health.get("placement"),
        colo=health.get("colo"),
    )


def counted(values: Iterable[str | None]) -> dict[str, int]:
    """How often each value came, the most frequent first; those that were not told are left out."""
    return dict(Counter(value for value in values if value is not None).most_common())


def places(replies: Iterable[Told]) -> dict[str, dict[str, int]]:
    """Where all replies came from: the location that took the request, and the placement of the Worker."""
    replies = list(replies)
    return {
        "edge": counted(reply.edge for reply in replies),
        "placement": counted(reply.placement for reply in replies),
    }
