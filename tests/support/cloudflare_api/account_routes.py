"""Who the token belongs to, and the account's name below workers.dev."""

from __future__ import annotations

from typing import Any

from tests.support.cloudflare_api.account import Account
from tests.support.cloudflare_api.routing import ApiError, Page, Request, Routes

ACCOUNT_ROUTES = Routes()


@ACCOUNT_ROUTES.on("GET", "/accounts")
def accounts(account: Account, _: Request) -> Page:
    listed = [{"id": account.id, "name": account.name}]
    return Page(listed, {"page": 1, "per_page": 50, "count": 1, "total_count": 1, "total_pages": 1})


@ACCOUNT_ROUTES.on("GET", "/memberships")
def memberships(account: Account, _: Request) -> list[dict[str, Any]]:
    return [{"id": "membership", "status": "accepted", "account": {"id": account.id, "name": account.name}}]


@ACCOUNT_ROUTES.on("GET", "/user")
def user(_: Account, __: Request) -> dict[str, Any]:
    return {"id": "user", "email": "tester@example.com"}


@ACCOUNT_ROUTES.on("GET", "/user/tokens/verify")
def verify(_: Account, __: Request) -> dict[str, Any]:
    return {"id": "token", "status": "active"}


@ACCOUNT_ROUTES.on("GET", "/accounts/{account}/workers/subdomain")
def subdomain(account: Account, _: Request) -> dict[str, Any]:
    if account.subdomain is None:
        raise ApiError(404, 10007, "You do not have a workers.dev subdomain")
    return {"subdomain": account.subdomain}


@ACCOUNT_ROUTES.on("PUT", "/accounts/{account}/workers/subdomain")
def set_subdomain(account: Account, request: Request) -> dict[str, Any]:
    account.subdomain = request.json["subdomain"]
    return {"subdomain": account.subdomain}


@ACCOUNT_ROUTES.on("GET", "/zones")
def zones(account: Account, request: Request) -> Page:
    wanted = request.query.get("name")
    found = [{"id": f"zone-{name}", "name": name} for name in account.zones if wanted in (None, name)]
    return Page(found, {"page": 1, "per_page": 50, "count": len(found), "total_count": len(found), "total_pages": 1})
