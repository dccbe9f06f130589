"""The store of `make dev`, through the API that wrangler serves for its explorer: the same as Cloudflare's.

A Worker of one line runs beside the store while the context is open, on a port of the loopback interface that nobody
else knows. Wrangler finds the store by the namespace's binding, as for `make dev`.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.care.api import Api
from tools.care.namespace import Namespace
from tools.care.problem import CareError
from tools.deploy.configuration import BINDING
from tools.local.dev import STATE
from tools.local.harness.worker import free_port
from tools.local.local_worker import ROOT, Launch
from tools.local.running import Running
from waypost_worker.security.tokens import key_fingerprint
from waypost_worker.settings import read_settings

DEV_VARS = ROOT / ".dev.vars"
START_SECONDS = 60.0
API = "/cdn-cgi/explorer/api"

SCRIPT = 'export default { fetch: () => new Response("the store of make dev") };\n'
CONFIG = 'name = "waypost-store"\nmain = "store.js"\ncompatibility_date = "2026-11-17"\n'
_NAMESPACE = re.compile(r"^\[\[kv_namespaces\]\]\n(?:(?!\[).*\n)*", re.MULTILINE)


@dataclass(frozen=True)
class StoreLaunch(Launch):
    """The options of the Worker beside the store."""

    config: Path = field(default=Path())

    def command(self) -> list[str]:
        program = str(ROOT / "node_modules" / ".bin" / "wrangler")
        address = ("--ip", self.host, "--port", str(self.port), "--inspector-port", "0")
        return [
            *(program, "dev", "--config", str(self.config), *address, "--persist-to", str(self.state)),
            *("--log-level", "error", "--show-interactive-dev-session=false"),
        ]


@contextmanager
def local_store(state: Path = STATE, config: Path = ROOT / "wrangler.toml") -> Iterator[Namespace]:
    """The namespace of `make dev` with its data in `state`. Raises `CareError`."""
    with tempfile.TemporaryDirectory(prefix="waypost-store-") as name:
        folder = Path(name)
        (folder / "store.js").write_text(SCRIPT)
        tables = "".join(_NAMESPACE.findall(config.read_text())[:1])
        (folder / "wrangler.toml").write_text(CONFIG + tables)
        launch = StoreLaunch(free_port(), state, config=folder / "wrangler.toml")
        # Only this process has it: the explorer lets everyone who reaches its port read and change the store.
        before = os.environ.get("X_LOCAL_EXPLORER")
        os.environ["X_LOCAL_EXPLORER"] = "true"
        try:
            running = Running(launch, subprocess.DEVNULL)
        finally:
            if before is None:
                del os.environ["X_LOCAL_EXPLORER"]
            else:
                os.environ["X_LOCAL_EXPLORER"] = before
        try:
            if not running.wait_ready(START_SECONDS):
                raise CareError("The local store can't be opened: wrangler did not start. Does `make dev` start?")
            with Api({}, f"http://127.0.0.1:{launch.port}{API}") as api:
                yield _namespace(api)
        finally:
            running.stop()


def _namespace(api: Api) -> Namespace:
    listed = api.call("GET", "/storage/kv/namespaces")
    if not listed:
        raise CareError(f"wrangler.toml binds no namespace {BINDING}.")
    # No limit applies to requests here.
    return Namespace(api, f"/storage/kv/namespaces/{listed[0]['id']}", is_exact=True)


def local_signing_keys(dev_vars: Path = DEV_VARS) -> tuple[str, ...]:
    """The fingerprints of the keys of `make dev`. Raises `CareError` where it has none."""
    try:
        lines = dev_vars.read_text().splitlines()
    except OSError as error:
        raise CareError(f"{dev_vars} can't be read ({error.strerror}): run `make dev` once, which makes it.") from error
    found = (re.fullmatch(r"\s*(?:export\s+)?(SIGNING_KEY\w*)\s*=\s*(.*?)\s*", line) for line in lines)
    settings = read_settings({each[1]: each[2].strip("\"'") for each in found if each})
    if settings.problem:
        raise CareError(f"{dev_vars}: {settings.problem}")
    return tuple(map(key_fingerprint, settings.signing_keys))
