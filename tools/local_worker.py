"""The one place that knows how the real Worker is run on this machine: `wrangler dev` around workerd, offline.

wrangler.toml is what production runs; everything that differs locally is on the command line made here.
Standard library only, so that `make dev` and the tests share it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
BUILD_DIR = ROOT / ".waypost"
"""Everything made from the sources and from packages; wrangler watches src/ only, so writing here reloads nothing."""
BUNDLE_DIR = BUILD_DIR / "bundle"
BUNDLE_NAME = "pyodide_dev.capnp.bin"
"""What workerd looks for in `BUNDLE_DIR`."""
WORKERD_WRAPPER = BUILD_DIR / "workerd"

LOCAL_FLAGS = ("python_workers", "python_workers_development", "experimental")
"""Make workerd ask for the Pyodide bundle we build; the entry point is loaded as in production."""

STOP_SECONDS = 8.0
"""More than the guard's own grace, after which it kills."""


class LocalWorkerError(Exception):
    """The Worker did not start, or stopped before it answered; the message ends with what it printed."""


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


def environment() -> dict[str, str]:
    """Return this process's environment with what wrangler needs to work offline and with the pinned Node."""
    return os.environ | {
        "PATH": f"{ROOT / 'node_modules' / '.bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        "MINIFLARE_WORKERD_PATH": str(WORKERD_WRAPPER),
        # Two look-ups that are of no use here and fail without a network.
        "CLOUDFLARE_CF_FETCH_ENABLED": "false",
        "WRANGLER_SEND_METRICS": "false",
        "WRANGLER_LOG_PATH": str(BUILD_DIR / "logs"),
    }


def write_workerd_wrapper() -> None:
    """Write the program wrangler starts as workerd: the real one, told where the Pyodide bundle is."""
    workerd = ROOT / "node_modules" / "workerd" / "bin" / "workerd"
    script = (
        "#!/bin/sh\n"
        f'[ "$1" = serve ] || exec "{workerd}" "$@"\n'
        f'shift\nexec "{workerd}" serve "--pyodide-bundle-disk-cache-dir={BUNDLE_DIR}" "$@"\n'
    )
    BUILD_DIR.mkdir(exist_ok=True)
    WORKERD_WRAPPER.write_text(script)
    WORKERD_WRAPPER.chmod(0o755)


class Running:
    """A started Worker and everything that belongs to it, in a process group of its own.

    The group also ends when this Python process does, however that happens (tools/guard.py).
    """

    def __init__(self, launch: Launch, output: IO[bytes] | int) -> None:
        self.launch = launch
        self._process = subprocess.Popen(
            [sys.executable, "-IS", str(ROOT / "tools" / "guard.py"), *launch.command()],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def output(self) -> IO[bytes]:
        """What the Worker prints, where the constructor was given `subprocess.PIPE`."""
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def group(self) -> int:
        """The id of the process group (and session) all processes of this Worker are in."""
        return self._process.pid

    @property
    def url(self) -> str:
        """The address to reach it at from this machine."""
        host = "localhost" if self.launch.host in ("127.0.0.1", "0.0.0.0", "::", "::1") else self.launch.host  # noqa: S104
        return f"http://{host}:{self.launch.port}"

    def is_running(self) -> bool:
        """Tell whether wrangler has not ended."""
        return self._process.poll() is None

    def wait_ready(self, seconds: float, is_wanted: Callable[[], bool] = lambda: True) -> bool:
        """Wait until the Worker answers; False when it ended, or `is_wanted` turned false, or time ran out first."""
        deadline = time.monotonic() + seconds
        while is_wanted() and self.is_running() and time.monotonic() < deadline:
            if answers(f"{self.url}/health"):
                return True
            time.sleep(0.05)
        return False

    def stop(self) -> None:
        """End it and wait until nothing of it is left. May be called again."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._wait_for_group()

    def kill(self) -> None:
        """Kill all of it at once, as a crash of the machine would. May be called again."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.group, signal.SIGKILL)
        self._process.wait()
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._wait_for_group()

    def _wait_for_group(self) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            try:
                os.killpg(self.group, 0)
            except (ProcessLookupError, PermissionError):
                return
            time.sleep(0.02)
        raise LocalWorkerError(f"process group {self.group} is still there")


def answers(url: str) -> bool:
    """Tell whether `url` gives any HTTP answer, of whatever status, within a few seconds."""
    try:
        with urllib.request.urlopen(url, timeout=10):  # noqa: S310
            return True
    except urllib.error.HTTPError as answer:
        answer.close()
        return True
    except OSError:
        return False
