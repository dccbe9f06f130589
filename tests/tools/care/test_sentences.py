"""What goes wrong on the way to Cloudflare is one sentence that helps, and an exit status."""

from __future__ import annotations

import socket

import pytest

from tests.tools.care.conftest import Deployed
from tools.care.__main__ import main
from tools.care.api import MAX_PAUSES, TRIES, Api, Refused
from tools.care.deployment import Deployment, find
from tools.care.problem import CareError
from tools.deploy.steps import Tools

REFUSAL = {"success": False, "errors": [{"code": 1000, "message": "no such thing"}], "result": None}


def sentence_of(deployed: Deployed, *words: str) -> str:
    """What an export prints that fails."""
    status, printed = deployed.run("export", f"FILE={deployed.folder / 'all.jsonl'}", *words)
    assert status == 1
    assert "Traceback" not in printed
    return printed


def test_a_token_that_is_wrong_is_said(deployed: Deployed) -> None:
    deployed.changes["CLOUDFLARE_API_TOKEN"] = "wrong"
    assert "does not accept the credentials" in sentence_of(deployed)


def test_a_permission_that_is_missing_is_named(deployed: Deployed) -> None:
    deployed.api.account.refused.add("/storage/kv")
    assert "Workers KV Storage" in sentence_of(deployed)


@pytest.mark.worker
@pytest.mark.verify
def test_nobody_is_logged_in(deployed: Deployed) -> None:
    for name in ("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY", "CLOUDFLARE_EMAIL"):
        deployed.changes[name] = ""
    deployed.changes |= {"HOME": str(deployed.folder), "XDG_CONFIG_HOME": str(deployed.folder)}
    assert "CLOUDFLARE_API_TOKEN is missing" in sentence_of(deployed)


def test_an_account_that_is_not_clear_is_asked_for(deployed: Deployed) -> None:
    two = {"success": True, "result": [{"id": "1", "name": "A"}, {"id": "2", "name": "B"}]}
    deployed.failing.next("GET /accounts", 200, two)
    assert "CLOUDFLARE_ACCOUNT_ID" in sentence_of(deployed)


def test_a_worker_that_is_not_there_is_said(deployed: Deployed) -> None:
    del deployed.api.account.workers["waypost"]
    assert "no Worker waypost" in sentence_of(deployed)
    # Its data are exported by their namespace.
    assert deployed.run("export", f"FILE={deployed.folder / 'all.jsonl'}", f"NAMESPACE={deployed.here.id}")[0] == 0


def test_another_worker_of_this_name_is_said(deployed: Deployed) -> None:
    deployed.api.account.workers["waypost"].bindings.pop()
    assert "no KV namespace WAYPOST" in sentence_of(deployed)


def test_a_worker_of_another_name_is_found(deployed: Deployed) -> None:
    deployed.other.values["a"] = b"1"
    assert "has 1 keys" in deployed.export(deployed.folder / "other.jsonl", "NAME=other")


def test_a_namespace_that_is_not_there_is_said(deployed: Deployed) -> None:
    assert "namespace not found" in sentence_of(deployed, f"NAMESPACE={'f' * 32}")


def test_words_that_mean_nothing_are_said(deployed: Deployed) -> None:
    assert "no environment of wrangler.toml" in sentence_of(deployed, "ENV=nowhere")
    assert "“MERGE=keep” is no word" in sentence_of(deployed, "MERGE=keep")
    assert "“all.jsonl” is no word" in sentence_of(deployed, "all.jsonl")
    status, printed = deployed.run("rollback", "VERSION=--config")
    assert (status, "is no id of a version" in printed) == (1, True)


def test_a_file_must_be_named(deployed: Deployed) -> None:
    status, printed = deployed.run("import")
    assert (status, "FILE=" in printed) == (1, True)
    status, printed = deployed.copy(deployed.folder / "missing.jsonl")
    assert (status, "can't be read" in printed) == (1, True)
    status, printed = deployed.run("export", f"FILE={deployed.folder / 'no' / 'folder.jsonl'}")
    assert (status, "can't be written" in printed) == (1, True)


def test_a_deployment_that_says_nothing_of_its_key_is_said(deployed: Deployed) -> None:
    deployed.deployment.health = {"status": "ok"}
    assert "does not say which key signs" in sentence_of(deployed)
    deployed.deployment.health = None
    assert "is not a Waypost" in sentence_of(deployed)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"URL=http://127.0.0.1:{free.getsockname()[1]}"
        status = main(["export", f"FILE={deployed.folder / 'all.jsonl'}", nobody], deployed.environment)
    assert (status, "can't be reached" in deployed.capsys.readouterr().err) == (1, True)


