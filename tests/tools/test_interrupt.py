"""Signals that ask for the end set a flag, also where one arrives while the handler of another one runs."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tools.local.local_worker import ROOT

SECONDS = 120.0

PROGRAM = """
import signal, sys
from tools.local.interrupt import Interrupt

interrupt = Interrupt()

def signal_again(frame, event, argument):
    # At each line of the handler, and of whatever it calls, one more signal arrives.
    sys.settrace(None)
    frame.f_trace = None
    signal.raise_signal(int(sys.argv[1]))
    sys.settrace(signal_again)
    return signal_again

assert not interrupt.is_set
sys.settrace(signal_again)
signal.raise_signal(int(sys.argv[1]))
sys.settrace(None)
assert interrupt.is_set
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_interrupts_the_handler_of_another_one_does_no_harm(number: signal.Signals) -> None:
    command = [sys.executable, "-c", PROGRAM, str(int(number))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS)

    assert (done.returncode, done.stderr) == (0, "")
