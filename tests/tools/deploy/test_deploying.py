"""`make deploy` with the real wrangler: one command leads to a service that works, a second one keeps what is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cloudflare_api.account import Version
from tests.support.cloudflare_api.server import CloudflareApi
from tests.support.deploying import InMemory, Person, real_wrangler, tools
from tools.deploy.configuration import CONFIG, Wanted, configuration
from tools.deploy.failure import DeployFailure
from tools.deploy.steps import deploy
from tools.deploy.trial import deploy_for_an_hour
from tools.deploy.undeploy import undeploy
from tools.local.local_worker import ROOT

Make = Callable[..., InMemory]


def storage(version: Version) -> str:
    """The id of the namespace that a version is bound to."""
    [id] = [binding["namespace_id"] for binding in version.bindings if binding["type"] == "kv_namespace"]
    return str(id)


def copies() -> list[Path]:
    return list(ROOT.glob(".wrangler.deploy-*"))


def test_from_an_empty_account_to_a_service_and_again_and_back(
    api: CloudflareApi, in_memory: Make, tmp_path: Path
) -> None:
    person = Person("y")
    there = in_memory()
    own = CONFIG.read_text()
    wrangler = real_wrangler(api, tmp_path)
    used = tools(api, person, wrangler, there.send)

    url = deploy(configuration(own, Wanted()), Wanted(), used)

    assert url == "https://waypost.tester.workers.dev"
    assert f"Waypost 0.1.0 is at {url}" in person.heard
    worker = api.account.workers["waypost"]
    assert list(worker.secrets) == ["SIGNING_KEY"]
    assert len(worker.secrets["SIGNING_KEY"]) == 43
    assert worker.secrets["SIGNING_KEY"] not in person.heard
    [first] = worker.versions
    # The Worker's packages are in the upload, and the placement that the file names.
    assert any(name.startswith("python_modules/msgspec/_core.") for name in first.modules)
    assert "python_modules/workers/__init__.py" in first.modules
    assert first.metadata["placement"]["region"] == "aws:us-east-1"
    assert worker.is_on_workers_dev
    assert api.account.titles() == ["waypost-waypost"]
    key = worker.secrets["SIGNING_KEY"]

    # Again, with words of the command line: the same namespace, the same key.
    wanted = Wanted(region="none", plan="paid")
    deploy(configuration(own, wanted), wanted, used)

    changed = worker.versions[1]
    assert worker.secrets == {"SIGNING_KEY": key}
    assert api.account.titles() == ["waypost-waypost"]
    assert "placement" not in changed.metadata
    assert [binding["text"] for binding in changed.bindings if binding["name"] == "PLAN"] == ["paid"]
    assert storage(changed) == storage(first)
    assert "PLAN=paid is for this deployment only" in person.heard
    assert CONFIG.read_text() == own
    assert copies() == []

    undeploy(configuration(own, Wanted()), used, is_sure=False)

    assert "- the Worker waypost" in person.heard
    assert (api.account.workers, api.account.namespaces) == ({}, {})


@pytest.mark.worker
@pytest.mark.verify
def test_a_trial_needs_no_account_and_a_second_one_in_the_hour_keeps_its_key(
    api: CloudflareApi, in_memory: Make, tmp_path: Path
) -> None:
    there = in_memory()
    config = configuration(CONFIG.read_text(), Wanted())
    wrangler = real_wrangler(api, tmp_path, CLOUDFLARE_API_TOKEN="")
    keys = []
    for _ in range(2):
        person = Person("yes")
        used = tools(api, person, wrangler, there.send, CLOUDFLARE_API_TOKEN="")
        assert deploy_for_an_hour(config, used, is_sure=False) == "https://waypost.tester.workers.dev"
        assert "https://dash.cloudflare.com/claim-preview?claimToken=" in person.heard
        keys.append(api.account.workers["waypost"].secrets["SIGNING_KEY"])
    assert keys[0] == keys[1]
    assert api.account.titles() == ["waypost-waypost"]
    assert api.requests.count("POST /provisioning/previews") == 1
    assert {binding["name"] for binding in api.account.workers["waypost"].bindings} >= {"ADDRESS_LIMIT", "WAYPOST"}
    assert copies() == []


@pytest.mark.worker
@pytest.mark.verify
def test_a_refused_upload_is_one_sentence_and_says_what_is_left(
    api: CloudflareApi, in_memory: Make, tmp_path: Path
) -> None:
    api.account.refused.add("PUT /accounts/" + api.account.id + "/workers/scripts/waypost")
    person = Person()
    used = tools(api, person, real_wrangler(api, tmp_path), in_memory().send)
    with pytest.raises(DeployFailure) as failure:
        deploy(configuration(CONFIG.read_text(), Wanted()), Wanted(), used)
    sentence, left = str(failure.value).splitlines()
    assert sentence == (
        "Cloudflare refuses to upload the Worker: the token lacks the permission, or belongs to another account. It "
        "needs Workers Scripts: Edit and Workers KV Storage: Edit; change it at "
        "https://dash.cloudflare.com/profile/api-tokens."
    )
    assert left == (
        "The KV namespace waypost-waypost was made, and is empty: the next `make deploy` uses it, `make undeploy` "
        "removes it."
    )
    assert api.account.workers == {}
    assert "[ERROR]" in (ROOT / ".waypost" / "logs" / "deploy.log").read_text()


@pytest.mark.worker
@pytest.mark.verify
def test_wrangler_itself_makes_a_namespace_where_there_is_none_and_make_deploy_takes_that_one(
    api: CloudflareApi, in_memory: Make, tmp_path: Path
) -> None:
    wrangler = real_wrangler(api, tmp_path)
    done = wrangler.run(["deploy"])
    assert done.status == 0, done.output
    worker = api.account.workers["waypost"]
    assert (worker.secrets, api.account.titles()) == ({}, ["waypost-waypost"])

    deploy(configuration(CONFIG.read_text(), Wanted()), Wanted(), tools(api, Person(), wrangler, in_memory().send))
    done = wrangler.run(["deploy"])

    assert done.status == 0, done.output
    assert len({storage(version) for version in worker.versions}) == 1
    assert (list(worker.secrets), api.account.titles()) == (["SIGNING_KEY"], ["waypost-waypost"])
