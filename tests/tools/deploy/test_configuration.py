"""What the command line changes of wrangler.toml, for one deployment; the file itself stays as it is."""

from __future__ import annotations

import copy
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.deploying import CONFIG, config
from tools.deploy.configuration import BUILD, Wanted, configuration, written
from tools.deploy.failure import DeployFailure
from tools.local.local_worker import ROOT

PLACED = '[placement]\nregion = "aws:us-east-1"\n[vars]\nPLAN = ""\nHISTORY_LIMIT = "10"\n'
STAGES = '[env.preview]\nkv_namespaces = [{ binding = "WAYPOST" }]\n[env.bare]\nvars = {}\n'
REQUIRED = {"secrets": {"required": ["SIGNING_KEY"]}}


def said(more: str) -> dict[str, Any]:
    return tomllib.loads(CONFIG.format(more=more))


def test_without_a_word_wrangler_is_given_what_the_file_says_and_that_a_key_is_required() -> None:
    assert config(PLACED).content == said(PLACED) | REQUIRED
    assert (config().worker, config().namespace_id, config().namespace_title) == ("waypost", None, "waypost-waypost")


@pytest.mark.parametrize("more", ["", PLACED])
@pytest.mark.parametrize("region", ["aws:eu-central-1", "gcp:europe-west3", "azure:westeurope"])
def test_a_region_takes_the_place_of_the_one_in_the_file(more: str, region: str) -> None:
    found = config(more, Wanted(region=region))
    assert found.content == said(more) | REQUIRED | {"placement": {"region": region}}
    assert found.region == region


@pytest.mark.parametrize("more", ["", PLACED, STAGES])
@pytest.mark.parametrize("region", ["", "none"])
def test_a_deployment_may_be_left_unplaced(more: str, region: str) -> None:
    found = config(more, Wanted(region=region))
    assert "placement" not in found.content
    assert found.region is None


def test_a_plan_is_the_variable_of_that_name_and_the_others_stay() -> None:
    assert config(PLACED, Wanted(plan="paid")).content["vars"] == {"PLAN": "paid", "HISTORY_LIMIT": "10"}
    assert config("", Wanted(plan="free")).content["vars"] == {"PLAN": "free"}


def test_a_deployment_to_a_domain_is_not_below_workers_dev() -> None:
    assert config("", Wanted(domain="waypost.example.com")).content["workers_dev"] is False


def test_an_environment_is_a_worker_of_its_own_and_what_is_changed_is_changed_there() -> None:
    found = config(STAGES + PLACED, Wanted("preview", region="gcp:europe-west3", plan="paid"))
    assert (found.worker, found.namespace_title) == ("waypost-preview", "waypost-preview-waypost")
    assert found.options == ["--env", "preview"]
    assert found.content["env"]["preview"] == REQUIRED | {
        "kv_namespaces": [{"binding": "WAYPOST"}],
        "placement": {"region": "gcp:europe-west3"},
        "vars": {"PLAN": "paid"},
    }
    assert found.content["vars"]["PLAN"] == ""


@pytest.mark.parametrize("env", ["", "preview"])
def test_another_name_is_another_worker_with_a_namespace_of_its_own(env: str) -> None:
    found = config(STAGES, Wanted(env, name="mine"))
    assert (found.worker, found.namespace_title) == ("mine", "mine-waypost")


def test_an_environment_that_names_itself_has_that_name() -> None:
    assert config(STAGES.replace("[env.bare]", 'name = "other"\n[env.bare]'), Wanted("preview")).worker == "other"


def test_the_namespace_of_the_file_is_the_one_to_use_and_zeros_are_none() -> None:
    mine = "0f2ac74b498b48028cb68387c421e279"
    for id, namespace_id in ((mine, mine), ("0" * 32, None), ("", None)):
        text = CONFIG.format(more="").rstrip() + f'\nid = "{id}"\n'
        assert configuration(text, Wanted()).namespace_id == namespace_id


def test_the_id_of_a_namespace_goes_into_a_copy() -> None:
    before = config()
    kept = copy.deepcopy(before.content)
    assert before.bound_to("abc").content["kv_namespaces"] == [{"binding": "WAYPOST", "id": "abc"}]
    assert before.bound_to("abc").bound_to(None).content["kv_namespaces"] == [{"binding": "WAYPOST"}]
    assert before.content == kept


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (Wanted("stage"), "ENV=stage is no environment of wrangler.toml; it has: preview, bare."),
        (Wanted("bare"), r"binds no KV namespace as WAYPOST in \[env.bare\]"),
        (Wanted(plan="Paid"), "PLAN=Paid is no plan: it is free or paid"),
        (Wanted(name="My Worker"), "NAME=My Worker is no name of a Worker"),
        (Wanted(name=""), "NAME= is no name of a Worker"),
        (Wanted(domain="https://a.example"), "is no domain: name one below"),
        (Wanted(domain="a.example/x"), "is no domain"),
        (Wanted(domain="localhost"), "is no domain"),
        (Wanted(domain="Waypost.Example.com"), "in lower case"),
        *((Wanted(region=region), "is not a region: name one of a cloud") for region in ("us-east-1", "aws", "aws:")),
        *((Wanted(region=region), "is not a region") for region in ("AWS:us-east-1", "aws:us east", 'aws:a"\nb')),
        *((Wanted(region=region), "is not a region") for region in ("ibm:us-south", "aws:us-east-1 ")),
    ],
)
def test_a_word_that_means_nothing_is_refused_before_anything_is_asked(wanted: Wanted, sentence: str) -> None:
    with pytest.raises(DeployFailure, match=sentence):
        config(STAGES, wanted)


def test_a_file_that_cannot_be_read_is_named() -> None:
    with pytest.raises(DeployFailure, match="wrangler.toml can't be read: "):
        configuration("name = ", Wanted())


def test_the_copy_is_json_beside_the_file_and_gone_afterwards_also_where_wrangler_fails(tmp_path: Path) -> None:
    def fail() -> None:
        with written({"name": "waypost"}, tmp_path) as path:
            assert path.parent == tmp_path
            assert json.loads(path.read_text()) == {"name": "waypost"}
            raise KeyError

    pytest.raises(KeyError, fail)
    assert list(tmp_path.iterdir()) == []


def test_the_file_in_the_repository_can_be_deployed_as_it_is() -> None:
    text = (ROOT / "wrangler.toml").read_text()
    found = configuration(text, Wanted())
    assert (found.worker, found.namespace_id, found.region) == ("waypost", None, "aws:us-east-1")
    assert found.content == tomllib.loads(text) | REQUIRED
    assert found.content["build"]["command"] == BUILD
