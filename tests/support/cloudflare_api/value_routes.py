"""What is in a namespace of Workers KV: keys in their order, values one by one and in bulk, with the API's limits."""

from __future__ import annotations

import base64
import time
from typing import Any
from urllib.parse import unquote

from tests.support.cloudflare_api.account import Account, Namespace
from tests.support.cloudflare_api.namespace_routes import NAMESPACES, found
from tests.support.cloudflare_api.routing import ApiError, Page, Raw, Request, Routes

VALUE_ROUTES = Routes()
NAMESPACE = NAMESPACES + "/{namespace}"
MAX_GET_KEYS, MAX_GET_BYTES = 100, 25_000_000
MAX_PUT_PAIRS, MAX_PUT_BYTES = 10_000, 100_000_000
LEAST_SECONDS = 60


def names(namespace: Namespace) -> list[str]:
    """Return the keys that have not expired, in the order of their UTF-8 bytes."""
    now = time.time()
    live = (name for name in namespace.values if namespace.expirations.get(name, now + 1) > now)
    return sorted(live, key=str.encode)


@VALUE_ROUTES.on("GET", NAMESPACE + "/keys")
def keys(account: Account, request: Request, namespace: str) -> Page:
    inside = found(account, namespace)
    limit = int(request.query.get("limit", "1000"))
    if not 10 <= limit <= 1000:
        raise ApiError(400, 10029, "list keys: 'limit' must be between 10 and 1000")
    after = b""
    if cursor := request.query.get("cursor"):
        try:
            after = base64.b64decode(cursor, validate=True)
        except ValueError:
            raise ApiError(400, 10024, "list keys: 'invalid cursor'") from None
    left = [name for name in names(inside) if name.encode() > after]
    shown = left[:limit]
    cursor = base64.b64encode(shown[-1].encode()).decode() if len(left) > limit else ""
    return Page([_described(inside, name) for name in shown], {"count": len(shown), "cursor": cursor})


def _described(inside: Namespace, name: str) -> dict[str, Any]:
    described: dict[str, Any] = {"name": name}
    if name in inside.expirations:
        described["expiration"] = inside.expirations[name]
    if name in inside.metadata:
        described["metadata"] = inside.metadata[name]
    return described


@VALUE_ROUTES.on("GET", NAMESPACE + "/values/{name}")
def value(account: Account, _: Request, namespace: str, name: str) -> Raw:
    inside, name = found(account, namespace), unquote(name)
    if name not in names(inside):
        raise ApiError(404, 10009, "get: 'key not found'")
    return Raw(inside.values[name], headers={"Content-Type": "application/octet-stream"})


@VALUE_ROUTES.on("POST", NAMESPACE + "/bulk/get")
def bulk_get(account: Account, request: Request, namespace: str) -> dict[str, Any]:
    inside, wanted = found(account, namespace), request.json["keys"]
    if len(wanted) > MAX_GET_KEYS:
        raise ApiError(400, 10033, f"bulk get keys: 'at most {MAX_GET_KEYS} keys'")
    live = set(names(inside))
    if sum(len(inside.values[name]) for name in wanted if name in live) > MAX_GET_BYTES:
        raise ApiError(413, 10034, "bulk get keys: 'Total size of request exceeds the limit of 25MB'")
    values: dict[str, Any] = {}
    for name in wanted:
        # As a text, so that other bytes are replaced, and a byte order mark is dropped.
        text = inside.values[name].decode("utf-8-sig", "replace") if name in live else None
        if text is not None and request.json.get("withMetadata"):
            described = _described(inside, name)
            values[name] = {"value": text, "metadata": described.pop("metadata", None), **described}
            del values[name]["name"]
        else:
            values[name] = text
    return {"values": values}


@VALUE_ROUTES.on("PUT", NAMESPACE + "/bulk")
def bulk_put(account: Account, request: Request, namespace: str) -> dict[str, Any]:
    inside, pairs, now = found(account, namespace), request.json, int(time.time())
    if len(pairs) > MAX_PUT_PAIRS or len(request.body) > MAX_PUT_BYTES:
        raise ApiError(413, 10035, "put: 'the request is too large'")
    for pair in pairs:
        if "expiration" in pair and pair["expiration"] < now + LEAST_SECONDS:
            raise ApiError(400, 10021, "put: 'Expiration times must be at least 60 seconds in the future'")
        if pair.get("expiration_ttl", LEAST_SECONDS) < LEAST_SECONDS:
            raise ApiError(400, 10021, "put: 'Expiration TTL must be at least 60'")
    for pair in pairs:
        put(inside, pair, now)
    return {"successful_key_count": len(pairs), "unsuccessful_keys": []}


def put(inside: Namespace, pair: dict[str, Any], now: int) -> None:
    """Store one pair of a bulk write; what the key had before is gone, expiration and metadata too."""
    name = pair["key"]
    inside.values[name] = base64.b64decode(pair["value"]) if pair.get("base64") else pair["value"].encode()
    for kept, given in (
        (inside.metadata, pair.get("metadata")),
        (inside.expirations, now + pair["expiration_ttl"] if "expiration_ttl" in pair else pair.get("expiration")),
    ):
        kept.pop(name, None)
        if given is not None:
            kept[name] = given
