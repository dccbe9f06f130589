"""A running local Worker: all its processes, from the start until the last one has ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from tools.local.local_worker import NETWORK_URL, ROOT, Launch, environment

STOP_SECONDS = 8.0
"""More than the grace period of process_group.py, which then kills."""


class LocalWorkerError(Exception):
    """The Worker did not start, or stopped before it answered; the message ends with what it printed."""


class Running:
    """A started Worker and its child processes, in a process group of their own.

    The group also ends when this Python process does, however that happens (tools/local/process_group.py).
    """

    def __init__(self, launch: Launch, output: IO[bytes] | int) -> None:
        self.launch = launch
        self._process = subprocess.Popen(
            [sys.executable, "-IS", str(ROOT / "tools" / "local" / "process_group.py"), *launch.command()],
            cwd=ROOT,
            env=environment() | ({} if launch.network_url is None else {NETWORK_URL: launch.network_url}),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def output(self) -> IO[bytes]:
        """The Worker's output; only where the constructor got `subprocess.PIPE`."""
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def group(self) -> int:
        """The id of the process group (and session) of all processes of this Worker."""
        return self._process.pid

    @property
    def url(self) -> str:
        """The Worker's address on this machine, without a slash at the end."""
        host = "localhost" if self.launch.host in ("127.0.0.1", "0.0.0.0", "::", "::1") else self.launch.host  # noqa: S104
        return f"http://{host}:{self.launch.port}"

    def is_running(self) -> bool:
        """Return whether wrangler is running."""
        return self._process.poll() is None

    def wait_ready(self, seconds: float, is_wanted: Callable[[], bool] = lambda: True) -> bool:
        """Wait until the Worker answers; return False if it ends, `is_wanted` turns false or time runs out before."""
        deadline = time.monotonic() + seconds
        while is_wanted() and self.is_running() and time.monotonic() < deadline:
            if answers(f"{self.url}/health"):
                return True
            time.sleep(0.05)
        return False

    def stop(self) -> None:
        """End the Worker and wait until its last process has ended. May be called again."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._wait_for_group()

    def kill(self) -> None:
        """Kill all processes together, as a crash of the machine would. May be called again."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.group, signal.SIGKILL)
        self._process.wait()
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._wait_for_group()

    def _wait_for_group(self) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        while living(self.group):
            if time.monotonic() > deadline:
                raise LocalWorkerError(f"process group {self.group} is still there")
            time.sleep(0.02)


def living(group: int) -> list[int]:
    """Return the ids of the processes in `group` that have not ended.

    Zombies, whose exit status the parent has not read yet, do not count.
    """
    listed = subprocess.run(["ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True)
    rows = (line.split() for line in listed.stdout.splitlines())
    return [int(pid) for pid, pgid, stat in rows if int(pgid) == group and not stat.startswith("Z")]


def answers(url: str) -> bool:
    """Return whether `url` gives an HTTP response of any status within three seconds."""
    try:
        with urllib.request.urlopen(url, timeout=3):  # noqa: S310
            return True
    except urllib.error.HTTPError as answer:
        answer.close()
        return True
    except OSError:
        return False
