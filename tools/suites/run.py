"""One suite that runs: its processes, its log, and how far it is."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from tools.local.local_worker import ROOT, search_path
from tools.suites.plan import Suite
from tools.suites.progress import PROGRESS_FILE, Failure, Progress

PROCESS_GROUP = ROOT / "tools" / "local" / "process_group.py"


def repeat_suite(suite: Suite) -> str:
    """Return the command that runs this suite alone."""
    arguments = f" -- {shlex.join(suite.arguments)}" if suite.arguments else ""
    return f"npm run {suite.script}{arguments}"


def repeat_test(failure: Failure) -> str:
    """Return the command that runs this test alone."""
    return f".venv/bin/pytest {shlex.quote(failure.test)}"


def script_command(suite: Suite) -> list[str]:
    """Return how npm would run the suite's package script, without npm: that would be one more process to end."""
    scripts = json.loads((ROOT / "package.json").read_text())["scripts"]
    return ["sh", "-c", f"{scripts[suite.script]} {shlex.join(suite.arguments)}".rstrip()]


class SuiteRun:
    """A started suite, in a process group of its own that ends when this process does (tools/local/process_group.py).

    Its output goes into `log`. Its temporary files go into `temporary`, since a process that is killed leaves them.
    """

    def __init__(self, suite: Suite, command: list[str], folder: Path, temporary: Path) -> None:
        self.suite = suite
        self.log = folder / f"{suite.name}.log"
        self.progress = Progress(folder / f"{suite.name}.progress")
        self.progress.path.unlink(missing_ok=True)
        self.seconds = 0.0
        self._started = time.monotonic()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-IS", str(PROCESS_GROUP), *command],
                cwd=ROOT,
                env=os.environ
                | {
                    "PATH": search_path(),
                    "TMPDIR": str(temporary),
                    PROGRESS_FILE: str(self.progress.path),
                    # Without a terminal pytest cuts lines at 80 characters, of which a test's name takes most.
                    "COLUMNS": "200",
                },
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def status(self) -> int | None:
        """The exit status, or None while it runs."""
        return self._process.returncode

    @property
    def has_failed(self) -> bool:
        """Whether it ended with another status than 0; always false for a suite that only warns."""
        return self.status not in (None, 0) and not self.suite.only_warns

    @property
    def passed(self) -> int:
        """The number of tests that passed; a suite without tests counts as one."""
        return self.progress.counts["passed"] if self.progress.done else int(self.status == 0)

    @property
    def failed(self) -> int:
        """The number of tests that failed; at least 1 where the suite failed."""
        return max(self.progress.counts["failed"], int(self.has_failed))

    def poll(self) -> list[Failure]:
        """Look at the processes and the progress; return the tests that have failed since the last call."""
        self.seconds = time.monotonic() - self._started
        if self._process.poll() is not None:
            self.ask_to_end()
        return self.progress.read()

    def last_lines(self, number: int) -> str:
        """Return the end of its output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-number:])

    def ask_to_end(self) -> None:
        """Close the process group's input, at which all of it ends."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()

    def kill(self, patience: float) -> None:
        """Wait so many seconds for the process group, then kill what is left of it."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
