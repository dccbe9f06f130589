"""What the guard runs ends with its owner, helpers included."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tools.local.local_worker import ROOT

GUARD = [sys.executable, "-IS", str(ROOT / "tools" / "local" / "process_group.py")]
SECONDS = 120.0

STUBBORN = """
import signal, subprocess, sys, time
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("started", flush=True)
time.sleep(600)
"""

OWNER = """
import subprocess, sys, time
guard = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True)
print(guard.pid, flush=True)
time.sleep(600)
"""


class Guarded:
    """A guard and what it runs, to be ended by the test."""

    def __init__(self, program: str) -> None:
        self.process = subprocess.Popen(
            [*GUARD, sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def wait_started(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"started\n"

    def is_gone(self) -> bool:
        """End of file: no process of the group holds the output any longer."""
        assert self.process.stdout is not None
        return self.process.stdout.read() == b""

    def close_input(self) -> None:
        """What the end of the owner amounts to."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def end(self) -> None:
        """Leave nothing behind, whatever the test did."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.close_input()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process.wait()


@pytest.fixture
def stubborn() -> Iterator[Guarded]:
    guarded = Guarded(STUBBORN)
    guarded.wait_started()
    yield guarded
    guarded.end()


def test_a_command_that_ignores_signals_is_killed_with_its_children_when_the_owner_closes(stubborn: Guarded) -> None:
    stubborn.close_input()

    assert stubborn.is_gone()
    assert stubborn.process.wait(SECONDS) == -signal.SIGKILL


def test_signals_of_the_terminal_are_left_to_the_owner(stubborn: Guarded) -> None:
    stubborn.process.send_signal(signal.SIGINT)
    stubborn.process.send_signal(signal.SIGHUP)

    with pytest.raises(subprocess.TimeoutExpired):
        stubborn.process.wait(0.3)


def test_a_command_that_ends_by_itself_passes_its_status_on() -> None:
    guarded = Guarded("raise SystemExit(7)")

    assert guarded.process.wait(SECONDS) == 7
    guarded.end()


def test_a_killed_owner_takes_everything_along() -> None:
    command = [*GUARD, sys.executable, "-c", "import time; time.sleep(600)"]
    with subprocess.Popen([sys.executable, "-c", OWNER, *command], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        guard = int(owner.stdout.readline())
        os.killpg(guard, 0)
        owner.kill()
        # The guard and its command inherited the output: it ends when all of them have.
        assert owner.stdout.read() == b""
