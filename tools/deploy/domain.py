"""Addresses of a Worker: the account's name below workers.dev, or a custom domain.

wrangler attaches custom domains as well, but where no terminal is there it takes them from other Workers, and replaces
DNS records, without a question. Here a domain that is in use is left as it is.
"""

from __future__ import annotations

from typing import Any

from tools.deploy.account import Ask
from tools.deploy.api import Api
from tools.deploy.failure import ApiFailure, DeployFailure
from tools.deploy.found import NO_WORKER, domains

NEEDS = "Zone: Read of the domain and Workers Scripts: Edit"
HAS_RECORDS = 100117
NAME_TAKEN = 10031


def zone_of(api: Api, account: str, domain: str) -> dict[str, Any]:
    """Return the zone of the account in which the domain lies.

    Raises `DeployFailure` where there is none, or the domain leads to another Worker already.
    """
    labels = domain.split(".")
    for first in range(len(labels) - 1):
        name = ".".join(labels[first:])
        found = api.pages("/zones", f"look for the domain {name}", NEEDS, name=name, **{"account.id": account})
        if found:
            zone: dict[str, Any] = found[0]
            return zone
    raise DeployFailure(
        f"DOMAIN={domain} is in no zone of the account: add its domain at https://dash.cloudflare.com first, or give "
        "the token Zone: Read for it."
    )


def check_free(api: Api, account: str, domain: str, worker: str) -> None:
    """Raise `DeployFailure` where the domain leads to another Worker."""
    for one in domains(api, account, hostname=domain):
        if one.hostname == domain and one.worker != worker:
            raise DeployFailure(
                f"DOMAIN={domain} leads to the Worker {one.worker}, and is left as it is: remove it there first, or "
                "choose another one."
            )


def attach(api: Api, account: str, domain: str, zone_id: str, worker: str) -> None:
    """Let the domain lead to the Worker. Raises `DeployFailure` where its name has DNS records of something else."""
    body = {"hostname": domain, "zone_id": zone_id, "service": worker, "environment": "production"}
    try:
        api.call("PUT", f"/accounts/{account}/workers/domains", f"attach the domain {domain}", body, NEEDS)
    except ApiFailure as failure:
        if failure.code != HAS_RECORDS:
            raise
        raise DeployFailure(
            f"DOMAIN={domain} has DNS records that lead elsewhere, and they are left as they are: delete them first, "
            "or choose another domain."
        ) from failure


def subdomain(api: Api, account: str, ask: Ask) -> str:
    """Return the account's name below workers.dev, registered where it has none and the person chooses one.

    Raises `DeployFailure` where there is none.
    """
    path = f"/accounts/{account}/workers/subdomain"
    try:
        found: str = api.call("GET", path, "read the account's name below workers.dev")["subdomain"]
    except ApiFailure as failure:
        if failure.code not in NO_WORKER:
            raise
        return _register(api, account, path, ask)
    return found


def _register(api: Api, account: str, path: str, ask: Ask) -> str:
    missing = (
        "The account has no name below workers.dev yet: choose it at "
        f"https://dash.cloudflare.com/{account}/workers/onboarding, or deploy to a domain of yours with DOMAIN=…."
    )
    try:
        name = ask(
            "The account has no name below workers.dev yet. All its Workers will be at https://…NAME.workers.dev: "
        )
    except DeployFailure:
        raise DeployFailure(missing) from None
    if not name:
        raise DeployFailure(missing)
    try:
        api.call("PUT", path, f"register {name}.workers.dev", {"subdomain": name})
    except ApiFailure as failure:
        if failure.code != NAME_TAKEN:
            raise
        raise DeployFailure(
            f"{name}.workers.dev is taken: run the command again, and choose another name."
        ) from failure
    return name
