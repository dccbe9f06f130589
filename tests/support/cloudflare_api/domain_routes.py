"""Custom domains: https://developers.cloudflare.com/api/resources/workers/subresources/domains/."""

from __future__ import annotations

from typing import Any

from tests.support.cloudflare_api.account import Account
from tests.support.cloudflare_api.routing import ApiError, Page, Request, Routes
from tests.support.cloudflare_api.script_routes import found

DOMAIN_ROUTES = Routes()
DOMAINS = "/accounts/{account}/workers/domains"


@DOMAIN_ROUTES.on("GET", DOMAINS)
def listed(account: Account, request: Request) -> Page:
    everything = [
        {"id": f"id-of-{domain}", "hostname": domain, "service": worker.name, "environment": "production"}
        for worker in account.workers.values()
        for domain in worker.domains
    ]
    shown = [
        one
        for one in everything
        if request.query.get("service") in (None, one["service"])
        and request.query.get("hostname") in (None, one["hostname"])
    ]
    return Page(shown, {"page": 1, "per_page": len(shown), "count": len(shown), "total_count": len(shown)})


@DOMAIN_ROUTES.on("PUT", DOMAINS)
def attach(account: Account, request: Request) -> dict[str, Any]:
    asked = request.json
    worker = found(account, asked["service"])
    if asked["hostname"] in account.dns_records and not asked.get("override_existing_dns_record"):
        raise ApiError(
            409,
            100117,
            f"Hostname '{asked['hostname']}' already has externally managed DNS records (A, CNAME, etc). Delete them "
            "first or try a different hostname.",
        )
    if asked["hostname"] not in worker.domains:
        worker.domains.append(asked["hostname"])
    return {"id": f"id-of-{asked['hostname']}", **asked}


@DOMAIN_ROUTES.on("DELETE", DOMAINS + "/{domain}")
def detach(account: Account, _: Request, domain: str) -> None:
    for worker in account.workers.values():
        worker.domains = [one for one in worker.domains if f"id-of-{one}" != domain]
