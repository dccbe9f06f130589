"""The upload: wrangler with a copy of the configuration, and a signing key where the Worker has none."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.deploy.configuration import BUILD, KEY, Configuration, written
from tools.deploy.failure import DeployFailure
from tools.deploy.wrangler import Done, Wrangler, failure_of

_OF_BUILD = "[custom build] "
_BUILD_FAILED = f"Running custom build `{BUILD}` failed"


@dataclass(frozen=True)
class Uploaded:
    """The version that runs now, and the host names that wrangler names for it."""

    version: str | None
    hosts: tuple[str, ...]
    output: str


def upload(wrangler: Wrangler, config: Configuration, *, has_key: bool, options: tuple[str, ...] = ()) -> Uploaded:
    """Upload the Worker, in one step with a random signing key where it has none.

    A key that is there stays: another one would end every session. Raises `DeployFailure` where wrangler fails.
    """
    with written(config.content) as path, _key_file(has_key=has_key) as key, _report_file() as report:
        arguments = ["deploy", "--config", str(path), *config.options, *key, *options]
        done = wrangler.run(arguments, WRANGLER_OUTPUT_FILE_PATH=str(report))
        if done.status != 0:
            raise _failure(done)
        return _uploaded(report.read_text(), done.output)


@contextlib.contextmanager
def _key_file(*, has_key: bool) -> Iterator[list[str]]:
    """Yield wrangler's option for a file with a new key: never on a command line, which other users can read."""
    if has_key:
        yield []
        return
    # mkstemp's files can be read by their owner only.
    descriptor, name = tempfile.mkstemp(prefix="waypost-", suffix=".json")
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump({KEY: secrets.token_urlsafe(32)}, file)
        yield ["--secrets-file", name]
    finally:
        Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def _report_file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="waypost-") as folder:
        path = Path(folder) / "report"
        path.touch()
        yield path


def _uploaded(report: str, output: str) -> Uploaded:
    """Read wrangler's report: a JSON object a line, one of which is about the deployment."""
    for line in report.splitlines():
        entry = json.loads(line)
        if entry.get("type") == "deploy":
            hosts = tuple(host.removeprefix("https://").split(" ")[0] for host in entry.get("targets") or [])
            return Uploaded(entry.get("version_id"), hosts, output)
    return Uploaded(None, (), output)


def _failure(done: Done) -> DeployFailure:
    if _BUILD_FAILED in done.output:
        return DeployFailure(f"The build step failed: {_said_by_the_build(done.output)}")
    if "startup exceeded CPU limit" in done.output or "exceeded startup limits" in done.output:
        return DeployFailure(
            "The Worker takes longer to start than Cloudflare allows, and the version before it still runs: run the "
            "command again, since this varies from one upload to the next."
        )
    return failure_of("upload the Worker", done)


def _said_by_the_build(output: str) -> str:
    """Return what the build step says is wrong: its lines have a prefix, and wrangler's own follow."""
    lines = [line.removeprefix(_OF_BUILD).strip() for line in output.splitlines() if line.startswith(_OF_BUILD)]
    said = [line for line in lines if line and not line.startswith(("Running:", "Installing "))]
    return "\n".join(said) or "see .waypost/logs/deploy.log."
