"""A new version gets its requests in steps, each after it was tried, and gives them back by one command."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.cloudflare_api.account import Version, Worker
from tests.support.cloudflare_api.server import CloudflareApi
from tests.support.deploying import InMemory, Person, config, nowhere, tools
from tools.deploy.configuration import Configuration
from tools.deploy.failure import DeployFailure
from tools.deploy.sending import Reply, Sent
from tools.deploy.wrangler import Done, Wrangler
from tools.rollout.__main__ import commit_of, percent_of, words_of
from tools.rollout.steps import OVERRIDE, Commit, rollout
from tools.rollout.versions import most

NAME = "waypost"


@dataclass
class AccountWrangler(Wrangler):
    """Does to the fake account what wrangler's command lines do to a real one."""

    api: CloudflareApi | None = None
    ran: list[list[str]] = field(default_factory=list)
    status: int = 0

    def run(self, arguments: Sequence[str], **environment: str) -> Done:
        assert self.api is not None
        self.ran.append(list(arguments))
        if self.status != 0:
            return Done(self.status, "✘ [ERROR] It is broken. [code: 10021]\n\n")
        worker = self.api.account.workers[NAME]
        match list(arguments):
            case ["versions", "upload", *options]:
                tag = options[options.index("--tag") + 1] if "--tag" in options else None
                version = Version(
                    f"v{len(worker.versions) + 1}", {"annotations": {"workers/tag": tag}}, {}, worker.bindings
                )
                worker.versions.append(version)
                entry = {"type": "version-upload", "version_id": version.id}
                Path(environment["WRANGLER_OUTPUT_FILE_PATH"]).write_text(
                    f'{{"type": "session"}}\n{json.dumps(entry)}\n'
                )
            case ["versions", "deploy", *options]:
                shares = [option.rstrip("%").split("@") for option in options if "@" in option]
                run(worker, **{version: float(share) for version, share in shares})
            case _:
                raise AssertionError(arguments)
        return Done(0, "")


def run(worker: Worker, **shares: float) -> None:
    versions = [{"version_id": version, "percentage": share} for version, share in shares.items()]
    worker.deployments.insert(0, {"versions": versions, "created_on": "2026-11-26T12:00:00Z"})


def shares(worker: Worker) -> list[dict[str, float]]:
    return [{one["version_id"]: one["percentage"] for one in each["versions"]} for each in worker.deployments]


class Place:
    """An account with a Worker that runs one version, a person, and what the deployment was asked, with its headers."""

    def __init__(self, api: CloudflareApi, memory: InMemory) -> None:
        self.api = api
        self.memory = memory
        self.person = Person()
        self.wrangler = AccountWrangler(api=api)
        self.overrides: list[str | None] = []
        self.tools = tools(api, self.person, self.wrangler, self.send)
        bindings = [
            {"type": "kv_namespace", "name": "WAYPOST", "namespace_id": api.account.add_namespace("waypost-waypost").id}
        ]
        self.worker = Worker(NAME, "tag", [Version("v1", {}, {}, bindings)], secrets={"SIGNING_KEY": "key"})
        api.account.workers[NAME] = self.worker
        run(self.worker, v1=100)

    @property
    def config(self) -> Configuration:
        return config()

    def send(self, sent: Sent) -> Reply:
        self.overrides.append(sent.headers.get(OVERRIDE))
        return self.memory.send(sent)


@pytest.fixture
def place() -> Iterator[Place]:
    memory = InMemory()
    with CloudflareApi() as api:
        yield Place(api, memory)
    memory.close()
    assert api.unknown == []


def test_a_version_is_tried_before_it_gets_any_request(place: Place) -> None:
    rollout(place.config, 10, Commit("abc"), place.tools)

    assert shares(place.worker) == [{"v2": 10, "v1": 90}, {"v2": 0, "v1": 100}, {"v1": 100}]
    assert set(place.overrides) == {'waypost="v2"'}
    assert "v2 has 10 % of the requests of waypost, at https://waypost.tester.workers.dev" in place.person.heard
    assert "The others go to v1" in place.person.heard


