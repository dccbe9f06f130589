"""`make dev`: runs the Worker on this machine until Ctrl-C and says in one line where it is."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from tools.local.addresses import OTHER_PORT, network_url, why_not
from tools.local.interrupt import Interrupt
from tools.local.local_worker import LOCAL, ROOT, Launch
from tools.local.loopback import SecondLoopback, listen
from tools.local.running import Running

STATE = ROOT / ".wrangler" / "state"
"""Where wrangler itself would keep KV, so that other wrangler commands with --local see the same."""

SECOND_FOR = ("127.0.0.1", "0.0.0.0")  # noqa: S104
"""Addresses to listen on that `localhost` is by IPv4; by IPv6 it is served besides."""

MAX_PORT = 65_535

START_SECONDS = 120.0
POLL_SECONDS = 0.1

CHATTER = re.compile(
    r"^\s*$|^[┌├│└─]|^Attaching additional modules|^Using secrets defined in|Ready on http|GET /health 200"
)
"""Lines that wrangler prints at every start and reload, and that are of no use to the user."""


def is_worth_showing(line: str) -> bool:
    """Return whether a line that wrangler printed after the start is of use to the user."""
    return CHATTER.search(line) is None


class Output:
    """Reads wrangler's output: holds it back until the Worker is ready, then shows the lines that are of use."""

    def __init__(self, running: Running) -> None:
        self._held: deque[str] = deque(maxlen=200)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(running,), daemon=True)
        self._thread.start()

    def show_from_now_on(self) -> None:
        """Drop the lines held back, since the Worker is ready, and show the later ones."""
        self._ready.set()

    def show_held(self) -> None:
        """Show the end of the lines held back, since the start failed."""
        self._thread.join(timeout=2)
        sys.stderr.writelines(self._held)

    def _read(self, running: Running) -> None:
        for raw in running.output:
            line = raw.decode(errors="replace")
            if not self._ready.is_set():
                self._held.append(line)
            elif is_worth_showing(line):
                sys.stdout.write(line)
                sys.stdout.flush()


def is_alive(process: int) -> bool:
    """Return whether a process has this id."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def port_number(text: str) -> int:
    """Return the port that the command line names. Raises `argparse.ArgumentTypeError` for what is none."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_PORT):
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to {MAX_PORT}, not {text!r}")
    return int(text)


def first_lines(url: str, network: str | None) -> str:
    """Return what is said when the Worker is ready: where it is, for this machine and for others."""
    lines = [f"Waypost is running on {url} (Ctrl-C stops it)"]
    if network is not None:
        lines.append(f"In your network: {network} (everyone in it can open this)")
    return "".join(f"{line}\n" for line in lines)


def unset(variables: Mapping[str, str], dev_vars: Path) -> dict[str, str]:
    """Return those of `variables` that the file does not set: the command line would override it."""
    text = dev_vars.read_text() if dev_vars.exists() else ""
    return {
        name: value for name, value in variables.items() if not re.search(rf"^\s*(?:export\s+)?{name}\s*=", text, re.M)
    }


def run(launch: Launch, owner: int | None) -> int:
    """Run until the Worker ends, a signal asks for the end, or the process `owner` is gone; return the exit status.

    No process is left, however it ends.
    """
    interrupt = Interrupt()
    parent = os.getppid()

    def is_wanted() -> bool:
        # A parent that is killed sends no signal: this process gets another parent, and the owner's id is free.
        return not interrupt.is_set and os.getppid() == parent and (owner is None or is_alive(owner))

    running = Running(launch, subprocess.PIPE)
    output = Output(running)
    try:
        if running.wait_ready(START_SECONDS, is_wanted):
            # In one write, and before the reader may print: two threads write to this output.
            sys.stdout.write(first_lines(running.url, launch.network_url))
            sys.stdout.flush()
            output.show_from_now_on()
            while is_wanted() and running.is_running():
                time.sleep(POLL_SECONDS)
        if is_wanted():
            output.show_held()
            print("The Worker has stopped; see above.", file=sys.stderr)
            return 1
        return 0
    finally:
        running.stop()


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="make dev", description=__doc__)
    parser.add_argument("--port", type=port_number, default=8787)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all of this machine")
    parser.add_argument("--owner", type=int, help="id of a process; the Worker ends when it does")
    arguments = parser.parse_args()
    if reason := why_not(arguments.host, arguments.port):
        print(reason, file=sys.stderr)
        return 1
    variables = unset(LOCAL, ROOT / ".dev.vars")
    network = network_url(arguments.host, arguments.port)
    launch = Launch(port=arguments.port, host=arguments.host, state=STATE, variables=variables, network_url=network)
    try:
        second = listen(arguments.port) if arguments.host in SECOND_FOR else None
    except OSError:
        print(
            f"Port {arguments.port} of ::1 is taken, so localhost leads some clients to another program; {OTHER_PORT}",
            file=sys.stderr,
        )
        return 1
    with SecondLoopback(second, arguments.port):
        return run(launch, arguments.owner)


if __name__ == "__main__":
    sys.exit(main())
