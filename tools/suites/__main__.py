"""`python -m tools.suites test`: runs the suites of a plan, two at a time, until all have ended or Ctrl-C.

A suite waits a lot (a Worker that starts, a page that loads); two at a time take half the time on two cores.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.local.interrupt import Interrupt
from tools.local.local_worker import BUILD_DIR
from tools.suites.plan import PLANS, Plan, Suite, first_line
from tools.suites.report import Report, Result, load_results, save_results
from tools.suites.run import SuiteRun, script_command

AT_A_TIME = 2
POLL_SECONDS = 0.1
END_SECONDS = 1.2
"""How long suites may take to end on Ctrl-C; more than the grace of tools/local/process_group.py, which kills."""

RESULTS = "results.json"
INTERRUPTED = 130
"""The exit status that shells give a command which SIGINT has ended."""


def run_suites(
    plan: Plan,
    report: Report,
    folder: Path,
    interrupt: Interrupt,
    command: Callable[[Suite], list[str]] = script_command,
) -> list[SuiteRun]:
    """Run the suites of `plan` in its order and return them; their logs are in `folder`.

    A failure stops nothing: the reader wants to know what else is broken. An interrupt ends everything that runs.
    """
    waiting = deque(suite for suite in plan.suites if not suite.only_warns)
    waiting_alone = deque(suite for suite in plan.suites if suite.only_warns)
    runs: list[SuiteRun] = []
    with tempfile.TemporaryDirectory(prefix="waypost-suites-", ignore_cleanup_errors=True) as temporary:
        running: list[SuiteRun] = []
        try:
            while (waiting or waiting_alone or running) and not interrupt.is_set:
                while suite := _next(waiting, waiting_alone, running):
                    run = SuiteRun(suite, command(suite), folder, Path(temporary))
                    runs.append(run)
                    running.append(run)
                time.sleep(POLL_SECONDS)
                for run in running:
                    for failure in run.poll():
                        report.say_failure(failure)
                    if run.status is not None:
                        report.say_end(run)
                running = [run for run in running if run.status is None]
                report.show_progress(runs)
        finally:
            _end(running)
    return runs


def _next(waiting: deque[Suite], waiting_alone: deque[Suite], running: Sequence[SuiteRun]) -> Suite | None:
    """Take the suite that may start now, if any."""
    if waiting and len(running) < AT_A_TIME:
        return waiting.popleft()
    if waiting_alone and not waiting and not running:
        return waiting_alone.popleft()
    return None


def _end(running: Sequence[SuiteRun]) -> None:
    for run in running:
        run.ask_to_end()
    deadline = time.monotonic() + END_SECONDS
    for run in running:
        run.kill(max(0.0, deadline - time.monotonic()))


def main() -> int:
    """Run the plan that the command line names; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.suites", description=__doc__)
    parser.add_argument("plan", choices=sorted(PLANS))
    parser.add_argument("--announced", action="store_true", help="leave out the first line: make has printed it")
    parser.add_argument("--after", choices=sorted(PLANS), help="count the results of this plan's last run too")
    arguments = parser.parse_args()
    interrupt = Interrupt()
    folder = BUILD_DIR / "logs" / arguments.plan
    folder.mkdir(parents=True, exist_ok=True)
    earlier: list[Result] = load_results(folder.parent / arguments.after / RESULTS) if arguments.after else []
    plan = PLANS[arguments.plan]
    if not arguments.announced:
        print(first_line(arguments.plan), flush=True)
    report = Report(plan, sys.stdout)
    runs = run_suites(plan, report, folder, interrupt)
    if interrupt.is_set:
        report.say("Interrupted: nothing is left running.")
        return INTERRUPTED
    save_results(folder / RESULTS, runs)
    report.say_summary(runs, earlier)
    return int(any(run.has_failed for run in runs))


if __name__ == "__main__":
    sys.exit(main())
