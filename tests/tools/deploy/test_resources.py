"""Which namespace, domain and key a deployment has: what is there is kept, and nothing of others is touched."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.support.cloudflare_api.account import Account
from tests.support.cloudflare_api.routing import ApiError, Request, Routes
from tests.support.cloudflare_api.server import CloudflareApi
from tests.support.deploying import CannedWrangler, InMemory, Person, config, nowhere, refusal, tools, worker
from tools.deploy.configuration import Wanted
from tools.deploy.failure import DeployFailure
from tools.deploy.steps import DNS_SECONDS, deploy

Make = Callable[..., InMemory]


def test_a_domain_has_to_be_of_the_account_and_of_nothing_else(api: CloudflareApi, in_memory: Make) -> None:
    wanted = Wanted(domain="waypost.example.com")
    assert "DOMAIN=waypost.example.com is in no zone of the account" in refusal(api, wanted)
    api.account.zones.append("example.com")
    other = worker(api.account, "shop")
    other.domains.append("waypost.example.com")
    assert "leads to the Worker shop, and is left as it is" in refusal(api, wanted)
    assert (api.account.titles(), other.domains) == ([], ["waypost.example.com"])

    other.domains.clear()
    api.account.dns_records.add("waypost.example.com")
    worker(api.account, "waypost", "waypost-waypost", "SIGNING_KEY")
    sentence, left = refusal(api, wanted).splitlines()
    assert sentence.startswith("DOMAIN=waypost.example.com has DNS records that lead elsewhere")
    assert left == "The new version runs: `npx wrangler rollback --name waypost` brings the one before back."

    api.account.dns_records.clear()
    there = in_memory()
    used = tools(api, Person(), CannedWrangler(), there.send)
    started = used.clock.now()
    assert deploy(config("", wanted), wanted, used) == "https://waypost.example.com"
    # A name that is asked for before it has a record would be unknown for a while.
    assert used.clock.now() - started == DNS_SECONDS
    # A later deployment knows its domain by the account.
    assert deploy(config(), Wanted(), used) == "https://waypost.example.com"


def test_a_namespace_that_the_file_names_has_to_exist(api: CloudflareApi, in_memory: Make) -> None:
    mine = api.account.add_namespace("mine")
    assert "The account has no KV namespace abc" in refusal_of_id(api, "abc")
    wrangler = CannedWrangler()
    deploy(config().bound_to(mine.id), Wanted(), tools(api, Person(), wrangler, in_memory().send))
    given = json.loads(wrangler.files[-1][0])
    assert given["kv_namespaces"] == [{"binding": "WAYPOST", "id": mine.id}]
    assert api.account.titles() == ["mine"]


def refusal_of_id(api: CloudflareApi, id: str) -> str:
    with pytest.raises(DeployFailure) as failure:
        deploy(config().bound_to(id), Wanted(), tools(api, Person(), CannedWrangler(), nowhere))
    return str(failure.value)


def test_the_namespace_of_the_worker_comes_before_one_that_has_the_title(api: CloudflareApi, in_memory: Make) -> None:
    worker(api.account, "waypost", "an older name", "SIGNING_KEY")
    bound = api.account.workers["waypost"].bindings[-1]["namespace_id"]
    api.account.add_namespace("waypost-waypost")
    wrangler = CannedWrangler()
    deploy(config(), Wanted(), tools(api, Person(), wrangler, in_memory().send))
    # No secrets: the Worker has its key.
    [(copy, _)] = wrangler.files
    assert json.loads(copy)["kv_namespaces"][0]["id"] == bound


RACE = Routes()


@RACE.on("POST", "/accounts/{account}/storage/kv/namespaces")
def faster(account: Account, request: Request) -> None:
    account.add_namespace(request.json["title"])
    raise ApiError(400, 10014, "create namespace: 'a namespace with this account ID and title already exists'")


def test_a_namespace_that_another_deployment_has_just_made_is_used(in_memory: Make) -> None:
    with CloudflareApi(more=[RACE]) as api:
        deploy(config(), Wanted(), tools(api, Person(), CannedWrangler(), in_memory().send))
        assert api.account.titles() == ["waypost-waypost"]


def test_the_key_is_in_a_file_that_only_its_owner_can_read_and_never_on_a_command_line(
    api: CloudflareApi, in_memory: Make
) -> None:
    wrangler = CannedWrangler()
    person = Person()
    deploy(config(), Wanted(), tools(api, person, wrangler, in_memory().send))
    (secrets, mode), _ = wrangler.files
    key = json.loads(secrets)["SIGNING_KEY"]
    assert (len(key), mode) == (43, 0o600)
    assert key not in str(wrangler.ran) + person.heard


def test_a_worker_whose_key_was_replaced_keeps_the_new_one_and_gets_no_other(
    api: CloudflareApi, in_memory: Make
) -> None:
    worker(api.account, "waypost", "waypost-waypost", "SIGNING_KEY_2")
    wrangler = CannedWrangler()
    deploy(config(), Wanted(), tools(api, Person(), wrangler, in_memory().send))
    # No secrets, and the key that is required is the one that is there.
    [(copy, _)] = wrangler.files
    assert json.loads(copy)["secrets"] == {"required": ["SIGNING_KEY_2"]}
