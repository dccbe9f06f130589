"""What docs/guarantees.md promises of what the probe measures, with the numbers of the plan in force."""

from __future__ import annotations

from tools.local.local_worker import ROOT
from waypost_worker.polling.plans import Plan
from waypost_worker.security.rate_limits import QUOTAS, Limit

PAGE = "docs/guarantees.md"
ELSEWHERE_SECONDS = 60
WORST_SECONDS = 120
"""How long KV may take to show elsewhere what was written: usually at most, and at worst."""

LATENCY, VERSIONS, STREAMS = "Latency", "Versions", "Streams on the free plan"
"""The sections of `PAGE` that promise it."""

TO_HOST, THERE_AND_BACK = "to the tab", "there and back"
"""How columns of the page's table of latencies begin; the column after each is that of 99 calls of 100."""

ONE_ISOLATE, ONE_PLACE = "one isolate", "one data centre"
"""Two of the distances in that table."""


def latency(column: str, distance: str, plan: Plan, page: str | None = None) -> str:
    """What the simulation has found for calls at a distance; the probe's place is one, wherever it is."""
    text = (ROOT / PAGE).read_text() if page is None else page
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in text.splitlines() if line[:1] == "|"]
    for number, head in enumerate(rows):
        places = [place for place, cell in enumerate(head) if cell.startswith(column)]
        if not places:
            continue
        for row in rows[number:]:
            if row[0] == f"{distance}, {plan.name} plan":
                return f"simulated for {distance}: half within {row[places[0]]}, 99 of 100 within {row[places[0] + 1]}"
    return "milliseconds" if distance == ONE_ISOLATE else f"usually within {plan.poll_max_ms / 1000:g} s"


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
