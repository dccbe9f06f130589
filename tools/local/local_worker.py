"""The one place that knows how the real Worker is run on this machine: `wrangler dev` around workerd, offline.

wrangler.toml is what production runs; everything that differs locally is on the command line made here, for `make dev`
and the tests alike. Standard library only, since the bootstrap needs it too.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD_DIR = ROOT / ".waypost"
"""Everything made from the sources and from packages; wrangler watches src/ only, so writing here reloads nothing."""
BUNDLE_DIR = BUILD_DIR / "bundle"
BUNDLE_NAME = "pyodide_dev.capnp.bin"
"""What workerd looks for in `BUNDLE_DIR` when it wants Pyodide."""
SNAPSHOT_NAME = "snapshot.bin"
"""Python's memory just before a Worker is loaded; restoring it saves half of the start."""
WORKERD_WRAPPER = BUILD_DIR / "workerd"

PROGRAMS = (ROOT / "node_modules" / ".bin", ROOT / ".venv" / "bin")
"""Where the pinned Node and Python are, and what they run."""

WORKERD = ROOT / "node_modules" / "workerd" / "bin" / "workerd"

LOCAL_FLAGS = (
    "python_workers",
    # Make workerd ask for the Pyodide bundle we build; the entry point is loaded as in production.
    "python_workers_development",
    "experimental",
    # Make it accept our snapshot, which holds nothing of the Worker. (Production makes one per upload, of the Worker
    # too; here that would show old code after an edit.)
    "disable_python_dedicated_snapshot",
)


@dataclass(frozen=True)
class Launch:
    """How one local Worker is to be run.

    `env_file` replaces .dev.vars; `variables` override wrangler.toml. `state` is where KV is kept on disk.
    """

    port: int
    state: Path
    host: str = "127.0.0.1"
    env_file: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    log_level: str = "log"

    def command(self) -> list[str]:
        """Return the command line, without the guard."""
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
    """The PATH on which `PROGRAMS` come first."""
    return os.pathsep.join([*map(str, PROGRAMS), os.environ.get("PATH", "")])


def environment() -> dict[str, str]:
    """Return this process's environment with what wrangler needs: the pinned Node and Python, and nothing online."""
    return os.environ | {
        "PATH": search_path(),
        "MINIFLARE_WORKERD_PATH": str(WORKERD_WRAPPER),
        # Two look-ups that are of no use here and fail without a network.
        "CLOUDFLARE_CF_FETCH_ENABLED": "false",
        "WRANGLER_SEND_METRICS": "false",
        "WRANGLER_LOG_PATH": str(BUILD_DIR / "logs"),
        # wrangler is one large script; compiling it anew is a fifth of the time that it takes to start.
        "NODE_COMPILE_CACHE": str(BUILD_DIR / "node-cache"),
        # Pages that show and change all of KV to whoever reaches the port. Who wants them sets this to true.
        "X_LOCAL_EXPLORER": os.environ.get("X_LOCAL_EXPLORER", "false"),
        "X_LOCAL_OBSERVABILITY": os.environ.get("X_LOCAL_OBSERVABILITY", "false"),
    }


def write_workerd_wrapper() -> None:
    """Write the program wrangler starts as workerd: the real one, told where our Pyodide and snapshot are."""
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
