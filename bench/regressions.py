"""`python -m bench.regressions`: has anything become slower? Compares a quick run with the committed ratios.

Ratios, not times: another machine has others; and of CPU time where it was measured, since a machine that is busy with
something else disturbs that least. The band is wide all the same, and it only ever warns: a benchmark that can fail a
build is switched off sooner or later.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.__main__ import COMMITTED, OUTPUT, SECTIONS, run
from bench.measure.mode import QUICK
from bench.report import machine, report

BAND = 1.6
"""A ratio that is worse by less than this factor says nothing."""

COMPARED = ("handlers", "start-up", "simulator")
"""Sections whose ratios mean the same in a quick run (a hundred streams are no thousand), and that need no wrangler, so
that half a minute will do."""


def ratios(results: Mapping[str, Any]) -> dict[str, tuple[float, str]]:
    """The median ratio of each figure, by its name, and which way is better."""
    return dict(map(_ratio, (f for f in results["figures"] if f["ratio"] and f["section"] in COMPARED)))


def _ratio(figure: Mapping[str, Any]) -> tuple[str, tuple[float, str]]:
    name = " | ".join((figure["section"], figure["name"], figure["against"]))
    if cpu := figure["cpu_ratio"]:
        return f"{name} | CPU", (cpu["median"], "lower")
    return name, (figure["ratio"]["median"], figure["better"])


def warnings(committed: Mapping[str, Any], fresh: Mapping[str, Any], band: float = BAND) -> list[str]:
    """A sentence for each ratio that is worse than the committed one by more than `band`."""
    now = ratios(fresh)
    found = []
    for name, (before, better) in ratios(committed).items():
        if name not in now or not before or not now[name][0]:
            continue
        factor = before / now[name][0] if better == "higher" else now[name][0] / before
        if factor > band:
            found.append(f"{name}: {report.number(now[name][0])}×, was {report.number(before)}×")
    return found


def main() -> int:
    """Warn; the status is 0 whatever was found."""
    parser = argparse.ArgumentParser(prog="python -m bench.regressions", description=__doc__)
    parser.add_argument("--fresh", type=Path, help="compare this JSON instead of running")
    parser.add_argument("--band", type=float, default=BAND, help="how much worse a ratio may be")
    arguments = parser.parse_args()
    if not COMMITTED.exists():
        print("There are no committed results to compare with: make bench", file=sys.stderr)
        return 0
    if arguments.fresh is None:
        load = machine.load_average()
        results = run([name for name in SECTIONS if name in COMPARED], QUICK)
        fresh = report.as_json(results, machine.described(), QUICK.name, (load, machine.load_average()))
        report.write(OUTPUT, fresh)
        for skip in results.skipped:
            print(f"SKIPPED {skip.section}: {skip.name}: {skip.why}")
    else:
        fresh = json.loads(arguments.fresh.read_text())
    found = warnings(json.loads(COMMITTED.read_text()), fresh, arguments.band)
    # GitHub shows these beside the change.
    prefix = "::warning::" if os.environ.get("GITHUB_ACTIONS") else "WARNING "
    for sentence in found:
        print(f"{prefix}slower than committed: {sentence}")
    print(f"{len(found)} of {len(ratios(fresh))} ratios are worse by more than {arguments.band:g} times.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
