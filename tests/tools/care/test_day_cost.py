"""A day's cost is Cloudflare's counts times the prices of docs/cost.md."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from tests.support.cloudflare_api.account import Account, Namespace
from tests.support.cloudflare_api.graphql_routes import Analytics
from tests.support.cloudflare_api.server import CloudflareApi
from tests.tools.care.conftest import Deployed, bound
from tools.care.__main__ import main
from tools.care.api import Api
from tools.care.day_cost import Day, Use, chosen_day, day_of, report
from tools.care.problem import CareError
from tools.local.local_worker import ROOT
from tools.prices import A_DAY

DAY = date(2026, 11, 25)


def counted(here: Namespace, day: date = DAY) -> dict[str, list[dict[str, Any]]]:
    """Groups as the API returns them: here, in another namespace and Worker, and on another day."""
    when = {"date": str(day)}
    kinds = {"read": 2_000_000, "write": 40_000, "delete": 10_000, "list": 30_000, "other": 7}
    operations = [
        {"sum": {"requests": number}, "dimensions": {**when, "namespaceId": here.id, "actionType": kind}}
        for kind, number in kinds.items()
    ]
    invocations = [
        {"sum": {"requests": 500_000, "cpuTimeUs": 3e9}, "dimensions": {**when, "scriptName": "waypost", "status": s}}
        for s in ("success", "clientDisconnected")
    ]
    stored = {"max": {"byteCount": 3_000_000_000, "keyCount": 5000}, "dimensions": {**when, "namespaceId": here.id}}
    groups = {
        "kvOperationsAdaptiveGroups": operations,
        "workersInvocationsAdaptive": invocations,
        "kvStorageAdaptiveGroups": [stored],
    }
    for rows in groups.values():
        for row in list(rows):
            others = {"namespaceId": "another", "scriptName": "another"}
            theirs = {name: others.get(name, value) for name, value in row["dimensions"].items()}
            rows.append({**row, "dimensions": theirs})
            rows.append({**row, "dimensions": row["dimensions"] | {"date": "2026-11-24"}})
    return groups


def asked(analytics: Analytics, *, groups: bool = True) -> Day:
    account = Account()
    here = bound(account, "waypost")
    analytics.groups = counted(here) if groups else {}
    with (
        CloudflareApi(account, more=[analytics.routes()]) as fake,
        Api({"Authorization": f"Bearer {account.token}"}, fake.environment["CLOUDFLARE_API_BASE_URL"]) as api,
    ):
        return day_of(api, account.id, "waypost", here.id, DAY)


def test_the_counts_of_a_day_are_those_of_the_worker_its_namespace_and_the_account() -> None:
    day = asked(Analytics())
    assert day.own == Use(
        day.own.operations, requests=1_000_000, cpu_ms=6_000_000, stored_bytes=3_000_000_000, stored_keys=5000
    )
    assert day.own.operations == {"read": 2_000_000, "write": 40_000, "delete": 10_000, "list": 30_000}
    assert (day.account.requests, day.account.operations["read"]) == (2_000_000, 4_000_000)


def test_a_day_and_a_month_are_priced_by_hand() -> None:
    own = asked(Analytics()).own
    # 2 million reads, 80,000 other operations, a million requests, 6,000 s.
    assert own.dollars == pytest.approx(1.00 + 0.40 + 0.30 + 0.12)
    # 60 million reads of which 10 are included, 1.2 million writes of which 1 is; 0.3 and 0.9 million are included; 30
    # million requests of which 10 are included; 180 million ms of which 30 are; 3 GB of which 1 is.
    assert own.dollars_a_month == pytest.approx(25.0 + 1.0 + 6.0 + 3.0 + 1.0)


def test_the_report_says_what_a_free_account_has_used_up() -> None:
    shown = report(asked(Analytics()), "waypost")
    assert "waypost on 2026-11-25" in shown
    assert "2,000,000       4,000,000" in shown
    assert "8000% of the writes" in shown
    assert "$36.00 beyond" in shown


def test_a_quiet_day_costs_nothing_and_warns_of_nothing() -> None:
    shown = report(asked(Analytics(), groups=False), "waypost")
    assert "$0.0000" in shown
    assert "on the free plan" not in shown


def test_without_cpu_times_in_the_schema_the_rest_is_shown() -> None:
    day = asked(Analytics(has_cpu=False))
    assert (day.own.cpu_ms, day.own.requests) == (None, 1_000_000)
    assert "CPU" not in report(day, "waypost")


def test_the_prices_are_those_of_the_documented_costs() -> None:
    # tests/simulation/test_cost.py compares that table with what is counted.
    text = (ROOT / "docs" / "cost.md").read_text()
    rows = re.findall(
        r"^\|[^|]+\| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| [\d.]* ?\| \$([\d.]+) a thousand", text, re.M
    )
    assert len(rows) > 10
    for *numbers, dollars in rows:
        use = Use()
        use.operations.update(dict(zip(A_DAY, map(float, numbers), strict=True)))  # type: ignore[arg-type]
        assert use.dollars * 1000 == pytest.approx(float(dollars), abs=0.0002)


def test_a_day_is_one_that_cloudflare_still_has() -> None:
    today = date(2026, 11, 26)
    assert chosen_day("", today) == date(2026, 11, 25)
    assert chosen_day("2026-11-26", today) == today
    for text in ("2026-11-27", "2026-10-01", "yesterday", "2026-02-30"):
        with pytest.raises(CareError, match=text):
            chosen_day(text, today)


def test_a_token_without_the_permission_is_said(deployed: Deployed) -> None:
    deployed.failing.next("/graphql", 200, {"data": None, "errors": [{"message": "not authorized for that account"}]})
    status = main(["cost-of-day"], deployed.environment)
    assert (status, "Account Analytics: Read" in deployed.capsys.readouterr().err) == (1, True)


def test_an_account_that_the_token_can_not_see_is_said(deployed: Deployed) -> None:
    deployed.failing.next("/graphql", 200, {"data": {"viewer": {"accounts": []}}, "errors": None})
    status = main(["cost-of-day"], deployed.environment)
    assert (status, "know no account" in deployed.capsys.readouterr().err) == (1, True)
