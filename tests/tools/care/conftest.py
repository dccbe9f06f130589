"""An account with a deployed Worker on the fake API, and the commands of `make` on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import tools.care.namespace
from tests.support.cloudflare_api.account import Account, Namespace, Version, Worker
from tests.support.cloudflare_api.deployment import Deployment
from tests.support.cloudflare_api.failing import Failing
from tests.support.cloudflare_api.server import CloudflareApi
from tests.support.cloudflare_api.value_routes import VALUE_ROUTES
from tools.care.__main__ import main
from tools.care.api import Api


@dataclass
class Deployed:
    """A Worker `waypost` with its namespace, and one `other` with an empty namespace; both sign with the key `key`."""

    api: CloudflareApi
    failing: Failing
    here: Namespace
    other: Namespace
    deployment: Deployment
    folder: Path
    capsys: pytest.CaptureFixture[str]
    client: Api
    changes: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of the commands."""
        return self.api.environment | self.changes

    def run(self, *words: str) -> tuple[int, str]:
        """Runs a command at `waypost`; its exit status, and what it printed."""
        status = main([*words, f"URL={self.deployment.url}"], self.environment)
        printed = self.capsys.readouterr()
        return status, printed.out + printed.err

    def export(self, path: Path, *words: str) -> str:
        """Exports, which must succeed."""
        status, printed = self.run("export", f"FILE={path}", *words)
        assert status == 0, printed
        return printed

    def copy(self, path: Path, *words: str) -> tuple[int, str]:
        """Imports a file into the other namespace."""
        return self.run("import", f"FILE={path}", f"NAMESPACE={self.other.id}", *words)

    def namespace(self, stored: Namespace) -> tools.care.namespace.Namespace:
        """What the commands see of a namespace."""
        return tools.care.namespace.Namespace(self.client, self.path(stored))

    def path(self, stored: Namespace) -> str:
        """Where the API has a namespace."""
        return f"/accounts/{self.api.account.id}/storage/kv/namespaces/{stored.id}"

    def writes(self) -> int:
        """How many bulk writes there were."""
        return sum(line.startswith("PUT") and line.endswith("/bulk") for line in self.api.requests)


def bound(account: Account, name: str) -> Namespace:
    """Deploys a Worker of this name with a namespace."""
    namespace = account.add_namespace(f"{name}-WAYPOST")
    binding = {"type": "kv_namespace", "name": "WAYPOST", "namespace_id": namespace.id}
    version = Version(account.new_id(), {}, {}, [{"type": "plain_text", "name": "PLAN", "text": ""}, binding])
    account.workers[name] = Worker(name, account.new_id(), [version])
    return namespace


@pytest.fixture
def deployed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Deployed]:
    failing = Failing()
    with (
        CloudflareApi(more=[failing, VALUE_ROUTES]) as api,
        Deployment(status="ok", signingKeys=["the-key-in-force"]) as deployment,
    ):
        here, other = bound(api.account, "waypost"), bound(api.account, "other")
        with Api(
            {"Authorization": f"Bearer {api.account.token}"}, api.environment["CLOUDFLARE_API_BASE_URL"]
        ) as client:
            yield Deployed(api, failing, here, other, deployment, tmp_path, capsys, client)
