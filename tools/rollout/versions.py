"""The versions of a Worker: which were uploaded, and how many of a hundred requests each has had.

They are read from Cloudflare's API, and changed by wrangler.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.deploy.api import Api
from tools.deploy.configuration import Configuration, written
from tools.deploy.failure import DeployFailure
from tools.deploy.wrangler import Wrangler, failure_of

ALL = 100
"""Per cent."""

Shares = Mapping[str, float]
"""Version id → per cent of the requests that it gets."""


@dataclass(frozen=True)
class Versions:
    """The versions of one Worker in one account."""

    api: Api
    account: str
    config: Configuration
    wrangler: Wrangler

    @property
    def _script(self) -> str:
        return f"/accounts/{self.account}/workers/scripts/{self.config.worker}"

    def running(self) -> Shares:
        """Return the shares of the versions that run now; empty where none does. Raises `ApiFailure`."""
        found = self.api.call("GET", f"{self._script}/deployments", "list the Worker's deployments")["deployments"]
        newest: dict[str, Any] = max(found, key=lambda one: str(one.get("created_on", "")), default={"versions": []})
        return {one["version_id"]: float(one["percentage"]) for one in newest["versions"]}

    def tags(self) -> dict[str, str]:
        """Return the tags of the versions that can be deployed, newest first, by their ids. Raises `ApiFailure`."""
        path = f"{self._script}/versions?deployable=true"
        listed = self.api.call("GET", path, "list the Worker's versions")["items"]
        return {one["id"]: (one.get("annotations") or {}).get("workers/tag") or "" for one in listed}

    def upload(self, namespace_id: str | None, tag: str | None) -> str:
        """Upload a version that gets no requests yet, and return its id. Raises `DeployFailure`."""
        config = self.config.bound_to(namespace_id)
        named = ["--tag", tag] if tag else []
        with written(config.content) as path, tempfile.TemporaryDirectory(prefix="waypost-") as folder:
            report = Path(folder) / "report"
            arguments = ["versions", "upload", "--config", str(path), *config.options, *named]
            done = self.wrangler.run(arguments, WRANGLER_OUTPUT_FILE_PATH=str(report))
            if done.status != 0:
                raise failure_of("upload a version", done)
            return _uploaded(report.read_text())

    def share(self, shares: Shares, message: str) -> None:
        """Give each version its share of the requests, which together are all. Raises `DeployFailure`."""
        wanted = [f"{version}@{share:g}%" for version, share in shares.items()]
        target = ["--name", self.config.worker, *self.config.options]
        done = self.wrangler.run(["versions", "deploy", *wanted, "--message", message, "--yes", *target])
        if done.status != 0:
            raise failure_of("share the requests", done)


def _uploaded(report: str) -> str:
    """Read wrangler's report, a JSON object a line."""
    for line in report.splitlines():
        entry: dict[str, Any] = json.loads(line)
        if entry.get("type") == "version-upload" and entry.get("version_id"):
            id: str = entry["version_id"]
            return id
    raise DeployFailure("wrangler has uploaded a version and does not say which: run the command again.")


def most(shares: Shares, without: str = "") -> str | None:
    """Return the version with the largest share but `without`; None where there is no other."""
    others = {version: share for version, share in shares.items() if version != without}
    return max(others, key=lambda version: others[version]) if others else None
