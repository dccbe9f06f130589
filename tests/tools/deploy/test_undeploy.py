"""`make undeploy` says what it would remove, asks, and removes that and nothing else."""

from __future__ import annotations

import pytest

from tests.support.cloudflare_api.account import Account, Version, Worker
from tests.support.cloudflare_api.server import CloudflareApi
from tests.support.deploying import CannedWrangler, Person, config, nowhere, tools
from tools.deploy.configuration import Configuration
from tools.deploy.failure import DeployFailure
from tools.deploy.undeploy import undeploy


def deployed(account: Account, title: str = "waypost-waypost", *domains: str) -> str:
    """A deployment in the account; returns the id of its namespace."""
    id = account.add_namespace(title).id
    bindings = [{"name": "WAYPOST", "type": "kv_namespace", "namespace_id": id}]
    version = Version("v0", {}, {}, bindings)
    account.workers["waypost"] = Worker("waypost", "tag", [version], domains=list(domains))
    return id


def ran(api: CloudflareApi, person: Person, what: Configuration | None = None, *, is_sure: bool = False) -> str:
    """What the person heard."""
    undeploy(what or config(), tools(api, person, CannedWrangler(), nowhere), is_sure=is_sure)
    return person.heard


def test_it_lists_asks_and_removes_the_worker_its_domains_and_the_namespace(api: CloudflareApi) -> None:
    id = deployed(api.account, "waypost-waypost", "waypost.example.com")
    api.account.add_namespace("another")
    heard = ran(api, Person("y"))
    assert "- the Worker waypost, waypost.example.com, with its secrets: every token and session ends" in heard
    assert f"- the KV namespace waypost-waypost ({id}), with all that is stored in it" in heard
    assert heard.endswith("Removed the Worker waypost.\nRemoved the KV namespace waypost-waypost.")
    assert (api.account.workers, api.account.titles()) == ({}, ["another"])


@pytest.mark.parametrize("answer", ["", "n", "no", "waypost"])
def test_anything_but_a_yes_removes_nothing(api: CloudflareApi, answer: str) -> None:
    deployed(api.account)
    assert ran(api, Person(answer)).endswith("Nothing was removed.")
    assert (list(api.account.workers), api.account.titles()) == (["waypost"], ["waypost-waypost"])


def test_without_a_terminal_it_needs_yes(api: CloudflareApi) -> None:
    deployed(api.account)
    with pytest.raises(DeployFailure, match="YES=1 does not ask"):
        ran(api, Person())
    ran(api, Person(), is_sure=True)
    assert (api.account.workers, api.account.namespaces) == ({}, {})


def test_a_namespace_of_yours_stays(api: CloudflareApi) -> None:
    deployed(api.account, "mine")
    heard = ran(api, Person("yes"))
    assert "The KV namespace mine (" in heard
    assert "is yours, and stays." in heard
    assert (api.account.workers, api.account.titles()) == ({}, ["mine"])


def test_a_namespace_that_wrangler_toml_names_stays_also_with_the_title_of_make_deploy(api: CloudflareApi) -> None:
    id = deployed(api.account)
    heard = ran(api, Person("yes"), config().bound_to(id))
    assert "is yours, and stays." in heard
    assert (api.account.workers, api.account.titles()) == ({}, ["waypost-waypost"])


def test_what_a_failed_deployment_has_left_is_removed_too(api: CloudflareApi) -> None:
    api.account.add_namespace("waypost-waypost")
    assert ran(api, Person("y")).endswith("Removed the KV namespace waypost-waypost.")
    assert api.account.namespaces == {}


def test_where_nothing_is_it_says_so_and_does_not_ask(api: CloudflareApi) -> None:
    assert ran(api, Person()) == (
        "The account Test account has no Worker waypost and no namespace of it: nothing to remove."
    )


def test_a_worker_that_is_no_waypost_is_not_removed(api: CloudflareApi) -> None:
    api.account.workers["waypost"] = Worker("waypost", "tag", [Version("v0", {}, {}, [])])
    with pytest.raises(DeployFailure, match="is no Waypost"):
        ran(api, Person("y"))
    assert list(api.account.workers) == ["waypost"]


@pytest.mark.parametrize(
    ("refused", "left"),
    [
        ("workers/scripts/waypost", "Nothing was removed: run the command again."),
        ("storage/kv/namespaces/", "The KV namespace waypost-waypost is still there: run the command again."),
    ],
)
def test_what_it_could_not_remove_it_says(api: CloudflareApi, refused: str, left: str) -> None:
    deployed(api.account)
    api.account.refused.add(f"DELETE /accounts/{api.account.id}/{refused}")
    with pytest.raises(DeployFailure) as failure:
        ran(api, Person("y"))
    assert str(failure.value).splitlines()[1] == left
    assert api.account.titles() == ["waypost-waypost"]
