"""A running local Worker: all its processes, from the start until nothing of them is left."""

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

from tools.local.local_worker import ROOT, Launch, environment

STOP_SECONDS = 8.0
"""More than the guard's own grace, after which it kills."""


class LocalWorkerError(Exception):
    """The Worker did not start, or stopped before it answered; the message ends with what it printed."""


class Running:
    """A started Worker and everything that belongs to it, in a process group of its own.

    The group also ends when this Python process does, however that happens (tools/local/process_group.py).
    """

    def __init__(self, launch: Launch, output: IO[bytes] | int) -> None:
        self.launch = launch
        self._process = subprocess.Popen(
            [sys.executable, "-IS", str(ROOT / "tools" / "local" / "process_group.py"), *launch.command()],
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
        while living(self.group):
            if time.monotonic() > deadline:
                raise LocalWorkerError(f"process group {self.group} is still there")
            time.sleep(0.02)


def living(group: int) -> list[int]:
    """Return the ids of the processes in `group` that have not ended.

    One that has ended but that nobody has asked for its status yet holds nothing any more and does not count.
    """
    listed = subprocess.run(["ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True)
    rows = (line.split() for line in listed.stdout.splitlines())
    return [int(pid) for pid, pgid, stat in rows if int(pgid) == group and not stat.startswith("Z")]


def answers(url: str) -> bool:
    """Tell whether `url` gives any HTTP answer, of whatever status, within a few seconds."""
    try:
        with urllib.request.urlopen(url, timeout=3):  # noqa: S310
            return True
    except urllib.error.HTTPError as answer:
        answer.close()
        return True
    except OSError:
        return False
