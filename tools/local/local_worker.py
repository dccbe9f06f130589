"""How the real Worker runs on this machine, for `make dev` and the tests: `wrangler dev` around workerd, offline.

wrangler.toml is what production uses. Everything that differs locally is in the command line and the environment made
here. Standard library only, since the bootstrap imports it.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD_DIR = ROOT / ".waypost"
"""The folder of everything built; wrangler watches src/ only, so a write here reloads nothing."""
BUNDLE_DIR = BUILD_DIR / "bundle"
BUNDLE_NAME = "pyodide_dev.capnp.bin"
"""The name under which workerd looks for Pyodide in `BUNDLE_DIR`."""
SNAPSHOT_NAME = "snapshot.bin"
"""Python's memory just before a Worker is loaded; restoring it halves the start."""
WORKERD_WRAPPER = BUILD_DIR / "workerd"

PROGRAMS = (ROOT / "node_modules" / ".bin", ROOT / ".venv" / "bin")
"""The folders of the pinned Node and Python and of their packages' programs."""

WORKERD = ROOT / "node_modules" / "workerd" / "bin" / "workerd"

NETWORK_URL = "WAYPOST_NETWORK_URL"
"""The variable of the environment that tells the build (tools/build.py) where the network finds this Worker."""

LOCAL_FLAGS = (
    "python_workers",
    # Makes workerd ask for the Pyodide bundle built here; the entry point is loaded as in production.
    "python_workers_development",
    "experimental",
    # Makes it accept the snapshot built here, which holds nothing of the Worker. (Production makes one per upload, with
    # the Worker in it; here that would run old code after an edit.)
    "disable_python_dedicated_snapshot",
)


LOCAL = {"PLAN": "paid", "LOG_LEVEL": "error"}
"""Variables of local runs, unless something else is set: no limit of a day applies here, so nothing need be slow; and
wrangler writes a line for each request already."""


@dataclass(frozen=True)
class Launch:
    """The options of one local Worker.

    `env_file` replaces .dev.vars, `variables` override wrangler.toml, and `state` is the folder of KV's data.
    `network_url` is where other devices find it, if they do.
    """

    port: int
    state: Path
    host: str = "127.0.0.1"
    env_file: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    log_level: str = "log"
    network_url: str | None = None

    def command(self) -> list[str]:
        """Return wrangler's command line."""
        line = [
            str(ROOT / "node_modules" / ".bin" / "wrangler"),
            "dev",
            *("--compatibility-flags", *LOCAL_FLAGS),
            *("--ip", self.host, "--port", str(self.port), "--inspector-port", "0"),
            *("--persist-to", str(self.state), "--log-level", self.log_level),
            # Also keeps wrangler from taking over the terminal with hotkeys.
            "--show-interactive-dev-session=false",
        ]
        if self.env_file is not None:
            line += ["--env-file", str(self.env_file)]
        for name, value in self.variables.items():
            line += ["--var", f"{name}:{value}"]
        return line


def search_path() -> str:
    """Return this process's PATH with `PROGRAMS` in front."""
    return os.pathsep.join([*map(str, PROGRAMS), os.environ.get("PATH", "")])


def environment() -> dict[str, str]:
    """Return this process's environment with wrangler's settings: the pinned Node and Python, no network."""
    return os.environ | {
        "PATH": search_path(),
        "MINIFLARE_WORKERD_PATH": str(WORKERD_WRAPPER),
        # Two look-ups that are of no use here and fail without a network.
        "CLOUDFLARE_CF_FETCH_ENABLED": "false",
        "WRANGLER_SEND_METRICS": "false",
        "WRANGLER_LOG_PATH": str(BUILD_DIR / "logs"),
        # wrangler is one large script; without a cache, compiling it takes a fifth of its start.
        "NODE_COMPILE_CACHE": str(BUILD_DIR / "node-cache"),
        # These pages let anyone who reaches the port read and change all of KV. Set the variables to true to get them.
        "X_LOCAL_EXPLORER": os.environ.get("X_LOCAL_EXPLORER", "false"),
        "X_LOCAL_OBSERVABILITY": os.environ.get("X_LOCAL_OBSERVABILITY", "false"),
    }


def write_workerd_wrapper() -> None:
    """Write the script that wrangler starts as workerd: the real one with the paths of the bundle and snapshot."""
    options = (
        f"--pyodide-bundle-disk-cache-dir={BUNDLE_DIR}",
        f"--python-snapshot-dir={BUNDLE_DIR}",
        f"--python-load-snapshot={SNAPSHOT_NAME}",
    )
    quoted = " ".join(map(shlex.quote, options))
    workerd = shlex.quote(str(WORKERD))
    script = f'#!/bin/sh\n[ "$1" = serve ] || exec {workerd} "$@"\nshift\nexec {workerd} serve {quoted} "$@"\n'
    BUILD_DIR.mkdir(exist_ok=True)
    WORKERD_WRAPPER.write_text(script)
    WORKERD_WRAPPER.chmod(0o755)
