"""What deploy.yml runs works in a clean clone: the real make, npm and wrangler, with a fake Cloudflare behind them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cloudflare_api.server import CloudflareApi
from tests.support.cloudflare_edge import Edge
from tests.support.deploying import InMemory
from tools.deploy.sending import Reply, Sent
from tools.local.local_worker import ROOT

pytestmark = [pytest.mark.worker, pytest.mark.verify]

WORKFLOW = (ROOT / ".github" / "workflows" / "deploy.yml").read_text()
INSTALLED = (".venv", "node_modules", "python_modules")
OVERRIDE = "cloudflare-workers-version-overrides"


def commands(job: str) -> list[str]:
    """The commands of a job, in order."""
    (block,) = re.findall(rf"^  {job}:\n((?:    .*\n|\n)+)", WORKFLOW, re.MULTILINE)
    found: list[str] = re.findall(r"^ +run: (.+)$", block, re.MULTILINE)
    assert found
    return found


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean clone of what is here, with what `make bootstrap` would install."""
    folder = tmp_path_factory.mktemp("clone")
    try:
        names = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    except (subprocess.CalledProcessError, FileNotFoundError):
        pytest.skip("this copy has no history, so no clone can be made of it")
    for name in names:
        if (source := ROOT / name).is_file() and not source.is_symlink():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)
    git(folder, "init", "--quiet")
    (folder / ".git" / "info").mkdir(exist_ok=True)
    (folder / ".git" / "info" / "exclude").write_text("".join(f"/{name}\n" for name in INSTALLED))
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Begin")
    for name in INSTALLED:
        (folder / name).symlink_to((ROOT / name).resolve())
    return folder


class Cloudflare:
    """An account, and the deployments in it, which answer at their addresses below workers.dev."""

    def __init__(self, folder: Path) -> None:
        self.api = CloudflareApi()
        self.memory = InMemory()
        self.tried: list[str | None] = []
        self.edge = Edge(folder, self.answer, "*.tester.workers.dev")

    def answer(self, sent: Sent) -> Reply:
        headers = {name.lower(): value for name, value in sent.headers.items()}
        self.tried.append(headers.get(OVERRIDE))
        return self.memory.send(replace(sent, body=json.loads(sent.body) if sent.body else None, headers=headers))

    def shares(self, worker: str) -> list[float]:
        """The shares of the versions that run, in the order of their upload; none of the others."""
        found = self.api.account.workers[worker]
        running = {one["version_id"]: float(one["percentage"]) for one in found.deployments[0]["versions"]}
        return [running[version.id] for version in found.versions if version.id in running]


@pytest.fixture
def cloudflare(tmp_path: Path) -> Iterator[Cloudflare]:
    place = Cloudflare(tmp_path)
    with place.api, place.edge:
        yield place
    place.memory.close()
    assert place.api.unknown == []


def run(clone: Path, cloudflare: Cloudflare, command: str, home: Path, **more: str) -> str:
    """Run a command as a step of the workflow does, and return what it printed."""
    # What is installed is linked into the clone; a bootstrap would install it again.
    wrapper = home / "make"
    wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("make")} -o bootstrap "$@"\n')
    wrapper.chmod(0o755)
    environment = {
        "PATH": f"{home}:{os.environ['PATH']}",
        "HOME": str(home),
        "CI": "true",
        "CLOUDFLARE_ACCOUNT_ID": cloudflare.api.account.id,
        **cloudflare.api.environment,
        **cloudflare.edge.environment,
        **more,
    }
    done = subprocess.run(
        ["bash", "-e", "-c", command],
        cwd=clone,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert git(clone, "status", "--porcelain") == ""
    return done.stdout


def test_a_push_reaches_preview_and_then_production_in_steps_and_can_be_taken_back(
    clone: Path, cloudflare: Cloudflare, tmp_path: Path
) -> None:
    def job(name: str, **more: str) -> str:
        return "".join(run(clone, cloudflare, command, tmp_path, **more) for command in commands(name))

    account = cloudflare.api.account

    # A new account: everything is made, and the first production has nothing to share requests with.
    job("preview")
    assert account.workers.keys() == {"waypost-preview"}
    assert "does not exist yet" in job("tenth")
    assert account.titles() == ["waypost-preview-waypost", "waypost-production-waypost"]
    assert cloudflare.shares("waypost-production") == [100]
    keys = {name: worker.secrets["SIGNING_KEY"] for name, worker in account.workers.items()}
    assert len(set(keys.values())) == 2

    # The next push: a tenth, then everything, and the version is uploaded once.
    (clone / "NEXT").write_text("A change.\n")
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "--message", "Change")
    cloudflare.tried.clear()
    job("tenth")
    production = account.workers["waypost-production"]
    assert cloudflare.shares("waypost-production") == [90, 10]
    assert set(cloudflare.tried) == {f'waypost-production="{production.versions[1].id}"'}
    job("production")
    assert cloudflare.shares("waypost-production") == [100]
    assert len(production.versions) == 2

    # And back.
    job("rollback", TO_ENVIRONMENT="production", TO_VERSION="")
    assert production.deployments[0]["versions"] == [{"version_id": production.versions[0].id, "percentage": 100}]

    # Nothing was made twice, no key was replaced, and nothing of one environment is in the other.
    assert account.titles() == ["waypost-preview-waypost", "waypost-production-waypost"]
    assert keys == {name: worker.secrets["SIGNING_KEY"] for name, worker in account.workers.items()}
    for name, worker in account.workers.items():
        (namespace,) = {one["namespace_id"] for one in worker.bindings if one["type"] == "kv_namespace"}
        assert account.namespaces[namespace].title == f"{name}-waypost"


def test_what_a_person_types_into_the_rollback_is_no_command(
    clone: Path, cloudflare: Cloudflare, tmp_path: Path
) -> None:
    trap = tmp_path / "trap"
    for typed in (f"$(touch {trap})", f"'; touch {trap}; '", "--name=x"):
        with pytest.raises(AssertionError, match="is no id of a version"):
            run(clone, cloudflare, commands("rollback")[-1], tmp_path, TO_ENVIRONMENT="production", TO_VERSION=typed)
    assert not trap.exists()


def test_an_environment_that_lacks_a_new_variable_is_not_deployed(
    clone: Path, cloudflare: Cloudflare, tmp_path: Path
) -> None:
    config = clone / "wrangler.toml"
    before = config.read_text()
    config.write_text(before.replace("\n[vars]\n", '\n[vars]\nNEW = "1"\n', 1))
    try:
        for command in (*commands("preview"), *commands("tenth")):
            with pytest.raises(AssertionError, match="run `npm run environments`"):
                run(clone, cloudflare, command, tmp_path)
    finally:
        config.write_text(before)
    assert cloudflare.api.account.workers == {}