def test_the_second_step_gives_it_all_of_them_and_uploads_nothing(place: Place) -> None:
    rollout(place.config, 10, Commit("abc"), place.tools)
    rollout(place.config, 100, Commit("abc"), place.tools)

    assert shares(place.worker)[0] == {"v2": 100}
    assert [arguments[1] for arguments in place.wrangler.ran] == ["upload", "deploy", "deploy", "deploy"]


def test_a_step_may_be_repeated(place: Place) -> None:
    rollout(place.config, 100, Commit("abc"), place.tools)
    count = len(place.wrangler.ran)
    rollout(place.config, 10, Commit("abc"), place.tools)

    assert len(place.wrangler.ran) == count
    assert "v2 has all requests of waypost already." in place.person.heard


def test_a_folder_that_differs_from_its_commit_is_uploaded_again(place: Place) -> None:
    rollout(place.config, 10, None, place.tools)
    rollout(place.config, 100, None, place.tools)

    assert "--tag" not in place.wrangler.ran[0]
    assert shares(place.worker)[0] == {"v3": 100}


def test_a_third_version_takes_the_place_of_the_second(place: Place) -> None:
    rollout(place.config, 10, Commit("abc"), place.tools)
    rollout(place.config, 20, Commit("def"), place.tools)

    assert shares(place.worker)[0] == {"v3": 20, "v1": 80}


def test_where_nothing_runs_there_is_nothing_to_share(place: Place) -> None:
    place.worker.deployments.clear()

    with pytest.raises(DeployFailure, match="No version of waypost has any request: `make deploy` gives"):
        rollout(place.config, 10, Commit("abc"), place.tools)


def test_a_version_that_does_not_work_gets_no_request(place: Place) -> None:
    place.memory.alter[("POST", "/api/sessions")] = lambda _: Reply(500, {}, b'{"detail": "It broke."}')

    with pytest.raises(
        DeployFailure, match=r"could not open a session(?s:.*)No request reaches v2: v1 has all of them\."
    ):
        rollout(place.config, 10, Commit("abc"), place.tools)
    assert shares(place.worker)[0] == {"v2": 0, "v1": 100}


def test_a_reply_of_another_version_is_no_proof(place: Place) -> None:
    def of_v1(reply: Reply) -> Reply:
        return replace(reply, body=json.dumps({**reply.json(), "workerVersion": {"id": "v1"}}).encode())

    place.memory.alter[("GET", "/health")] = of_v1

    with pytest.raises(DeployFailure, match=r"the version before still answers(?s:.*)No request reaches v2"):
        rollout(place.config, 10, Commit("abc"), place.tools)


def test_a_version_that_stopped_working_keeps_its_part_and_the_command_that_takes_it_is_named(place: Place) -> None:
    rollout(place.config, 10, Commit("abc"), place.tools)
    place.memory.alter[("POST", "/api/sessions")] = lambda _: Reply(500, {}, b"{}")

    with pytest.raises(DeployFailure, match="v2 still has 10 % of the requests: `make rollback`"):
        rollout(place.config, 100, Commit("abc"), place.tools)
    assert shares(place.worker)[0] == {"v2": 10, "v1": 90}


def test_what_wrangler_refuses_ends_the_command(place: Place) -> None:
    place.wrangler.status = 1

    with pytest.raises(DeployFailure, match="It is broken"):
        rollout(place.config, 10, Commit("abc"), place.tools)


def test_a_custom_domain_is_where_the_version_is_tried(place: Place) -> None:
    place.worker.domains.append("waypost.example.com")

    rollout(place.config, 10, Commit("abc"), place.tools)

    assert "at https://waypost.example.com" in place.person.heard


