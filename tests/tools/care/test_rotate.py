"""A change of the signing key refuses no token that has not ended, and ends with one key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress

import pytest

from tests.support.cloudflare_api.secret_routes import SECRET_ROUTES
from tests.support.cloudflare_api.server import CloudflareApi
from tests.tools.care.conftest import bound
from tools.care.problem import CareError
from tools.care.rotate import LOOKS, Rotation, secret_names
from tools.care.wrangler import wrangler_of
from tools.signing_keys import numbers_of, signing_secret
from waypost_worker.errors import InvalidToken
from waypost_worker.security.tokens import Claims, Role, Signer, key_fingerprint
from waypost_worker.settings import read_settings

CLAIMS = Claims(Role.HOST, "K7Q2M9XA", 2_000_000_000)
OLD = "the present key, which nobody knows"


class Deployed:
    """A Worker's secrets, and two isolates: each change of a secret reaches the second one some looks later.

    At each moment both sign a token, and all that were signed since `since` are tried in both.
    """

    def __init__(self, **names: str) -> None:
        self.secrets = {"APP_KEYS": "the-only-key-of-this-app", **names}
        self.commands: list[str] = []
        self.isolates = [dict(self.secrets), dict(self.secrets)]
        self.signed: list[str] = []
        self.refused: list[str] = []
        self._looks = 0

    def run(self, arguments: Sequence[str], standard_input: str | None = None) -> str:
        self.commands.append(" ".join(arguments[:3]))
        match list(arguments[:3]):
            case ["secret", "list", _]:
                return json.dumps([{"name": name, "type": "secret_text"} for name in self.secrets])
            case ["secret", "put", name]:
                assert standard_input is not None
                self.secrets[name] = standard_input
            case ["secret", "delete", name]:
                del self.secrets[name]
        assert all(standard_input is None or standard_input not in word for word in arguments)
        self.isolates[0] = dict(self.secrets)
        self._try_all()
        return ""

    def keys(self) -> tuple[str, ...]:
        # Both isolates answer in turns; the second one notices a change at its third look.
        self._looks += 1
        if self._looks % 6 == 0:
            self.isolates[1] = dict(self.secrets)
        self._try_all()
        return tuple(map(key_fingerprint, read_settings(self.isolates[self._looks % 2]).signing_keys))

    def _try_all(self) -> None:
        signers = [Signer(read_settings(isolate).signing_keys) for isolate in self.isolates]
        self.signed += [signer.sign(CLAIMS) for signer in signers]
        for token in set(self.signed):
            for signer in signers:
                try:
                    signer.unsign(token, 0)
                except InvalidToken:
                    self.refused.append(token)

    def rotation(self) -> Rotation:
        return Rotation(self.run, self.keys, lambda _: None, lambda _: None)


def test_no_token_is_refused_while_a_new_key_takes_over() -> None:
    deployed = Deployed(SIGNING_KEY=OLD)
    said = deployed.rotation().begin()
    assert said.startswith("SIGNING_KEY_2 signs from now on")
    assert set(deployed.secrets) == {"APP_KEYS", "SIGNING_KEY", "SIGNING_KEY_2"}
    assert deployed.secrets["SIGNING_KEY"] == OLD
    assert len(deployed.secrets["SIGNING_KEY_2"]) >= 32
    assert (deployed.refused, len(set(deployed.signed))) == ([], 2)


def test_the_change_ends_with_the_new_key_alone() -> None:
    deployed = Deployed(SIGNING_KEY=OLD)
    deployed.rotation().begin()
    old, new = dict.fromkeys(deployed.signed)
    asked: list[str] = []
    assert (
        deployed.rotation().finish(lambda question: not asked.append(question)) == "SIGNING_KEY_2 is the only key now."
    )
    assert set(deployed.secrets) == {"APP_KEYS", "SIGNING_KEY_2"}
    assert "deletes SIGNING_KEY. Tokens" in asked[0]
    assert set(deployed.refused) == {old}
    # And again.
    assert deployed.rotation().begin().startswith("SIGNING_KEY_3 signs")
    deployed.rotation().finish(lambda _: True)
    assert set(deployed.secrets) == {"APP_KEYS", "SIGNING_KEY_3"}


def test_a_no_changes_nothing() -> None:
    deployed = Deployed(SIGNING_KEY=OLD, SIGNING_KEY_2="the second key of 32 characters or more")
    with pytest.raises(CareError, match="Nothing was changed"):
        deployed.rotation().finish(lambda _: False)
    assert len(deployed.secrets) == 3


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ({"SIGNING_KEY": OLD, "SIGNING_KEY_2": OLD * 2}, "not finished: SIGNING_KEY, SIGNING_KEY_2 are"),
        ({"SIGNING_KEY": OLD, "SIGNING_KEY_PREVIOUS": OLD * 2}, "not finished"),
        ({"SIGNING_KEY_99": OLD}, "SIGNING_KEY_99 is the last one"),
    ],
)
def test_no_second_change_begins_before_the_first_one_has_ended(names: dict[str, str], problem: str) -> None:
    deployed = Deployed(**names)
    with pytest.raises(CareError, match=problem):
        deployed.rotation().begin()
    assert deployed.commands == ["secret list --format"]


@pytest.mark.parametrize("done", [1, 2, 3])
def test_a_change_that_was_killed_is_ended_with_the_key_that_signs(done: int) -> None:
    deployed = Deployed(SIGNING_KEY=OLD)

    def run(arguments: Sequence[str], standard_input: str | None = None) -> str:
        if len(deployed.commands) > done:
            raise KeyboardInterrupt
        return deployed.run(arguments, standard_input)

    with suppress(KeyboardInterrupt):
        Rotation(run, deployed.keys, lambda _: None, lambda _: None).begin()
    assert len(deployed.commands) == done + 1
    signer = read_settings(deployed.secrets).signing_keys[0]
    deployed.rotation().finish(lambda _: True)
    assert read_settings(deployed.secrets).signing_keys == (signer,)


def test_a_deployment_with_one_key_has_nothing_to_finish() -> None:
    with pytest.raises(CareError, match="nothing to finish"):
        Deployed(SIGNING_KEY=OLD).rotation().finish(lambda _: True)


def test_a_change_that_does_not_arrive_is_said() -> None:
    deployed, looks = Deployed(SIGNING_KEY=OLD), list[int]()

    def keys() -> tuple[str, ...]:
        looks.append(1)
        return ("another deployment's",)

    with pytest.raises(CareError, match="does not show the change"):
        Rotation(deployed.run, keys, lambda _: None, lambda _: None).begin()
    assert len(looks) == LOOKS + 1
    # The old key still signs.
    assert "SIGNING_KEY_2" not in deployed.secrets


def test_only_names_of_keys_are_numbered() -> None:
    odd = ["SIGNING_KEY_1", "SIGNING_KEY_02", "SIGNING_KEY_100", "MY_SIGNING_KEY", "SIGNING_KEY_PREVIOUS", "APP_KEYS"]
    assert numbers_of([*odd, "SIGNING_KEY_10", "SIGNING_KEY_9", "SIGNING_KEY"]) == [1, 9, 10]
    assert (signing_secret(["SIGNING_KEY", "SIGNING_KEY_2"]), signing_secret(odd)) == ("SIGNING_KEY_2", None)


@pytest.mark.worker
@pytest.mark.verify
def test_the_real_wrangler_lists_puts_and_deletes_secrets() -> None:
    with CloudflareApi(more=[SECRET_ROUTES]) as api:
        bound(api.account, "waypost")
        secrets = api.account.workers["waypost"].secrets
        secrets["SIGNING_KEY"] = OLD
        run = wrangler_of(api.environment, api.account.id, "waypost")
        run(["secret", "put", "SIGNING_KEY_2"], "the new one")
        assert secrets == {"SIGNING_KEY": OLD, "SIGNING_KEY_2": "the new one"}
        run(["secret", "delete", "SIGNING_KEY"], "y\n")
        assert secret_names(run) == ["SIGNING_KEY_2"]
        assert api.unknown == []
        with pytest.raises(CareError, match="`wrangler secret delete` failed"):
            run(["secret", "delete", "MISSING"], "y\n")
