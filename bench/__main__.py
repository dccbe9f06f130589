"""`python -m bench [--quick | --long] [--only SECTION]…`: measures, prints the table and writes the JSON."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.measure.figures import Results, Skip
from bench.measure.mode import FULL, LONG, QUICK, Mode
from bench.measure.progress import Progress
from bench.report import machine, page, report
from bench.sections import backlog, costs, delivery, handlers, latency, simulator, startup, storage, streams
from tools.local.local_worker import BUILD_DIR, ROOT

Section = Callable[[Mode, Progress, Results], None]

SECTIONS: dict[str, tuple[float, Section]] = {
    handlers.SECTION: (30, handlers.measure),
    storage.SECTION: (40, storage.measure),
    delivery.SECTION: (25, delivery.measure),
    latency.SECTION: (25, latency.measure),
    streams.SECTION: (25, streams.measure),
    backlog.SECTION: (12, backlog.measure),
    costs.SECTION: (2, costs.measure),
    startup.SECTION: (12, startup.measure),
    simulator.SECTION: (5, simulator.measure),
}
"""Each with its share of the time."""

COMMITTED = ROOT / "bench" / "results.json"
"""Where a full run writes; the table in docs/benchmarks.md is made of it."""

OUTPUT = BUILD_DIR / "bench" / "results.json"
"""Where every other run writes: it does not change the committed results."""


def run(names: Sequence[str], mode: Mode) -> Results:
    """Measure these sections in order.

    A section that fails is reported as skipped, and the others go on. Ctrl-C ends the run with the results so far.
    """
    results = Results()
    progress = Progress({name: SECTIONS[name][0] for name in names})
    for name in names:
        progress.begin(name)
        started = time.monotonic()
        try:
            SECTIONS[name][1](mode, progress, results)
        except KeyboardInterrupt:
            results.skipped.append(Skip(name, "the rest of it, and what comes after", "interrupted"))
            break
        except Exception as error:
            # Whatever it is, the minutes spent on the other sections must not be lost.
            results.skipped.append(Skip(name, "the rest of it", f"FAILED: {described(error)}"))
        results.notes.append(f"{name}: {time.monotonic() - started:.0f} s")
    progress.end()
    return results


def described(error: Exception) -> str:
    """The error's name, text and notes, on one line."""
    return "; ".join((f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())))


def main() -> int:
    """Read the command line and run; 1 when something failed, never because a goal was missed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_const", const=QUICK, dest="mode", help="about two minutes")
    size.add_argument("--long", action="store_const", const=LONG, dest="mode", help="as long as it takes")
    parser.add_argument("--only", action="append", choices=list(SECTIONS), help="this section (may be repeated)")
    parser.add_argument("--output", type=Path, help="where to write the JSON")
    arguments = parser.parse_args()
    mode: Mode = arguments.mode or FULL
    before, started = machine.load_average(), time.monotonic()
    results = run(arguments.only or list(SECTIONS), mode)
    about = machine.described()
    results.notes.append(f"{mode.name}: {time.monotonic() - started:.0f} s in all")
    print(report.text(results, about))
    output = arguments.output or (OUTPUT if arguments.only or mode is QUICK else COMMITTED)
    measured = report.as_json(results, about, mode.name, (before, machine.load_average()))
    report.write(output, measured)
    print(f"\nWritten to {output}")
    if output == COMMITTED:
        page.write(measured)
    return 1 if any(skip.why.startswith("FAILED") for skip in results.skipped) else 0


if __name__ == "__main__":
    sys.exit(main())
