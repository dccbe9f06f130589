"""`make deploy TRY=1` asks for the terms, and refuses where an account is there already."""

from __future__ import annotations

import json

import pytest

from tests.support.cloudflare_api.server import CloudflareApi
from tests.support.deploying import CannedWrangler, Person, config, nowhere, tools
from tools.deploy.failure import DeployFailure
from tools.deploy.trial import deploy_for_an_hour

LISTED = 'Temporary account ready:\n\tClaim URL: https://claim.example\n\n[{"name": "SIGNING_KEY"}]\n'


def tried(
    api: CloudflareApi, person: Person, wrangler: CannedWrangler, *, is_sure: bool = False, token: str = ""
) -> str:
    with pytest.raises(DeployFailure) as failure:
        deploy_for_an_hour(config(), tools(api, person, wrangler, nowhere, CLOUDFLARE_API_TOKEN=token), is_sure=is_sure)
    return str(failure.value)


def test_with_an_account_a_trial_is_refused(api: CloudflareApi) -> None:
    sentence = "TRY=1 is for a machine without an account, and this one has one"
    assert tried(api, Person("y"), CannedWrangler(), token="x").startswith(sentence)
    login = json.dumps({"type": "oauth", "token": "x"})
    assert tried(api, Person("y"), CannedWrangler(prints={"auth": login})).startswith(sentence)


def test_nothing_is_deployed_before_the_terms_are_accepted(api: CloudflareApi) -> None:
    wrangler, person = CannedWrangler(), Person("no")
    assert tried(api, person, wrangler) == "Nothing was deployed."
    assert "https://www.cloudflare.com/terms/" in person.heard
    assert "It ends after 60 minutes" in person.heard
    assert "There is no terminal to ask on: YES=1" in tried(api, Person(), wrangler)
    assert [words[0] for words in wrangler.ran] == ["auth", "auth"]


def test_a_trial_that_does_not_answer_says_when_it_ends(api: CloudflareApi) -> None:
    wrangler, person = CannedWrangler(output="Claim URL: https://claim.example\n"), Person()
    sentence, left = tried(api, person, wrangler, is_sure=True).splitlines()
    assert sentence.startswith("The Worker is deployed, but https://waypost.tester.workers.dev/health is not good")
    assert left == "The temporary account ends by itself, within the hour."
    assert "let no one else see it: https://claim.example" in person.heard


@pytest.mark.parametrize(("listed", "has_key"), [(LISTED, True), ("[]", False), (None, False)])
def test_a_key_of_this_hour_is_kept(api: CloudflareApi, listed: str | None, has_key: bool) -> None:
    wrangler = CannedWrangler(prints={"secret": listed} if listed else {})
    tried(api, Person(), wrangler, is_sure=True)
    [upload] = [words for words in wrangler.ran if words[0] == "deploy"]
    assert ("--secrets-file" not in upload) is has_key
    assert upload[-1] == "--temporary"
