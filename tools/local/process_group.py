"""Runs a command that ends, with all its children, when its owner does: `python process_group.py COMMAND…`.

It is started as the leader of a session. The owner holds the other end of its standard input. When that closes, because
the owner wants the command to end or because the owner has ended, however that happened, the whole process group gets
SIGTERM and then SIGKILL. Standard library only; works where a parent-death signal does not exist.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

GRACE_SECONDS = 1.0
"""How long the command may take to end by itself: Ctrl-C is to end everything within two seconds."""


def main() -> int:
    """Run the command and return its exit status: 128 plus the signal where a signal ended it."""
    # A Ctrl-C is the owner's to act on: it then closes the input of this program.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, preexec_fn=_default_signals)
    threading.Thread(target=_end_with_owner, args=(command,), daemon=True).start()
    status = command.wait()
    # The command's children are in this group too.
    with suppress(ProcessLookupError):
        os.killpg(0, signal.SIGTERM)
    return status if status >= 0 else 128 - status


def _default_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _end_with_owner(command: subprocess.Popen[bytes]) -> None:
    # Not sys.stdin: its lock, held by this thread, would make the interpreter's own end fail.
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        command.wait(GRACE_SECONDS)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