def test_a_worker_that_does_not_exist_is_deployed_as_a_whole(place: Place) -> None:
    del place.api.account.workers[NAME]
    place.wrangler.status = 1

    with pytest.raises(DeployFailure, match="It is broken"):
        rollout(place.config, 10, Commit("abc"), place.tools)
    assert place.wrangler.ran[0][0] == "deploy"
    assert "does not exist yet" in place.person.heard


def test_a_deployment_out_of_reach_gets_no_request() -> None:
    memory = InMemory()
    with CloudflareApi() as api:
        place = Place(api, memory)
        place.tools = tools(api, place.person, place.wrangler, nowhere)
        with pytest.raises(DeployFailure, match="No request reaches v2"):
            rollout(place.config, 10, Commit("abc"), place.tools)
    memory.close()


def test_the_others_go_to_the_version_that_had_most() -> None:
    assert most({}) is None
    assert most({"a": 10, "b": 90}) == "b"
    assert most({"a": 10, "b": 90}, without="b") == "a"


@pytest.mark.parametrize("word", ["0", "101", "ten", "-1", "1.5", "", "１"])
def test_what_is_no_share_is_refused(word: str) -> None:
    with pytest.raises(DeployFailure, match="is no share of the requests"):
        percent_of(word)


def test_the_words_of_the_command() -> None:
    assert words_of(["ENV=production", "PERCENT=10"]) == {"ENV": "production", "PERCENT": "10"}
    for arguments in (["VERSION=1"], ["production"]):
        with pytest.raises(DeployFailure, match="make rollout"):
            words_of(arguments)


def test_a_version_is_tagged_with_its_commit_unless_the_folder_differs_from_it(tmp_path: Path) -> None:
    def git(*arguments: str) -> Any:
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.com")
        return subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout

    def commit(text: str) -> str:
        (tmp_path / "file").write_text(text)
        git("add", ".")
        git("commit", "--quiet", "--message", text)
        made = commit_of(tmp_path)
        assert made is not None
        return made.tag

    assert commit_of(tmp_path) is None
    git("init", "--quiet")
    first, second = commit("1"), commit("2")
    assert git("rev-parse", "HEAD").startswith(second)
    assert len(second) == 12
    git("checkout", "--quiet", "--detach", first)
    made = commit_of(tmp_path)
    assert made is not None
    assert [made.is_before(tag) for tag in (first, second, "0123456789ab", "v1", "--help")] == [
        False,
        True,
        False,
        False,
        False,
    ]
    (tmp_path / "file").write_text("3")
    assert commit_of(tmp_path) is None


def test_an_older_commit_does_not_take_the_place_of_a_newer_one(place: Place) -> None:
    rollout(place.config, 10, Commit("newer"), place.tools)
    ran = len(place.wrangler.ran)

    with pytest.raises(
        DeployFailure, match="newer already has requests of waypost, and comes after older: nothing was"
    ):
        rollout(place.config, 10, Commit("older", lambda later: later == "newer"), place.tools)

    assert len(place.wrangler.ran) == ran
    run(place.worker, v1=100)
    rollout(place.config, 10, Commit("older", lambda later: later == "newer"), place.tools)
    assert shares(place.worker)[0] == {"v3": 10, "v1": 90}


def test_a_version_needs_the_key_that_the_worker_has(place: Place) -> None:
    place.worker.secrets = {"SIGNING_KEY_2": "key"}
    given: list[dict[str, Any]] = []

    class Reading(AccountWrangler):
        def run(self, arguments: Sequence[str], **environment: str) -> Done:
            if "--config" in arguments:
                given.append(json.loads(Path(arguments[arguments.index("--config") + 1]).read_text()))
            return super().run(arguments, **environment)

    rollout(place.config, 10, None, replace(place.tools, wrangler=Reading(api=place.api)))
    assert [each["secrets"] for each in given] == [{"required": ["SIGNING_KEY_2"]}]
