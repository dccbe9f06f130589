"""The real Worker for tests: workerd under `wrangler dev`, with KV on disk, that can be killed and come back."""

from __future__ import annotations

import secrets
import shutil
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tools.local.harness.project import ordinary_project
from tools.local.local_worker import LOCAL, Launch
from tools.local.running import LocalWorkerError, Running

START_SECONDS = 240.0
"""Many times the duration of a start; bounds a test that would hang."""


@dataclass(frozen=True)
class ProjectLaunch(Launch):
    """The options of a Worker that runs the projects of the wrangler.toml `configs`; requests reach the first one."""

    configs: tuple[Path, ...] = ()

    def command(self) -> list[str]:
        return [*super().command(), *(word for config in self.configs for word in ("--config", str(config)))]


class LocalWorker:
    """One Worker on a free loopback port, with its own KV, secrets and variables, and rate limits that no test meets.

    A context manager: the Worker is ready inside; afterwards it has ended and its files are deleted. `signing_key=None`
    leaves the secret out. Keyword arguments override variables of wrangler.toml and `LOCAL`. KV and the port outlive
    `kill` and `restart`. `projects` are the folders it runs, the one that requests reach first; by default a copy of
    this project.
    """

    def __init__(self, signing_key: str | None = "", *projects: Path, **variables: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="waypost-worker-"))
        self._log = self._folder / "worker.log"
        env_file = self._folder / "secrets.env"
        if signing_key == "":
            signing_key = secrets.token_urlsafe(32)
        env_file.write_text("" if signing_key is None else f"SIGNING_KEY={signing_key}\n")
        configs = tuple(project / "wrangler.toml" for project in projects or (ordinary_project(),))
        self._launch = ProjectLaunch(
            free_port(), self._folder / "state", env_file=env_file, variables=LOCAL | variables, configs=configs
        )
        self._running: Running | None = None

    @property
    def url(self) -> str:
        """The address, without a slash at the end; it stays the same across restarts."""
        return f"http://127.0.0.1:{self._launch.port}"

    @property
    def port(self) -> int:
        """The TCP port of `url`."""
        return self._launch.port

    @property
    def state(self) -> Path:
        """Where KV is kept on disk."""
        return self._launch.state

    @property
    def group(self) -> int:
        """The id of the running Worker's process group."""
        return self._process().group

    def log_text(self) -> str:
        """Return the output of wrangler and the Worker so far, over all restarts."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def start(self) -> None:
        """Start it without waiting."""
        with self._log.open("ab") as log:
            self._running = Running(self._launch, log)

    def wait_ready(self) -> None:
        """Wait until it answers; raises `LocalWorkerError` with the log where it does not."""
        if not self._process().wait_ready(START_SECONDS):
            raise LocalWorkerError(f"the Worker did not start:\n{self.log_text()}")

    def kill(self) -> None:
        """Kill all its processes together; KV stays on disk."""
        self._process().kill()

    def restart(self) -> None:
        """End it if it runs, start it on the same port and KV, and wait until it answers."""
        self._process().stop()
        self.start()
        self.wait_ready()

    def stop(self) -> None:
        """End it and delete its state. May be called again."""
        if self._running is not None:
            self._running.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _process(self) -> Running:
        if self._running is None:
            raise LocalWorkerError("the Worker was never started")
        return self._running


def free_port() -> int:
    """Return a TCP port that was free a moment ago on the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
