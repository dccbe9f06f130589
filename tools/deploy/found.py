"""What is in the account before a deployment: the Worker, what it is bound to, its secrets and addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tools.deploy.api import Api
from tools.deploy.configuration import BINDING, Configuration
from tools.deploy.failure import ApiFailure, DeployFailure

NO_WORKER = frozenset({10007, 10090})
"""Codes for a Worker that does not exist; the first one also for an account without a name below workers.dev."""


@dataclass(frozen=True)
class Domain:
    """A custom domain of the account, and the Worker behind it."""

    id: str
    hostname: str
    worker: str


@dataclass(frozen=True)
class Found:
    """The Worker as it is: not there, or with the id of its namespace, the names of its secrets, and its domains."""

    exists: bool
    namespace_id: str | None
    secrets: frozenset[str]
    domains: tuple[Domain, ...]


def found(api: Api, account: str, config: Configuration) -> Found:
    """Look at the Worker of this name.

    Raises `DeployFailure` where the name is taken by a Worker that is no Waypost.
    """
    script = f"/accounts/{account}/workers/scripts/{config.worker}"
    try:
        bindings = api.call("GET", f"{script}/settings", "read the Worker's settings")["bindings"]
    except ApiFailure as failure:
        if failure.code not in NO_WORKER:
            raise
        return Found(exists=False, namespace_id=None, secrets=frozenset(), domains=())
    namespace = _namespace(bindings)
    if namespace is None:
        raise DeployFailure(
            f"The account has a Worker named {config.worker} that is no Waypost (it has no KV namespace {BINDING}), "
            "and is left as it is: deploy under another name, with NAME=… or `name` in wrangler.toml."
        )
    secrets = api.call("GET", f"{script}/secrets", "list the names of the Worker's secrets")
    return Found(
        exists=True,
        namespace_id=namespace,
        secrets=frozenset(secret["name"] for secret in secrets),
        domains=domains(api, account, service=config.worker),
    )


def domains(api: Api, account: str, **which: str) -> tuple[Domain, ...]:
    """Return the custom domains of the account that have this `service` or `hostname`."""
    listed = api.pages(f"/accounts/{account}/workers/domains", "list the custom domains", **which)
    return tuple(Domain(one["id"], one["hostname"], one["service"]) for one in listed)


def _namespace(bindings: list[dict[str, Any]]) -> str | None:
    for binding in bindings:
        if binding["type"] == "kv_namespace" and binding["name"] == BINDING:
            id: str = binding["namespace_id"]
            return id
    return None
