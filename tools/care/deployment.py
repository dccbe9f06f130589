"""Where a deployment is, found as `make deploy` finds it: account, Worker, namespace, address; and what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tools.care.api import PUBLIC, Api, trusted
from tools.care.problem import CareError
from tools.deploy.configuration import CONFIG, Wanted, configuration
from tools.deploy.failure import ApiFailure
from tools.deploy.found import found
from tools.deploy.login import headers
from tools.deploy.steps import Tools


@dataclass(frozen=True)
class Deployment:
    """A Worker in an account; `namespace` is the id of the one that it is bound to."""

    account: str
    worker: str
    namespace: str
    url: str


def find(words: Mapping[str, str], tools: Tools) -> Deployment:
    """The deployment that the words ENV, NAME, URL and NAMESPACE of a command line mean; URL and NAMESPACE are taken
    as they are. Raises `CareError` and `DeployFailure`.
    """
    config = configuration(CONFIG.read_text(), Wanted(words.get("ENV", ""), name=words.get("NAME")))
    api = tools.api()
    account = tools.account(api, config).id
    namespace, url = words.get("NAMESPACE", ""), words.get("URL", "")
    if namespace and url:
        return Deployment(account, config.worker, namespace, url)
    there = found(api, account, config)
    if not there.exists and not namespace:
        raise CareError(
            f"The account has no Worker {config.worker}. If its namespace is still there, name it: NAMESPACE=id "
            "(`npx wrangler kv namespace list` shows the ids)."
        )
    if not url and there.domains:
        url = f"https://{there.domains[0].hostname}"
    elif not url:
        try:
            subdomain = api.call("GET", f"/accounts/{account}/workers/subdomain", "tell the address")["subdomain"]
        except ApiFailure as failure:
            raise CareError(
                f"The address of the deployment is not known: name it, URL=https://…. {failure}"
            ) from failure
        url = f"https://{config.worker}.{subdomain}.workers.dev"
    return Deployment(account, config.worker, namespace or there.namespace_id or "", url)


def api_of(tools: Tools, say: Callable[[str], None]) -> Api:
    """Cloudflare's API by the right of this machine's credentials. Raises `DeployFailure` without any."""
    fields = headers(tools.environment, tools.wrangler, has_terminal=tools.has_terminal)
    return Api(fields, tools.environment.get("CLOUDFLARE_API_BASE_URL") or PUBLIC, say=say)


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
        raise CareError(f"{url} can't be reached ({reason}). Name the deployment's address: URL=https://….") from error
    except ValueError:
        health = None
    if not isinstance(health, dict) or "status" not in health:
        raise CareError(f"{url} is not a Waypost. Name the deployment's address: URL=https://….")
    return health
