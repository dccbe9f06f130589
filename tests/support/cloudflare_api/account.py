"""What an account of the fake API holds: namespaces of KV, Workers, and what its token may do."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

ACCOUNT_ID = "f037e56e89293a057740de681ac9abbe"
TOKEN = "token-of-the-test-account"


@dataclass
class Namespace:
    """A namespace of KV: values, and metadata where a key has any, by key."""

    id: str
    title: str
    values: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    expirations: dict[str, int] = field(default_factory=dict)


@dataclass
class Version:
    """One upload: the metadata that came with it, its modules by name, and the bindings that it ended up with."""

    id: str
    metadata: dict[str, Any]
    modules: dict[str, bytes]
    bindings: list[dict[str, Any]]


@dataclass
class Worker:
    """A script: versions in the order of their upload, the one that runs, secrets with their values, where it is."""

    name: str
    tag: str
    versions: list[Version] = field(default_factory=list)
    deployments: list[dict[str, Any]] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    is_on_workers_dev: bool = False
    domains: list[str] = field(default_factory=list)

    @property
    def bindings(self) -> list[dict[str, Any]]:
        """The bindings of the newest version."""
        return self.versions[-1].bindings if self.versions else []


@dataclass
class Account:
    """One account, its token, and everything in it.

    `refused` holds parts of paths that the token has no permission for. `subdomain` is None where the account has no
    name below workers.dev yet. `zones` are the domains of the account, `dns_records` the names in them that lead
    somewhere already.
    """

    id: str = ACCOUNT_ID
    name: str = "Test account"
    token: str = TOKEN
    subdomain: str | None = "tester"
    zones: list[str] = field(default_factory=list)
    dns_records: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    namespaces: dict[str, Namespace] = field(default_factory=dict)
    workers: dict[str, Worker] = field(default_factory=dict)
    assets: set[str] = field(default_factory=set)
    """Hashes of the static files that were uploaded; the API asks for a file once."""
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def new_id(self) -> str:
        """Return an id in the form of the API's: 32 hexadecimal digits."""
        return f"{next(self._numbers):032x}"

    def add_namespace(self, title: str) -> Namespace:
        """Create a namespace of KV."""
        made = Namespace(self.new_id(), title)
        self.namespaces[made.id] = made
        return made

    def titles(self) -> list[str]:
        """Return the titles of all namespaces, in the order in which they were made."""
        return [namespace.title for namespace in self.namespaces.values()]