def test_the_address_is_found_below_workers_dev_or_at_its_domain(deployed: Deployed) -> None:
    tools = Tools(lambda _: "", lambda _: None, deployed.environment)
    assert find({}, tools).url == "https://waypost.tester.workers.dev"
    deployed.api.account.workers["waypost"].domains.append("way.example.com")
    assert find({}, tools) == Deployment(
        deployed.api.account.id, "waypost", deployed.here.id, "https://way.example.com"
    )
    deployed.api.account.workers["waypost"].domains.clear()
    deployed.api.account.subdomain = None
    with pytest.raises(CareError, match="URL="):
        find({}, tools)


class Waits:
    """An API whose pauses take no time; they and its sentences are noted."""

    def __init__(self, base: str, token: str) -> None:
        self.seconds: list[float] = []
        self.sentences: list[str] = []
        self.api = Api({"Authorization": f"Bearer {token}"}, base, sleep=self.seconds.append, say=self.sentences.append)


@pytest.fixture
def waiting(deployed: Deployed) -> Waits:
    waits = Waits(deployed.api.environment["CLOUDFLARE_API_BASE_URL"], deployed.api.account.token)
    with waits.api:
        yield waits  # type: ignore[misc]


def test_a_rate_limit_is_waited_for_as_long_as_it_asks(deployed: Deployed, waiting: Waits) -> None:
    for _ in range(TRIES + 3):
        deployed.failing.next("GET /user", 429, REFUSAL, Retry_After="17")
    deployed.failing.next("GET /user", 429, REFUSAL)
    assert waiting.api.call("GET", "/user")["id"] == "user"
    assert waiting.seconds == [17] * (TRIES + 3) + [60]
    assert "pause of 17 s" in waiting.sentences[0]


def test_a_pause_that_is_too_long_ends_the_command(deployed: Deployed, waiting: Waits) -> None:
    deployed.failing.next("GET /user", 429, REFUSAL, Retry_After="86400")
    with pytest.raises(CareError, match="86400 s"):
        waiting.api.call("GET", "/user")


def test_pauses_end(deployed: Deployed, waiting: Waits) -> None:
    for _ in range(MAX_PAUSES + 1):
        deployed.failing.next("GET /user", 429, REFUSAL)
    with pytest.raises(Refused, match="no such thing"):
        waiting.api.call("GET", "/user")
    assert len(waiting.seconds) == MAX_PAUSES


@pytest.mark.parametrize("status", [400, 403, 429, 500])
def test_a_day_that_is_used_up_is_not_waited_for(deployed: Deployed, waiting: Waits, status: int) -> None:
    spent = {"errors": [{"code": 10048, "message": "KV put() limit exceeded for the day."}], "result": None}
    deployed.failing.next("GET /user", status, spent)
    with pytest.raises(CareError, match="until 00:00 UTC"):
        waiting.api.call("GET", "/user")
    assert waiting.seconds == []


def test_what_may_pass_is_tried_again_and_not_for_ever(deployed: Deployed, waiting: Waits) -> None:
    for _ in range(TRIES - 1):
        deployed.failing.next("GET /user", 524, b"<html>a timeout</html>")
    assert waiting.api.call("GET", "/user")["id"] == "user"
    assert waiting.seconds == [1, 2, 4, 8, 16]
    for _ in range(TRIES):
        deployed.failing.next("GET /user", 503, REFUSAL)
    with pytest.raises(CareError, match="503 .no such thing."):
        waiting.api.call("GET", "/user")


def test_what_was_refused_is_not_tried_again(deployed: Deployed, waiting: Waits) -> None:
    deployed.failing.next("GET /user", 400, REFUSAL)
    with pytest.raises(Refused, match="no such thing"):
        waiting.api.call("GET", "/user")
    assert waiting.seconds == []


def test_no_network_and_no_api_are_said() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        waits = Waits(f"http://127.0.0.1:{free.getsockname()[1]}", "t")
        with waits.api, pytest.raises(CareError, match="Is this machine online"):
            waits.api.call("GET", "/user")
    assert len(waits.seconds) == TRIES - 1
    for wrong in ("ftp://example.com", "http://[", "nothing"):
        with Waits(wrong, "t").api as api, pytest.raises(CareError):
            api.call("GET", "/user")


@pytest.mark.parametrize("body", [b"<html>welcome</html>", b"[]", b"{}", b"\xff"])
def test_something_else_than_the_api_is_said(deployed: Deployed, waiting: Waits, body: bytes) -> None:
    deployed.failing.next("GET /user", 200, body)
    with pytest.raises(CareError, match="does not answer as Cloudflare's API"):
        waiting.api.call("GET", "/user")
