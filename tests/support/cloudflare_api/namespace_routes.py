"""Namespaces of Workers KV: create, list, rename, delete. What is in them is for other routes."""

from __future__ import annotations

from typing import Any

from tests.support.cloudflare_api.account import Account, Namespace
from tests.support.cloudflare_api.routing import ApiError, Page, Request, Routes

NAMESPACE_ROUTES = Routes()
NAMESPACES = "/accounts/{account}/storage/kv/namespaces"


def found(account: Account, namespace: str) -> Namespace:
    """Return the namespace with this id. Raises `ApiError`."""
    if namespace not in account.namespaces:
        raise ApiError(404, 10013, "list keys: 'namespace not found'")
    return account.namespaces[namespace]


def described(namespace: Namespace) -> dict[str, Any]:
    """Return what the API says about a namespace."""
    return {"id": namespace.id, "title": namespace.title, "supports_url_encoding": True}


@NAMESPACE_ROUTES.on("GET", NAMESPACES)
def listed(account: Account, request: Request) -> Page:
    size, page = int(request.query.get("per_page", "20")), int(request.query.get("page", "1"))
    everything = [described(namespace) for namespace in account.namespaces.values()]
    shown = everything[(page - 1) * size : page * size]
    total = len(everything)
    info = {"page": page, "per_page": size, "count": len(shown), "total_count": total}
    return Page(shown, info)


@NAMESPACE_ROUTES.on("POST", NAMESPACES)
def create(account: Account, request: Request) -> dict[str, Any]:
    title = request.json["title"]
    if title in account.titles():
        raise ApiError(400, 10014, "create namespace: 'a namespace with this account ID and title already exists'")
    return described(account.add_namespace(title))


@NAMESPACE_ROUTES.on("DELETE", NAMESPACES + "/{namespace}")
def delete(account: Account, _: Request, namespace: str) -> dict[str, Any]:
    bound = [worker.name for worker in account.workers.values() if namespace in _namespaces_of(worker.bindings)]
    if bound:
        raise ApiError(400, 10015, f"remove namespace: 'namespace is associated with a script: {', '.join(bound)}'")
    del account.namespaces[found(account, namespace).id]
    return {}


def _namespaces_of(bindings: list[dict[str, Any]]) -> set[str]:
    return {binding["namespace_id"] for binding in bindings if binding["type"] == "kv_namespace"}
