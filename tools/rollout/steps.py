"""A version gets a part of the requests, then all.

A version is tried before it gets any request: in a deployment with a share of nothing, only requests that name it in a
header reach it (https://developers.cloudflare.com/workers/versions-and-deployments/version-overrides/).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tools.deploy.configuration import Configuration, Wanted
from tools.deploy.domain import subdomain
from tools.deploy.failure import DeployFailure
from tools.deploy.found import Found, found
from tools.deploy.sending import Reply, Send, Sent
from tools.deploy.smoke import Smoke, wait
from tools.deploy.steps import Tools, deploy, saying_what_is_left
from tools.rollout.versions import ALL, Versions, most
from tools.signing_keys import FIRST, signing_secret

OVERRIDE = "Cloudflare-Workers-Version-Overrides"


@dataclass(frozen=True)
class Commit:
    """What is in the folder: its commit, and whether a version with this tag is of a commit that comes after it."""

    tag: str
    is_before: Callable[[str], bool] = lambda _: False


def rollout(config: Configuration, percent: int, commit: Commit | None, tools: Tools) -> None:
    """Give the version of this folder so many of a hundred requests, after it was tried; uploads it where needed.

    A commit is uploaded once; without one, the folder is uploaded each time. A Worker that does not exist yet is
    deployed as a whole. Raises `DeployFailure`, and says what then gets the requests.
    """
    versions, there = _look(config, tools)
    if not there.exists:
        tools.say(f"{config.worker} does not exist yet, so there is nothing to share requests with.")
        deploy(config, Wanted(config.env), tools)
        return
    running, tags, tag = versions.running(), versions.tags(), commit.tag if commit else None
    for id, share in running.items():
        if commit and share and (later := tags.get(id)) and commit.is_before(later):
            raise DeployFailure(
                f"{later} already has requests of {config.worker}, and comes after {commit.tag}: nothing was changed. "
                "To go back, use `make rollback`."
            )
    known = next((id for id, of in tags.items() if of == tag), None)
    version = known or versions.upload(there.namespace_id, tag)
    if running.get(version) == ALL:
        tools.say(f"{version} has all requests of {config.worker} already.")
        return
    old = most(running, without=version)
    if old is None:
        raise DeployFailure(f"No version of {config.worker} has any request: `make deploy` gives one all of them.")
    with saying_what_is_left() as left:
        if version not in running:
            versions.share({version: 0, old: ALL}, f"Try {tag or version}")
        if running.get(version):
            left.append(f"{version} still has {running[version]:g} % of the requests: `make rollback` takes them away.")
        else:
            left.append(f"No request reaches {version}: {old} has all of them.")
        url = _url(versions, there, tools)
        smoke = Smoke(url, _only(config.worker, version, tools.send))
        wait(smoke, version, tools.clock, tools.say)
        smoke.run()
        shares = {version: ALL} if percent == ALL else {version: percent, old: ALL - percent}
        versions.share(shares, f"{tag or version}: {percent} %")
    tools.say(f"{version} has {percent} % of the requests of {config.worker}, at {url}")
    if percent != ALL:
        tools.say(f"The others go to {old}. `npx wrangler tail {config.worker} --version-id {version}` shows its log.")


def _look(config: Configuration, tools: Tools) -> tuple[Versions, Found]:
    api = tools.api()
    where = tools.account(api, config)
    there = found(api, where.id, config)
    # What a version needs is the key that the Worker has.
    signed = config.signed_by(signing_secret(there.secrets) or FIRST)
    return Versions(api, where.id, signed, tools.wrangler.within(where.id)), there


def _url(versions: Versions, there: Found, tools: Tools) -> str:
    if there.domains:
        return f"https://{there.domains[0].hostname}"
    return f"https://{versions.config.worker}.{subdomain(versions.api, versions.account, tools.ask)}.workers.dev"


def _only(worker: str, version: str, send: Send) -> Send:
    """Return a `send` whose requests reach this version alone."""

    def to_version(sent: Sent) -> Reply:
        return send(replace(sent, headers={**sent.headers, OVERRIDE: f'{worker}="{version}"'}))

    return to_version
