"""Deploying needs a KV namespace of one's own and leaves a Worker that has a signing key."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools.deploy import deploy, deploy_to, is_placeholder
from tools.local.local_worker import ROOT
from tools.placement import PlacementError, placed, placement_of

CONFIG = '[[kv_namespaces]]\nbinding = "WAYPOST"\nid = "{id}"\n'
MINE = CONFIG.format(id="0f2ac74b498b48028cb68387c421e279")


class Account:
    """wrangler's answers for an account with these secrets, and what it was asked to do."""

    def __init__(self, *secrets: str) -> None:
        self.secrets = list(secrets)
        self.commands: list[str] = []
        self.keys: list[str | None] = []

    def run(self, arguments: Sequence[str], standard_input: str | None) -> str:
        self.commands.append(" ".join(arguments[:2]))
        if arguments[:2] == ["secret", "put"]:
            self.keys.append(standard_input)
        return json.dumps([{"name": name, "type": "secret_text"} for name in self.secrets])


def test_the_config_in_the_repository_is_a_placeholder() -> None:
    assert is_placeholder((ROOT / "wrangler.toml").read_text())


@pytest.mark.parametrize("placeholder", ["", "0" * 32])
def test_without_a_namespace_nothing_is_uploaded(placeholder: str) -> None:
    account = Account()

    problem = deploy(CONFIG.format(id=placeholder), account.run)

    assert problem is not None
    assert "wrangler kv namespace create WAYPOST" in problem
    assert account.commands == []


def test_the_first_deployment_sets_a_random_key() -> None:
    account = Account("OTHER")

    assert deploy(MINE, account.run) is None
    assert deploy(MINE, account.run) is None

    assert account.commands == ["deploy", "secret list", "secret put"] * 2
    first, second = account.keys
    assert first is not None
    assert len(first) == 43
    assert first != second


def test_a_key_that_is_there_is_left_alone() -> None:
    account = Account("SIGNING_KEY")

    assert deploy(MINE, account.run) is None

    assert account.commands == ["deploy", "secret list"]


PLACED = MINE + '\n[placement]\nregion = "aws:us-east-1"\n\n[vars]\nPLAN = ""\n'


def deployed(tmp_path: Path, config: str, region: str) -> dict[str, object]:
    """What wrangler is given where `config` is deployed to `region`; nothing is left behind, and nothing changed."""
    own, copy = tmp_path / "wrangler.toml", tmp_path / ".wrangler.deploy.toml"
    own.write_text(config)
    given: list[dict[str, object]] = []

    def run(arguments: Sequence[str], standard_input: str | None) -> str:
        if arguments[0] == "deploy":
            assert list(arguments[1:]) == ["--config", str(copy)]
            given.append(tomllib.loads(copy.read_text()))
        return '[{"name": "SIGNING_KEY"}]'

    assert deploy_to(region, run, own, copy) is None
    assert (own.read_text(), copy.exists()) == (config, False)
    return given[0]


@pytest.mark.parametrize("config", [PLACED, MINE])
@pytest.mark.parametrize("region", ["aws:eu-central-1", "gcp:europe-west3", "azure:westeurope"])
def test_a_region_replaces_the_one_of_the_config_for_one_deployment(tmp_path: Path, config: str, region: str) -> None:
    given = deployed(tmp_path, config, region)
    assert given == tomllib.loads(config) | {"placement": {"region": region}}


@pytest.mark.parametrize("config", [PLACED, MINE])
@pytest.mark.parametrize("region", ["", "none"])
def test_a_deployment_may_be_left_unplaced(tmp_path: Path, config: str, region: str) -> None:
    given = deployed(tmp_path, config, region)
    assert given == {name: table for name, table in tomllib.loads(config).items() if name != "placement"}


def test_what_holds_for_one_deployment_only_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deployed(tmp_path, PLACED, "aws:us-east-1")
    assert capsys.readouterr().out == ""
    deployed(tmp_path, PLACED, "none")
    assert "Placed: none" in capsys.readouterr().out


@pytest.mark.parametrize(
    "region",
    ["us-east-1", "aws", "aws:", "AWS:us-east-1", "aws:us east", 'aws:a"\nb', "ibm:us-south", "aws:us-east-1 "],
)
def test_what_is_no_region_is_refused_before_anything_is_written(tmp_path: Path, region: str) -> None:
    with pytest.raises(PlacementError, match="is not a region"):
        deployed(tmp_path, PLACED, region)
    assert not (tmp_path / ".wrangler.deploy.toml").exists()


@pytest.mark.parametrize(
    "other",
    [
        'placement = { mode = "smart" }\n' + MINE,
        'placement.region = "aws:us-east-1"\n' + MINE,
        MINE + '[placement]\nhost = "db.example:1"\n',
    ],
)
@pytest.mark.parametrize("region", ["aws:eu-central-1", "none"])
def test_a_placement_that_is_written_otherwise_is_not_guessed_at(tmp_path: Path, other: str, region: str) -> None:
    if "[placement]" in other and region == "none":
        assert "placement" not in deployed(tmp_path, other, region)
        return
    with pytest.raises(PlacementError, match="leave REGION out"):
        deployed(tmp_path, other, region)


def test_the_copy_is_deleted_where_wrangler_fails(tmp_path: Path) -> None:
    own, copy = tmp_path / "wrangler.toml", tmp_path / ".wrangler.deploy.toml"
    own.write_text(PLACED)

    def fail(arguments: Sequence[str], _: str | None) -> str:
        raise subprocess.CalledProcessError(1, ["wrangler", *arguments])

    with pytest.raises(subprocess.CalledProcessError):
        deploy_to("none", fail, own, copy)
    assert not copy.exists()


def test_the_config_in_the_repository_can_be_placed_anywhere_and_nowhere() -> None:
    config = (ROOT / "wrangler.toml").read_text()
    assert placement_of(config) == "aws:us-east-1"
    for region in ("azure:westeurope", "none"):
        assert tomllib.loads(placed(config, region)) | {"placement": None} == tomllib.loads(config) | {
            "placement": None
        }
    assert placement_of(placed(config, "azure:westeurope")) == "azure:westeurope"
    assert placement_of(placed(config, "none")) is None


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ([], ""),
        (["REGION=aws:eu-central-1"], " '--region=aws:eu-central-1'"),
        (["REGION=none"], " '--region=none'"),
        (["REGION="], " '--region='"),
    ],
)
def test_make_passes_the_region_of_its_command_line_on_and_none_of_the_environment(
    arguments: list[str], options: str
) -> None:
    # Other tools of the cloud read a variable of this name.
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")} | {"REGION": "elsewhere"}
    shown = subprocess.run(["make", "-n", "deploy", *arguments], cwd=ROOT, env=env, capture_output=True, text=True)
    assert shown.stdout.splitlines()[-1] == f"npm run --silent deploy --{options}"
