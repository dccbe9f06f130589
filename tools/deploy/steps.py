"""A deployment in its order; where it fails, the failure also says what is left of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tools.deploy.account import Account, Ask, account
from tools.deploy.api import BASE, Api
from tools.deploy.configuration import Configuration, Wanted
from tools.deploy.domain import attach, check_free, subdomain, zone_of
from tools.deploy.failure import DeployFailure
from tools.deploy.found import found
from tools.deploy.login import headers
from tools.deploy.namespace import namespace
from tools.deploy.report import closing
from tools.deploy.sending import Send, send
from tools.deploy.smoke import Say, Smoke, Time, wait
from tools.deploy.upload import upload
from tools.deploy.wrangler import Wrangler
from tools.signing_keys import FIRST, signing_secret

DNS_SECONDS = 15.0
"""Until a new record is served: a name that is asked for before may be unknown to a resolver for half an hour."""


@dataclass(frozen=True)
class Tools:
    """What a deployment works with; tests put others here."""

    ask: Ask
    say: Say
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    send: Send = send
    wrangler: Wrangler = field(default_factory=Wrangler)
    clock: Time = field(default_factory=Time)
    has_terminal: bool = False

    def api(self) -> Api:
        """Return the API, by the right of this machine's credentials. Raises `DeployFailure` without any."""
        fields = headers(self.environment, self.wrangler, has_terminal=self.has_terminal)
        return Api(fields, self.send, self.environment.get("CLOUDFLARE_API_BASE_URL") or BASE)

    def account(self, api: Api, config: Configuration) -> Account:
        """Return the account to work in. Raises `DeployFailure`."""
        return account(api, self.environment, config.account_id, self.ask)


@contextmanager
def saying_what_is_left() -> Iterator[list[str]]:
    """Yield a list for sentences about what was made; a failure inside of the context ends with them."""
    left: list[str] = []
    try:
        yield left
    except DeployFailure as failure:
        raise DeployFailure("\n".join([str(failure), *left])) from failure


def deploy(config: Configuration, wanted: Wanted, tools: Tools) -> str:
    """Deploy, test what runs, and return its URL.

    A second deployment uses the namespace and the key of the first one. Raises `DeployFailure`.
    """
    api = tools.api()
    where = tools.account(api, config)
    tools.say(f"Deploying {config.worker} to the account {where.name} …")
    there = found(api, where.id, config)
    zone = None
    if wanted.domain:
        zone = zone_of(api, where.id, wanted.domain)
        check_free(api, where.id, wanted.domain, config.worker)
    known = [domain.hostname for domain in there.domains]
    hosts = [wanted.domain] if wanted.domain else known
    if not hosts:
        subdomain(api, where.id, tools.ask)
    with saying_what_is_left() as left:
        storage = namespace(api, where.id, config, there)
        if storage.is_new:
            tools.say(f"Made the KV namespace {storage.title}.")
            left.append(
                f"The KV namespace {storage.title} was made, and is empty: the next `make deploy{config.which}` uses "
                f"it, `make undeploy{config.which}` removes it."
            )
        key = signing_secret(there.secrets)
        tools.say(f"Uploading {f'with the {key} that is there' if key else 'with a new random SIGNING_KEY'} …")
        bound = config.bound_to(storage.id).signed_by(key or FIRST)
        uploaded = upload(tools.wrangler.within(where.id), bound, has_key=key is not None)
        left[:] = [_left_running(config, is_first=not there.exists)]
        if wanted.domain and zone:
            attach(api, where.id, wanted.domain, zone["id"], config.worker)
            if wanted.domain not in known:
                tools.say(f"Waiting until {wanted.domain} has its DNS record …")
                tools.clock.sleep(DNS_SECONDS)
        url = f"https://{(hosts or uploaded.hosts or ('',))[0]}"
        smoke = Smoke(url, tools.send)
        health = wait(smoke, uploaded.version, tools.clock, tools.say)
        smoke.run()
    tools.say(closing(url, health, smoke.operations))
    for option, value in (("REGION", wanted.region), ("PLAN", wanted.plan)):
        if value is not None:
            tools.say(f"{option}={value} is for this deployment only: to keep it, write it into wrangler.toml.")
    return url


def _left_running(config: Configuration, *, is_first: bool) -> str:
    if is_first:
        return (
            f"The Worker {config.worker} is uploaded, with a KV namespace: `make undeploy{config.which}` removes both."
        )
    return f"The new version runs: `npx wrangler rollback --name {config.worker}` brings the one before back."
