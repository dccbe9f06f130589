"""Runs package scripts in lanes: whichever is free takes the next one, and each output is shown in one piece.

The suites wait a lot (a Worker that starts, a page that loads); side by side they take half the time on two cores.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TextIO

LAST_LINES = 25
"""Where the tools that are run here say what has failed."""


def run_lanes(lanes: int, names: Iterable[str], command: Sequence[str], output: TextIO) -> list[str]:
    """Run `command` with each name, in so many lanes; return the names that failed, sorted.

    They begin in their order, so the longest belongs at the front. A failure does not stop anything: whoever reads the
    output wants to know what else is broken. What a script prints is shown when it has ended, below its name; how one
    ended that failed stands at the end of it all again, where it is looked for.
    """
    failed: dict[str, str] = {}
    # Without a terminal pytest cuts off what failed at 80 characters, of which the test's name takes most.
    wide = {**os.environ, "COLUMNS": "200"}
    waiting = deque(names)
    writing = threading.Lock()

    def take() -> str | None:
        with writing:
            if not waiting:
                return None
            output.write(f"... {waiting[0]} runs\n")
            output.flush()
            return waiting.popleft()

    def drive() -> None:
        while (name := take()) is not None:
            started = time.monotonic()
            ended = subprocess.run(
                [*command, name],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=wide,
            )
            with writing:
                word = "passed" if ended.returncode == 0 else "FAILED"
                output.write(f"\n=== {name} {word} after {time.monotonic() - started:.0f} s\n")
                said = ended.stdout.decode(errors="replace")
                output.write(said)
                output.flush()
                if ended.returncode:
                    failed[name] = said

    threads = [threading.Thread(target=drive) for _ in range(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, said in sorted(failed.items()):
        output.write(f"\n=== {name} FAILED, and ended so:\n" + "\n".join(said.splitlines()[-LAST_LINES:]) + "\n")
    return sorted(failed)


def main() -> int:
    """The first argument is how many lanes there are, the others are names of scripts."""
    started = time.monotonic()
    failed = run_lanes(int(sys.argv[1]), sys.argv[2:], ["npm", "run", "--silent"], sys.stdout)
    print(f"\nAll of it took {time.monotonic() - started:.0f} s.", flush=True)
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
