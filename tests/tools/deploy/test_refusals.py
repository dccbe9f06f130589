"""Whatever keeps a deployment from succeeding is one sentence that says what to do, and nothing is left unsaid."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.cloudflare_api.account import Account
from tests.support.cloudflare_api.routing import ApiError, Page, Request, Routes
from tests.support.cloudflare_api.server import CloudflareApi
from tests.support.deploying import CannedWrangler, InMemory, Person, config, refusal, tools, worker
from tools.deploy.configuration import Wanted
from tools.deploy.steps import deploy

Make = Callable[..., InMemory]
URL = "https://waypost.tester.workers.dev"


def test_without_credentials_and_without_a_terminal_the_variable_and_its_permissions_are_named(
    api: CloudflareApi,
) -> None:
    said = refusal(api, CLOUDFLARE_API_TOKEN="")
    assert said.startswith("CLOUDFLARE_API_TOKEN is missing, and there is no terminal to log in with: make a token at")
    assert "Workers Scripts: Edit and Workers KV Storage: Edit" in said
    assert "make deploy TRY=1" in said
    assert api.requests == []


def test_a_login_that_does_not_succeed_ends_the_command(api: CloudflareApi) -> None:
    wrangler, person = CannedWrangler(status=1), Person()
    person.has_terminal = True
    said = refusal(api, wrangler=wrangler, person=person, CLOUDFLARE_API_TOKEN="")
    assert said.startswith("The login did not succeed")
    assert wrangler.ran == [["auth", "token", "--json"], ["login"]]


def test_wranglers_own_login_is_used_where_there_is_one(api: CloudflareApi, in_memory: Make) -> None:
    token = json.dumps({"type": "oauth", "token": api.account.token})
    wrangler = CannedWrangler(prints={"auth": token})
    used = tools(api, Person(), wrangler, in_memory().send, CLOUDFLARE_API_TOKEN="")
    assert deploy(config(), Wanted(), used) == URL
    key = json.dumps({"type": "api_key", "key": "k", "email": "e"})
    assert "does not accept the credentials" in refusal(
        api, wrangler=CannedWrangler(prints={"auth": key}), CLOUDFLARE_API_TOKEN=""
    )


def test_a_wrong_token_is_said_to_be_one(api: CloudflareApi) -> None:
    said = refusal(api, CLOUDFLARE_API_TOKEN="wrong")
    assert said.startswith("Cloudflare does not accept the credentials (Authentication error): if CLOUDFLARE_API_TOKEN")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("refused", "doing", "needs"),
    [
        ("GET /accounts/{account}/workers/scripts/waypost/settings", "read the Worker's settings", "Workers Scripts"),
        ("GET /accounts/{account}/storage/kv", "list the KV namespaces", "Workers KV Storage: Edit; change"),
        ("POST /accounts/{account}/storage/kv", "create the KV namespace waypost-waypost", "Workers KV Storage: Edit"),
        ("GET /accounts/{account}/workers/subdomain", "read the account's name below workers.dev", "Workers Scripts"),
        ("GET /zones", "look for the domain waypost.example.com", "Zone: Read of the domain"),
    ],
)
def test_a_missing_permission_is_named(api: CloudflareApi, refused: str, doing: str, needs: str) -> None:
    api.account.refused.add(refused.format(account=api.account.id))
    wanted = Wanted(domain="waypost.example.com") if "zones" in refused else None
    said = refusal(api, wanted)
    assert said.startswith(f"Cloudflare refuses to {doing}: the token lacks the permission, or belongs to another")
    assert f"It needs {needs}" in said
    assert len(said.splitlines()) == 1


def test_without_a_network_no_account_is_blamed(api: CloudflareApi) -> None:
    said = refusal(api, CLOUDFLARE_API_BASE_URL="http://127.0.0.1:9/client/v4")
    assert said.startswith("127.0.0.1:9 can't be reached (")
    assert said.endswith(" Is this machine online?")


ACCOUNTS = Routes()


@ACCOUNTS.on("GET", "/accounts")
def several(account: Account, _: Request) -> Page:
    listed = [{"id": account.id, "name": "One"}, {"id": "b" * 32, "name": "Two"}]
    return Page(listed, {})


NONE = Routes()


@NONE.on("GET", "/accounts")
def no_account(_: Account, __: Request) -> Page:
    return Page([], {})


UNLISTED = Routes()


@UNLISTED.on("GET", "/accounts")
def not_allowed(_: Account, __: Request) -> Page:
    raise ApiError(403, 10000, "Authentication error")


def test_of_several_accounts_one_has_to_be_named_or_chosen(in_memory: Make) -> None:
    with CloudflareApi(more=[ACCOUNTS]) as api:
        said = refusal(api)
        assert said.startswith("The credentials open several accounts: name one in CLOUDFLARE_ACCOUNT_ID.\n  1. One (")
        assert refusal(api, person=Person("3")) == "No account was chosen, and nothing was deployed."
        assert api.account.workers == {}
        wrangler = CannedWrangler()
        deploy(config(), Wanted(), tools(api, Person("1"), wrangler, in_memory().send))
        deploy(
            config(), Wanted(), tools(api, Person(), wrangler, in_memory().send, CLOUDFLARE_ACCOUNT_ID=api.account.id)
        )


def test_credentials_without_an_account_say_where_its_id_stands() -> None:
    with CloudflareApi(more=[NONE]) as api:
        assert refusal(api).startswith("The credentials open no account: name yours in CLOUDFLARE_ACCOUNT_ID")
        # Named by the environment, and not the token's.
        assert "belongs to another account" in refusal(api, CLOUDFLARE_ACCOUNT_ID="a" * 32)


def test_a_token_that_may_not_list_accounts_works_for_the_one_that_is_named(in_memory: Make) -> None:
    with CloudflareApi(more=[UNLISTED]) as strict:
        assert refusal(strict).startswith("Cloudflare refuses to list the accounts: the token lacks the permission")
        id = strict.account.id
        used = tools(strict, Person(), CannedWrangler(), in_memory().send, CLOUDFLARE_ACCOUNT_ID=id)
        assert deploy(config(), Wanted(), used) == URL
        # wrangler.toml comes first, as it does for wrangler.
        used = tools(strict, Person(), CannedWrangler(), in_memory().send, CLOUDFLARE_ACCOUNT_ID="b" * 32)
        assert deploy(replace(config(), account_id=id), Wanted(), used) == URL


def test_a_worker_of_that_name_that_is_no_waypost_is_left_as_it_is(api: CloudflareApi) -> None:
    taken = worker(api.account)
    said = refusal(api)
    assert said.startswith("The account has a Worker named waypost that is no Waypost (it has no KV namespace WAYPOST)")
    assert "with NAME=…" in said
    assert (len(taken.versions), api.account.titles()) == (1, [])


def test_an_account_without_a_name_below_workers_dev_is_asked_for_one_or_told_where(
    api: CloudflareApi, in_memory: Make
) -> None:
    api.account.subdomain = None
    said = refusal(api)
    assert f"https://dash.cloudflare.com/{api.account.id}/workers/onboarding" in said
    assert "DOMAIN=…" in said
    assert refusal(api, person=Person("")) == said
    assert api.account.titles() == []
    deploy(config(), Wanted(), tools(api, Person("mine"), CannedWrangler(), in_memory().send))
    assert api.account.subdomain == "mine"


TAKEN = Routes()


@TAKEN.on("PUT", "/accounts/{account}/workers/subdomain")
def taken_name(_: Account, __: Request) -> None:
    raise ApiError(409, 10031, "Subdomain is unavailable.")


def test_a_name_below_workers_dev_that_is_taken_is_said_to_be() -> None:
    with CloudflareApi(Account(subdomain=None), [TAKEN]) as api:
        assert refusal(api, person=Person("google")).startswith("google.workers.dev is taken")


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("✘ [ERROR] fetch failed\n", "Cloudflare can't be reached (fetch failed). Is this machine online?"),
        (
            "✘ [ERROR] A request to the Cloudflare API (/accounts/a/workers/scripts/waypost) failed.\n\n"
            "  You have exceeded the limit of 100 Workers on your account. [code: 10037]\n\n  If you think this",
            "The account has as many Workers as its plan allows (You have exceeded the limit of 100 Workers on your "
            "account.): delete one at https://dash.cloudflare.com, or deploy to another account.",
        ),
        (
            "✘ [ERROR] A request to the Cloudflare API (/accounts/a/workers/scripts/waypost) failed.\n\n"
            "  The region aws:mars-1 is not known. [code: 10999]\n",
            "Cloudflare refuses to upload the Worker: The region aws:mars-1 is not known (code 10999).",
        ),
        (
            "✘ [ERROR] Python Worker startup exceeded CPU limit 1004<=1000 with snapshot baseline [code: 10021]\n",
            "The Worker takes longer to start than Cloudflare allows, and the version before it still runs: run the "
            "command again, since this varies from one upload to the next.",
        ),
        (
            "[custom build] Running: python3 -m tools.build\n[custom build] Installing a==1 into python_modules …\n"
            "[custom build] \n[custom build] The Worker's packages could not be installed.\n[custom build] \n"
            "✘ [ERROR] k [Error]: Process exited with non-zero status (1)\n\n      at I2._waitForOutput (cli.js:1)\n"
            "✘ [ERROR] Running custom build `python3 -m tools.build` failed. There are likely more logs above.\n",
            "The build step failed: The Worker's packages could not be installed.",
        ),
        (
            "✘ [ERROR] Something of wrangler's own.\n\n🪵  Logs were written to x\n",
            "wrangler can't upload the Worker: Something of wrangler's own. All that it said is in "
            ".waypost/logs/deploy.log.",
        ),
        ("", "wrangler can't upload the Worker: it gives no reason. All that it said is in .waypost/logs/deploy.log."),
    ],
)
def test_a_failed_upload_is_one_sentence(api: CloudflareApi, output: str, sentence: str) -> None:
    said, left = refusal(api, wrangler=CannedWrangler(status=1, output=output)).splitlines()
    assert said == sentence
    assert left.startswith("The KV namespace waypost-waypost was made, and is empty")
    assert refusal(api, wrangler=CannedWrangler(status=1, output=output)) == sentence


def test_a_deployment_that_does_not_answer_says_that_it_is_there(api: CloudflareApi) -> None:
    sentence, left = refusal(api).splitlines()
    assert sentence.startswith(f"The Worker is deployed, but {URL}/health is not good after 180 s")
    assert left == "The Worker waypost is uploaded, with a KV namespace: `make undeploy` removes both."


def test_the_command_that_removes_what_is_left_is_of_the_same_worker(api: CloudflareApi) -> None:
    stages = '[env.preview]\nkv_namespaces = [{ binding = "WAYPOST" }]\n'
    _, left = refusal(api, Wanted("preview", name="mine"), more=stages).splitlines()
    assert left == (
        "The Worker mine is uploaded, with a KV namespace: `make undeploy ENV=preview NAME=mine` removes both."
    )
    _, left = refusal(api, Wanted("preview"), CannedWrangler(status=1), more=stages).splitlines()
    assert left == (
        "The KV namespace waypost-preview-waypost was made, and is empty: the next `make deploy ENV=preview` uses it, "
        "`make undeploy ENV=preview` removes it."
    )


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (429, 971, "Cloudflare takes no more requests from this account for now: run the command again in five"),
        (502, 0, "Cloudflare could not list the accounts (502): https://www.cloudflarestatus.com says whether"),
        (400, 6003, "Cloudflare does not accept the credentials (Invalid request headers)"),
        (400, 1234, "Cloudflare refuses to list the accounts: Invalid request headers (code 1234)."),
    ],
)
def test_other_refusals_of_the_api(status: int, code: int, sentence: str) -> None:
    routes = Routes()

    @routes.on("GET", "/accounts")
    def fail(_: Account, __: Request) -> None:
        raise ApiError(status, code, "Invalid request headers")

    with CloudflareApi(more=[routes]) as api:
        assert refusal(api).startswith(sentence)
