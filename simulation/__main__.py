"""`python -m simulation --runs 1000 [--seed S] [--jobs J]`: runs, a progress bar, and the seeds that failed."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from simulation.profiles import PROFILES, Profile
from simulation.scenario import Report, simulate

CHUNK = 20


def main() -> int:
    """Runs the seeds. Returns 0 if no run broke an invariant, otherwise 1."""
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="how many seeds to run")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--profile", choices=PROFILES, help="the distance; without it, each seed has one of the three")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    arguments = parser.parse_args()
    seeds = range(arguments.seed, arguments.seed + arguments.runs)
    failed: list[Report] = []
    requests: Counter[str] = Counter()
    runs: Counter[str] = Counter()
    done = 0
    profile = PROFILES[arguments.profile] if arguments.profile else None
    started = time.monotonic()
    for report in simulate_all(seeds, arguments.jobs, profile):
        done += 1
        runs[report.profile] += 1
        requests[report.profile] += report.requests
        if report.violations:
            failed.append(report)
            _show(report)
        if sys.stderr.isatty() or done % 1000 == 0 or done == len(seeds):
            bar = "#" * (40 * done // len(seeds))
            rate = done / (time.monotonic() - started)
            line = f"[{bar:<40}] {done}/{len(seeds)} runs, {len(failed)} failed, {rate:.0f}/s"
            print(
                f"\r{line}" if sys.stderr.isatty() else line, end="" if sys.stderr.isatty() else "\n", file=sys.stderr
            )
    seconds = time.monotonic() - started
    print()
    for key in runs:
        print(f"{PROFILES[key].title}: {runs[key]} runs, {requests[key]} requests")
    print(f"{done} runs, {requests.total()} requests, {len(failed)} runs with violations, {seconds:.0f} s")
    return 1 if failed else 0


def _show(report: Report) -> None:
    print(f"\nseed {report.seed}: make simulate RUNS=1 SEED={report.seed} PROFILE={report.profile}")
    for violation in report.violations[:10]:
        print(f"  {violation}", flush=True)


def simulate_all(seeds: Iterable[int], jobs: int, profile: Profile | None = None) -> Iterable[Report]:
    """The reports of all `seeds`, in order, from `jobs` processes."""
    one = partial(simulate, profile=profile)
    if jobs == 1:
        yield from map(one, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(one, seeds, chunksize=CHUNK)


if __name__ == "__main__":
    sys.exit(main())
