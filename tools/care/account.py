"""Where a deployment is: its token and account, its Worker, the namespace that the Worker uses, its address."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import Any

import httpx

from tools.care.api import Api, Refused, trusted
from tools.care.problem import CareError
from tools.local.local_worker import ROOT, search_path

BINDING = "WAYPOST"


def find_token(environment: Mapping[str, str]) -> str:
    """`CLOUDFLARE_API_TOKEN`, or the token of wrangler's login. Raises `CareError` where there is neither."""
    if token := environment.get("CLOUDFLARE_API_TOKEN", "").strip():
        return token
    done = subprocess.run(
        [ROOT / "node_modules" / ".bin" / "wrangler", "auth", "token", "--json"],
        cwd=ROOT,
        env={**environment, "PATH": search_path(), "WRANGLER_SEND_METRICS": "false"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    try:
        return str(json.loads(done.stdout)["token"])
    except (ValueError, KeyError, TypeError):
        raise CareError(
            "Nobody is logged in to Cloudflare: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN."
        ) from None


def find_account(api: Api, environment: Mapping[str, str], config: Mapping[str, Any]) -> str:
    """The account's id: `CLOUDFLARE_ACCOUNT_ID`, that of wrangler.toml, or the only one of the token."""
    if account := environment.get("CLOUDFLARE_ACCOUNT_ID") or config.get("account_id"):
        return str(account)
    listed = api.call("GET", "/accounts", query={"per_page": "50"})
    if len(listed) == 1:
        return str(listed[0]["id"])
    names = ", ".join(f"{each['name']} ({each['id']})" for each in listed) or "none"
    raise CareError(f"Set CLOUDFLARE_ACCOUNT_ID to the account that is meant. The token sees: {names}.")


def find_worker(config: Mapping[str, Any], environment_name: str) -> str:
    """The name of the Worker that wrangler.toml deploys to this environment, empty for the top level."""
    if not environment_name:
        return str(config["name"])
    environments = config.get("env", {})
    if environment_name not in environments:
        known = ", ".join(sorted(environments)) or "none"
        raise CareError(f"wrangler.toml has no environment {environment_name}; it has: {known}.")
    return str(environments[environment_name].get("name", f"{config['name']}-{environment_name}"))


def find_namespace(api: Api, account: str, worker: str) -> str:
    """The id of the namespace that the deployed Worker is bound to. Raises `CareError`."""
    try:
        settings = api.call("GET", f"/accounts/{account}/workers/scripts/{worker}/settings")
    except Refused as refusal:
        if refusal.status != 404:
            raise
        raise CareError(
            f"The account has no Worker {worker}. If its namespace is still there, name it: NAMESPACE=id "
            "(`npx wrangler kv namespace list` shows the ids)."
        ) from refusal
    for binding in settings.get("bindings", []):
        if binding.get("type") == "kv_namespace" and binding.get("name") == BINDING:
            return str(binding["namespace_id"])
    raise CareError(f"The Worker {worker} is bound to no namespace {BINDING}.")


def find_url(api: Api, account: str, worker: str) -> str:
    """The address of the deployed Worker: its own domain, or the one below workers.dev. Raises `CareError`."""
    domains = api.call("GET", f"/accounts/{account}/workers/domains", query={"service": worker})
    for domain in domains:
        if domain.get("service") == worker:
            return f"https://{domain['hostname']}"
    try:
        subdomain = api.call("GET", f"/accounts/{account}/workers/subdomain")["subdomain"]
    except Refused as refusal:
        raise CareError("The address of the deployment is not known: give it as URL=https://….") from refusal
    return f"https://{worker}.{subdomain}.workers.dev"


def signing_keys(url: str) -> tuple[str, ...]:
    """The fingerprints of the keys whose tokens the deployment at `url` accepts, the one that signs first.

    Raises `CareError` where it says none.
    """
    shown = health_of(url).get("signingKeys")
    if not isinstance(shown, list) or not shown:
        raise CareError(
            f"{url}/health does not say which key signs: it is an older version, or has no SIGNING_KEY. Deploy first."
        )
    return tuple(map(str, shown))


def health_of(url: str) -> dict[str, Any]:
    """What `/health` of a deployment says, usable or not. Raises `CareError` where it is none of Waypost."""
    url = url.rstrip("/")
    try:
        health = httpx.get(f"{url}/health", timeout=30, verify=trusted()).json()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise CareError(f"{url} can't be reached ({reason}). Give the deployment's address: URL=https://….") from error
    except ValueError:
        health = None
    if not isinstance(health, dict) or "status" not in health:
        raise CareError(f"{url} is not a Waypost. Give the deployment's address: URL=https://….")
    return health
