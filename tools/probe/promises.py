"""What docs/guarantees.md promises of what the probe measures, with the numbers of the plan in force."""

from __future__ import annotations

from waypost_worker.polling.plans import Plan
from waypost_worker.security.rate_limits import QUOTAS, Limit

PAGE = "docs/guarantees.md"
ELSEWHERE_SECONDS = 60
WORST_SECONDS = 120
"""How long KV may take to show elsewhere what was written: usually at most, and at worst."""

LATENCY, VERSIONS, STREAMS = "Latency", "Versions", "Streams on the free plan"
"""The sections of `PAGE` that promise it."""


def in_one_isolate() -> str:
    """A call whose request and host meet."""
    return "milliseconds"


def in_two_isolates(plan: Plan) -> str:
    """A call whose request and host do not meet."""
    return (
        f"at the next look, {plan.poll_min_ms / 1000:g} to {plan.poll_max_ms / 1000:g} s; "
        f"{ELSEWHERE_SECONDS} s, at worst {WORST_SECONDS} s, from another location"
    )


def slowest_seconds(plan: Plan) -> float:
    """What no delivery may exceed."""
    return WORST_SECONDS + plan.poll_max_ms / 1000


def visible() -> str:
    """A write, in the location where it was made."""
    return f"usually immediately; {ELSEWHERE_SECONDS} s, at worst {WORST_SECONDS} s, in another location"


def meeting() -> str:
    """Two requests."""
    return "the same isolate, if they reach one location at about the same time"


def stream(seconds: int) -> str:
    """A stream at rest."""
    return f"ends by itself, cleanly, after {seconds} s at most"


def guesses() -> str:
    """Wrong codes of one address."""
    return f"refused after {QUOTAS[Limit.MISS]} in a minute (somewhat more: the platform counts loosely)"
