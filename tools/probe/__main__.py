"""`make probe URL=…`: reads the command line, asks before it costs more than a cent, prints the table."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TextIO

from bench.measure.progress import Progress
from tools.probe.caller import Target
from tools.probe.failure import ProbeFailure
from tools.probe.made import Made
from tools.probe.report import MAX_WIDTH, as_json, closing, table
from tools.probe.rows import WORSE, rows
from tools.probe.run import WEIGHTS, Findings, run
from tools.probe.scale import FULL, QUICK, Scale

INTERRUPTED = 130


def arguments_of(words: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make probe", description=__doc__)
    parser.add_argument("url", nargs="?", default="", help="the deployment, as in https://waypost.example.workers.dev")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes; the figures mean little")
    parser.add_argument("--long", action="store_true", help="also wait until a stream at rest ends")
    parser.add_argument("--times", type=int, default=1, help="so many times the samples")
    parser.add_argument(
        "--header", action="append", default=[], metavar="'NAME: VALUE'", help="send it with every request"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask what it may cost")
    return parser.parse_args(words)


def scale_of(arguments: argparse.Namespace) -> Scale:
    """How much is measured."""
    scale = (QUICK if arguments.quick else FULL).times(max(1, arguments.times))
    return Scale(**{**vars(scale), "is_long": arguments.long})


def headers_of(lines: list[str]) -> dict[str, str]:
    """The header fields, each given as `Name: value`."""
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def confirm(question: str, keyboard: TextIO = sys.stdin) -> bool:
    """Whether the person says yes. Without a person, no."""
    if not keyboard.isatty():
        print(f"{question} There is nobody to ask: say so with YES=1.", file=sys.stderr)
        return False
    print(f"\n{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return keyboard.readline().strip().lower() in ("y", "yes")


async def measured(target: Target, made: Made, scale: Scale, *, is_asked: bool) -> Findings:
    """One run that Ctrl-C ends early. A second one changes nothing: from npm and the terminal it comes twice."""
    loop = asyncio.get_running_loop()
    may_cost = confirm if is_asked else lambda _: True
    running = asyncio.ensure_future(run(target, made, scale, may_cost, Progress(WEIGHTS)))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, Stop(running))
    return await running


class Stop:
    """Cancels a task, once."""

    def __init__(self, task: asyncio.Future[Findings]) -> None:
        self._task: asyncio.Future[Findings] | None = task

    def __call__(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task = None


def main() -> int:
    """Measure and return the exit status: 1 if it could not, 2 if something is worse than promised."""
    arguments = arguments_of()
    if not arguments.url:
        print("Name the deployment: make probe URL=https://waypost.example.workers.dev", file=sys.stderr)
        return 1
    target = Target(arguments.url.rstrip("/"), os.environ.get("APP_KEY", ""), headers_of(arguments.header))
    made = Made(target.app_key)
    try:
        found = asyncio.run(measured(target, made, scale_of(arguments), is_asked=not arguments.yes))
    except ProbeFailure as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        left = f"deleted but for {made.left}, which expire within a day" if made.left else "deleted"
        print(f"\nStopped. The {made.count} sessions and documents it had made are {left}.", file=sys.stderr)
        return INTERRUPTED
    shown = rows(found, target.replies)
    print(f"\n{table(shown, shutil.get_terminal_size((MAX_WIDTH, 0)).columns)}\n{closing(target, found)}", end="")
    if arguments.json:
        arguments.json.write_text(as_json(target, found, shown))
    return 2 if any(row.verdict == WORSE for row in shown) else 0


if __name__ == "__main__":
    sys.exit(main())
