"""`make cost-of-day`: what a day of a deployment was and costs, by Cloudflare's own counts.

These are the analytics that the dashboard shows, through GraphQL. They are sampled where there is much, and the last
minutes are missing: https://developers.cloudflare.com/kv/observability/metrics-analytics/ and
https://developers.cloudflare.com/analytics/graphql-api/tutorials/querying-workers-metrics/
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tools.care.api import Api
from tools.care.problem import CareError
from tools.prices import (
    A_DAY,
    A_MONTH,
    CPU_MS_A_MONTH,
    CPU_MS_DOLLARS,
    DOLLARS,
    PLAN_DOLLARS,
    REQUEST_DOLLARS,
    REQUESTS_A_DAY,
    REQUESTS_A_MONTH,
    STORED_GB,
    STORED_GB_DOLLARS,
)

DAYS_KEPT = 31
"""Cloudflare keeps these analytics so long."""
MONTH_DAYS = 30
FULL = 0.8
"""From this share of a day's allowance on, the report warns."""

QUERY = """{ viewer { accounts(filter: {accountTag: %(account)s}) {
  operations: kvOperationsAdaptiveGroups(limit: 10000, filter: {date: %(day)s}) {
    sum { requests } dimensions { namespaceId actionType } }
  invocations: workersInvocationsAdaptive(limit: 10000, filter: {date: %(day)s}) {
    sum { requests%(cpu)s } dimensions { scriptName } }
  stored: kvStorageAdaptiveGroups(limit: 10000, filter: {date_geq: %(day)s, date_leq: %(day)s}, orderBy: [date_DESC]) {
    max { byteCount keyCount } dimensions { namespaceId } }
} } }"""


@dataclass
class Use:
    """What a Worker and its namespace, or a whole account, used in a day."""

    operations: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    cpu_ms: float | None = 0.0
    stored_bytes: int = 0
    stored_keys: int = 0

    @property
    def dollars(self) -> float:
        """The price of the day's requests, CPU time and operations, beyond what the paid plan includes."""
        return (
            sum(DOLLARS[kind] * number for kind, number in self.operations.items())
            + self.requests * REQUEST_DOLLARS
            + (self.cpu_ms or 0) * CPU_MS_DOLLARS
        )

    @property
    def dollars_a_month(self) -> float:
        """The price of a month of such days beyond the plan's own, with nothing else in the account."""
        operations = sum(
            DOLLARS[kind] * max(0, MONTH_DAYS * number - A_MONTH[kind]) for kind, number in self.operations.items()
        )
        return (
            operations
            + max(0, MONTH_DAYS * self.requests - REQUESTS_A_MONTH) * REQUEST_DOLLARS
            + max(0.0, MONTH_DAYS * (self.cpu_ms or 0) - CPU_MS_A_MONTH) * CPU_MS_DOLLARS
            + max(0.0, self.stored_bytes / 1e9 - STORED_GB) * STORED_GB_DOLLARS
        )

    def shares(self) -> dict[str, float]:
        """What share of the free plan's day each kind used up; that plan counts an account's use."""
        shares = {f"{kind}s": self.operations[kind] / allowed for kind, allowed in A_DAY.items()}
        return {"requests": self.requests / REQUESTS_A_DAY} | shares


@dataclass(frozen=True)
class Day:
    """A day's use of one deployment, and of the account that it is in."""

    day: date
    own: Use
    account: Use


def chosen_day(text: str, today: date) -> date:
    """The day that `text` names, by default yesterday: the last whole one. Raises `CareError`."""
    try:
        day = date.fromisoformat(text) if text else today - timedelta(days=1)
    except ValueError:
        raise CareError(f"{text} is no day: write it as {today}.") from None
    if not timedelta(0) <= today - day <= timedelta(days=DAYS_KEPT):
        raise CareError(f"Cloudflare keeps the counts of the last {DAYS_KEPT} days: {day} is none of them.")
    return day


