"""Cloudflare's GraphQL analytics, as far as their documentation names fields: a query is checked as the real one is."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from graphql import build_schema, graphql_sync

from tests.support.cloudflare_api.account import Account
from tests.support.cloudflare_api.routing import Raw, Request, Routes

SCHEMA = """
scalar Date
scalar uint64
scalar string
type Query { viewer: Viewer }
type Viewer { accounts(filter: AccountFilter): [Account!] }
input AccountFilter { accountTag: string }
input Days { date: Date, date_geq: Date, date_leq: Date, namespaceId: string, scriptName: string }
enum Order { date_ASC date_DESC }
type Account {
  kvOperationsAdaptiveGroups(limit: uint64!, filter: Days, orderBy: [Order!]): [Operations!]
  kvStorageAdaptiveGroups(limit: uint64!, filter: Days, orderBy: [Order!]): [Storage!]
  workersInvocationsAdaptive(limit: uint64!, filter: Days, orderBy: [Order!]): [Invocations!]
}
type Operations { sum: OperationsSum, dimensions: OperationsDimensions }
type OperationsSum { requests: uint64! }
type OperationsDimensions { date: Date!, namespaceId: string!, actionType: string! }
type Storage { max: StorageMax, dimensions: StorageDimensions }
type StorageMax { byteCount: uint64!, keyCount: uint64! }
type StorageDimensions { date: Date!, namespaceId: string! }
type Invocations { sum: InvocationsSum, dimensions: InvocationsDimensions }
type InvocationsSum { requests: uint64!, errors: uint64!, subrequests: uint64! %s }
type InvocationsDimensions { date: Date!, scriptName: string!, status: string! }
"""


@dataclass
class Analytics:
    """What the account's analytics hold: groups by the name of their dataset, each with its sums and dimensions.

    `has_cpu`: the schema has CPU times, which no documentation names.
    """

    groups: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    has_cpu: bool = True

    def routes(self) -> Routes:
        """The routes that answer from here."""
        routes = Routes()
        schema = build_schema(SCHEMA % ("cpuTimeUs: uint64!" if self.has_cpu else ""))

        @routes.on("POST", "/graphql")
        def query(account: Account, request: Request) -> Raw:
            done = graphql_sync(schema, request.json["query"], {"viewer": _Viewer(account, self)})
            errors = [{"message": error.message} for error in done.errors or []]
            return Raw(json.dumps({"data": done.data, "errors": errors or None}).encode())

        return routes


class _Viewer:
    """The root of a query; graphql-core calls methods with the arguments of their fields."""

    def __init__(self, account: Account, analytics: Analytics) -> None:
        self._account = account
        self._analytics = analytics

    def accounts(self, _: Any, filter: dict[str, Any]) -> list[Any]:
        if filter["accountTag"] != self._account.id:
            return []
        names = ("kvOperationsAdaptiveGroups", "kvStorageAdaptiveGroups", "workersInvocationsAdaptive")
        return [{name: self._group(name) for name in names}]

    def _group(self, name: str) -> Any:
        def rows(_: Any, limit: int, filter: dict[str, str], orderBy: Any = None) -> list[dict[str, Any]]:
            first = filter.get("date", filter.get("date_geq", ""))
            last = filter.get("date", filter.get("date_leq", "9999"))
            found = self._analytics.groups.get(name, [])
            return [row for row in found if first <= row["dimensions"]["date"] <= last][:limit]

        return rows
