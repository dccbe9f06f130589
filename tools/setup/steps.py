"""One step of the bootstrap: done once, again when its sources change, and again after it was interrupted.

Standard library only.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tools.local.local_worker import ROOT
from tools.setup.stamps import Stamp, content_key


class BootstrapError(Exception):
    """Something the user has to put right; the message is the sentence to show."""


class Step:
    """One thing to make: `outputs` exist afterwards and were made from `inputs` and `facts`."""

    def __init__(
        self, name: str, outputs: list[Path], inputs: list[Path], make: Callable[[Path], None], *facts: str
    ) -> None:
        self.name = name
        self._outputs = outputs
        self._inputs = inputs
        self._make = make
        self._facts = facts

    def is_done(self, stamps: Path) -> bool:
        """Tell whether it was made, and from what is there now."""
        return self._stamp(stamps).matches(self._key()) and all(output.exists() for output in self._outputs)

    def run(self, stamps: Path, logs: Path) -> bool:
        """Make it unless that has been done; tell whether anything was done.

        `make` gets the file its commands print to and must cope with what an interrupted run left behind.
        """
        if self.is_done(stamps):
            return False
        # Taken before the work: a source that changes during it makes the step run again.
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
    """Run `command` in the project folder with its output in `log`; raises `BootstrapError` with the end of it."""
    with log.open("ab") as output:
        status = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output).returncode
    if status != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise BootstrapError(f"{tail}\n\n`{' '.join(map(str, command))}` failed; everything it printed is in {log}.")