def day_of(api: Api, account: str, worker: str, namespace: str, day: date) -> Day:
    """What Cloudflare counted. Raises `CareError`."""
    found, has_cpu = _asked(api, account, day)
    own, everything = Use(), Use()
    for row in found["operations"]:
        kind, number = row["dimensions"]["actionType"], row["sum"]["requests"]
        if kind in DOLLARS:
            for use in _uses(own, everything, row["dimensions"]["namespaceId"] == namespace):
                use.operations[kind] += number
    for row in found["invocations"]:
        for use in _uses(own, everything, row["dimensions"]["scriptName"] == worker):
            use.requests += row["sum"]["requests"]
            use.cpu_ms = use.cpu_ms + row["sum"]["cpuTimeUs"] / 1000 if has_cpu and use.cpu_ms is not None else None
    for row in found["stored"]:
        for use in _uses(own, everything, row["dimensions"]["namespaceId"] == namespace):
            use.stored_bytes += row["max"]["byteCount"]
            use.stored_keys += row["max"]["keyCount"]
    return Day(day, own, everything)


def _uses(own: Use, everything: Use, is_own: bool) -> Iterator[Use]:
    yield everything
    if is_own:
        yield own


def _asked(api: Api, account: str, day: date) -> tuple[dict[str, Any], bool]:
    """What the query found, and whether CPU times are in it: that field is in the schema, but in no documentation."""
    values = {"account": json.dumps(account), "day": json.dumps(str(day))}
    for cpu in (" cpuTimeUs", ""):
        reply = api.send("POST", "/graphql", {"query": QUERY % (values | {"cpu": cpu})}).json()
        errors = reply.get("errors") or []
        messages = "; ".join(str(error.get("message")) for error in errors)
        if "cpuTimeUs" in messages:
            continue
        if errors:
            raise CareError(
                f"Cloudflare's analytics refuse the question ({messages}). A token needs the permission Account "
                "Analytics: Read: https://dash.cloudflare.com/profile/api-tokens"
            )
        accounts = reply["data"]["viewer"]["accounts"]
        if not accounts:
            raise CareError(f"Cloudflare's analytics know no account {account}, or the token may not see it.")
        return accounts[0], bool(cpu)
    raise CareError(f"Cloudflare's analytics refuse the question ({messages}).")


def report(day: Day, worker: str) -> str:
    """The day as a table and two sentences."""
    own, account = day.own, day.account
    shares = account.shares()
    rows = [("", "this Worker", "account", "of a free day", "price here")]
    prices = {"requests": own.requests * REQUEST_DOLLARS}
    counts = {"requests": (own.requests, account.requests)}
    for kind in A_DAY:
        prices[f"{kind}s"] = own.operations[kind] * DOLLARS[kind]
        counts[f"{kind}s"] = (own.operations[kind], account.operations[kind])
    for name, (mine, all_) in counts.items():
        rows.append((name, f"{mine:,}", f"{all_:,}", f"{shares[name]:.0%}", f"${prices[name]:.4f}"))
    if own.cpu_ms is not None and account.cpu_ms is not None:
        price = f"${own.cpu_ms * CPU_MS_DOLLARS:.4f}"
        rows.append(("CPU seconds", f"{own.cpu_ms / 1000:,.1f}", f"{account.cpu_ms / 1000:,.1f}", "", price))
    rows.append(("stored MB", f"{own.stored_bytes / 1e6:,.1f}", f"{account.stored_bytes / 1e6:,.1f}", "", ""))
    table = [
        "  ".join(f"{cell:>{14 if number else 0}}".ljust(11) for number, cell in enumerate(row)).rstrip()
        for row in rows
    ]
    lines = [
        f"{worker} on {day.day} (UTC), as Cloudflare counted it; its counts are sampled, so this is an estimate.",
        *table,
        f"The day: ${own.dollars:.4f}, if all of it is beyond what the paid plan includes. A month of such days: "
        f"${PLAN_DOLLARS:.2f} for the plan, and ${own.dollars_a_month:.2f} beyond what it includes if nothing else is "
        "in the account. What a model costs is not in it.",
    ]
    if full := [f"{share:.0%} of the {name}" for name, share in shares.items() if share >= FULL]:
        lines.append(
            f"If the account is on the free plan, it used {', '.join(full)} of that day: beyond 100% they fail "
            "until 00:00 UTC."
        )
    return "\n".join(lines)
