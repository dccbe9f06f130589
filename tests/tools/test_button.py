""" "Deploy to Cloudflare" asks a person for what this project needs: https://developers.cloudflare.com/workers/platform/deploy-buttons/."""

from __future__ import annotations

import json
import re
import tomllib

from tools.local.local_worker import ROOT

CONFIG = tomllib.loads((ROOT / "wrangler.toml").read_text())
PACKAGE = json.loads((ROOT / "package.json").read_text())
EXAMPLE = (ROOT / ".dev.vars.example").read_text()
ASKED = dict(re.findall(r"^([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
DESCRIPTIONS = {name: entry["description"] for name, entry in PACKAGE["cloudflare"]["bindings"].items()}


def test_each_thing_that_is_asked_for_is_described() -> None:
    bindings = {table["binding"] for table in CONFIG["kv_namespaces"]} | {
        table["name"] for table in CONFIG["ratelimits"]
    }
    single = {
        table["binding"] for table in (CONFIG.get(key) for key in ("ai", "version_metadata")) if table is not None
    }

    assert set(DESCRIPTIONS) - single == bindings | set(CONFIG["vars"]) | set(ASKED)


def test_a_description_is_a_short_text_with_the_numbers_of_the_configuration() -> None:
    comments = "\n".join(line for line in (ROOT / "wrangler.toml").read_text().splitlines() if line.startswith("#"))
    for name, text in DESCRIPTIONS.items():
        assert 15 <= len(text) <= 160, name
        for number in re.findall(r"\b\d{2,}\b", text):
            assert number in comments, f"{name}: {number}"


def test_only_the_signing_key_has_to_be_given_and_none_is_suggested() -> None:
    # What stands there would be the key of everybody that keeps it; without one, /health says what is missing.
    assert ASKED == {"SIGNING_KEY": ""}


def test_the_other_secrets_are_there_to_be_uncommented() -> None:
    offered = set(re.findall(r"^# ([A-Z_]+)=$", EXAMPLE, re.MULTILINE))
    known = set(re.findall(r"^# ([A-Z_]+)  ", (ROOT / "wrangler.toml").read_text(), re.MULTILINE))

    assert offered | set(ASKED) == known


def test_the_namespace_is_made_with_the_deployment() -> None:
    assert [table.keys() for table in CONFIG["kv_namespaces"]] == [{"binding"}]
    assert "deploy" in PACKAGE["scripts"]
