"""One step of the bootstrap: done once, and again after its sources have changed or it was interrupted.

Standard library only.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tools.local.local_worker import ROOT
from tools.setup.stamps import Stamp, content_key

LAST_LINES = 25
"""Of a failed command's output: there it says what has failed."""

NOISE = re.compile(r"^Ignoring \S+: markers ")
"""What pip says of each package that another system needs."""

UNREACHED = re.compile(
    r"NewConnectionError|ConnectTimeoutError|NameResolutionError|ProxyError|\(from versions: none\)"
    r"|\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH)\b"
)
"""What pip and npm print where they can't reach the registry; pip's own last line names a version that it lacks."""

UNREACHED_HINT = (
    "The registry of the packages can't be reached from here. Check the network; behind a proxy, set HTTPS_PROXY. "
    "Then run make again: it goes on where it stopped."
)


class BootstrapError(Exception):
    """Raised for what the user has to correct; the message is the sentence to show."""


class Step:
    """Something to make: `make` creates `outputs` from the files `inputs` and from `facts`."""

    def __init__(
        self, name: str, outputs: list[Path], inputs: list[Path], make: Callable[[Path], None], *facts: str
    ) -> None:
        self.name = name
        self._outputs = outputs
        self._inputs = inputs
        self._make = make
        self._facts = facts

    def is_done(self, stamps: Path) -> bool:
        """Return whether the outputs exist and were made from the present inputs."""
        return self._stamp(stamps).matches(self._key()) and all(output.exists() for output in self._outputs)

    def run(self, stamps: Path, logs: Path) -> bool:
        """Make the outputs unless they are up to date; return whether anything was done.

        `make` gets the log file for its commands' output. It must work on what an interrupted run left behind.
        """
        if self.is_done(stamps):
            return False
        # The digest is of before the work: a source that changes during it makes the step run again.
        stamp, key = self._stamp(stamps), self._key()
        stamp.remove()
        print(f"Preparing the {self.name} …", file=sys.stderr, flush=True)
        logs.mkdir(parents=True, exist_ok=True)
        self._make(logs / f"{self.name.replace(' ', '-')}.log")
        stamp.set(key)
        return True

    def _key(self) -> str:
        return content_key(self._inputs, *self._facts)

    def _stamp(self, stamps: Path) -> Stamp:
        return Stamp(stamps / self.name.replace(" ", "-"))


def run_logged(log: Path, *command: str | Path) -> None:
    """Run `command` in the project folder with its output in `log`.

    Raises `BootstrapError`, with the end of the output, where the command fails.
    """
    with log.open("ab") as output:
        status = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output).returncode
    if status != 0:
        failed = f"`{' '.join(map(str, command))}` failed; everything it printed is in {log}."
        raise BootstrapError(f"{end_of(log.read_text(errors='replace'))}\n\n{failed}")


def end_of(output: str) -> str:
    """Return the end of what a failed command printed, without noise, and after it what may be the cause."""
    lines = [line for line in output.splitlines() if not NOISE.match(line)][-LAST_LINES:]
    # Not of all the output: a command may have been helped out by its own retries.
    hint = ["", UNREACHED_HINT] if any(map(UNREACHED.search, lines)) else []
    return "\n".join([*lines, *hint])
