"""Deploying needs a KV namespace of one's own and leaves a Worker that has a signing key."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tools.deploy import deploy, is_placeholder
from tools.local.local_worker import ROOT

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
