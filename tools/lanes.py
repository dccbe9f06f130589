"""Runs package scripts in lanes: those of a lane one after the other, the lanes side by side, each output in one piece.

The suites wait a lot (a Worker that starts, a page that loads); side by side they take half the time on two cores.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import TextIO


def run_lanes(lanes: Sequence[Sequence[str]], command: Sequence[str], output: TextIO) -> list[str]:
    """Run `command` with each name of each lane; return the names that failed, sorted.

    A failure does not stop anything: whoever reads the output wants to know what else is broken. What a script prints
    is shown when it has ended, below a line with its name.
    """
    failed: list[str] = []
    writing = threading.Lock()

    def drive(lane: Sequence[str]) -> None:
        for name in lane:
            started = time.monotonic()
            with writing:
                output.write(f"... {name} runs\n")
                output.flush()
            ended = subprocess.run(
                [*command, name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            with writing:
                word = "passed" if ended.returncode == 0 else "FAILED"
                output.write(f"\n=== {name} {word} after {time.monotonic() - started:.0f} s\n")
                output.write(ended.stdout.decode(errors="replace"))
                output.flush()
                if ended.returncode:
                    failed.append(name)

    threads = [threading.Thread(target=drive, args=(lane,)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(failed)


def main() -> int:
    """Each argument is a lane: script names with commas between them."""
    lanes = [argument.split(",") for argument in sys.argv[1:]]
    failed = run_lanes(lanes, ["npm", "run", "--silent"], sys.stdout)
    if failed:
        print(f"\nFailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
