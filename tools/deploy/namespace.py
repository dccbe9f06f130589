"""The KV namespace of a deployment: found, or made."""

from __future__ import annotations

from dataclasses import dataclass

from tools.deploy.api import Api
from tools.deploy.configuration import Configuration
from tools.deploy.failure import ApiFailure, DeployFailure
from tools.deploy.found import Found

TITLE_TAKEN = 10014
NEEDS = "Workers KV Storage: Edit"


@dataclass(frozen=True)
class Namespace:
    """A namespace of Workers KV."""

    id: str
    title: str
    is_new: bool = False


def namespaces(api: Api, account: str) -> list[Namespace]:
    """Return the namespaces of the account."""
    listed = api.pages(f"/accounts/{account}/storage/kv/namespaces", "list the KV namespaces", NEEDS)
    return [Namespace(one["id"], one["title"]) for one in listed]


def namespace(api: Api, account: str, config: Configuration, there: Found) -> Namespace:
    """Return the namespace to bind: the one that wrangler.toml names; else the one that the Worker has, so that no
    deployment loses what is stored; else the one that an earlier deployment has made; else a new one.

    Raises `DeployFailure` where the one that is named does not exist.
    """
    known = namespaces(api, account)
    for wanted in (config.namespace_id, there.namespace_id):
        if wanted is not None:
            for one in known:
                if one.id == wanted:
                    return one
    if config.namespace_id is not None:
        raise DeployFailure(
            f"The account has no KV namespace {config.namespace_id}, which wrangler.toml names: correct the id there, "
            "or remove its line, and `make deploy` makes a namespace."
        )
    title = config.namespace_title
    for one in known:
        if one.title == title:
            return one
    path = f"/accounts/{account}/storage/kv/namespaces"
    try:
        made = api.call("POST", path, f"create the KV namespace {title}", {"title": title}, NEEDS)
    except ApiFailure as failure:
        # Another deployment was faster.
        again = [one for one in namespaces(api, account) if one.title == title] if failure.code == TITLE_TAKEN else []
        if not again:
            raise
        return again[0]
    return Namespace(made["id"], title, is_new=True)
