"""How long calls take, in virtual time on the real code: `python -m simulation.latency`.

It prints the table of docs/guarantees.md; `--write` writes it there, with that of `meeting.py`. The same seeds give the
same figures.
"""

import argparse
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from random import Random

from simulation import meeting
from simulation.deployment import Deployment
from simulation.profiles import PROFILES
from simulation.traffic import Call, Session
from simulation.virtual_time import run
from waypost_worker.polling.plans import PLANS

PAGE = Path(__file__).parents[1] / "docs" / "guarantees.md"
BEGIN, END = "<!-- latency: begin -->\n", "<!-- latency: end -->\n"
SESSIONS = 50
HEADER = (
    "| | to the tab: half within | 99 of 100 | there and back: half within | 99 of 100 "
    "| through KV | of these: half within | 99 of 100 |\n|---|---|---|---|---|---|---|---|\n"
)
ROWS = tuple(product(PROFILES, reversed(PLANS)))
"""The rows of the table: profile and plan."""

MINUTE = 60
TITLES = {(key, plan): f"{PROFILES[key].title}, {plan} plan" for key, plan in ROWS}


def calls_of(job: tuple[str, str, int]) -> list[Call]:
    """The calls of one session: its profile, its plan, its seed."""
    profile, plan, seed = job

    async def scene() -> list[Call]:
        random = Random(seed)
        session = Session(Deployment(PROFILES[profile], PLANS[plan], random), random)
        await session.use()
        return list(session.calls.values())

    return run(scene())


def row(title: str, calls: list[Call]) -> str:
    """One row of the table."""
    crossed = [call for call in calls if call.through_kv]
    cells = [title, *_both(calls, lambda call: call.to_host), *_both(calls, lambda call: call.there_and_back)]
    cells += [f"{len(crossed) / len(calls):.0%}", *_both(crossed, lambda call: call.there_and_back)]
    return f"| {' | '.join(cells)} |\n"


def _both(calls: list[Call], seconds: Callable[[Call], float]) -> list[str]:
    times = sorted(map(seconds, calls))
    return [_shown(times[int(share * len(times))]) if times else "" for share in (0.5, 0.99)]


def _shown(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.1f} s"


def measured(sessions: int, jobs: int = 1, rows: Iterable[tuple[str, str]] = ROWS) -> dict[tuple[str, str], list[Call]]:
    """The calls of each row, in so many sessions each."""
    work = [(profile, plan, seed) for profile, plan in rows for seed in range(sessions)]
    calls: dict[tuple[str, str], list[Call]] = {}
    with ProcessPoolExecutor(jobs) as pool:
        for (profile, plan, _), found in zip(work, pool.map(calls_of, work), strict=True):
            calls.setdefault((profile, plan), []).extend(found)
    return calls


def table(calls: dict[tuple[str, str], list[Call]], sessions: int) -> str:
    """The table, and what it was measured on."""
    lines = [row(TITLES[key], found) for key, found in calls.items()]
    count = sum(map(len, calls.values())) // len(calls)
    said = f"\nEach row: {count:,} calls in {sessions} sessions of the simulation (seeds 0 to {sessions - 1}).\n"
    return HEADER + "".join(lines) + said


def after_replacements(calls: dict[tuple[str, str], list[Call]]) -> str:
    """The share of the calls through KV in the minute after an isolate was replaced."""
    lines = ["Through KV:\n"]
    for key, found in calls.items():
        soon = [call for call in found if call.after_replacement < MINUTE]
        crossed = sum(call.through_kv for call in soon)
        lines.append(f"{TITLES[key]}: {crossed} of {len(soon)} in the minute after an isolate was replaced\n")
    return "".join(lines)


def main() -> None:
    """Prints the table; with `--write`, also writes it into docs/guarantees.md."""
    parser = argparse.ArgumentParser(prog="python -m simulation.latency", description=__doc__)
    parser.add_argument("--sessions", type=int, default=SESSIONS, help="sessions a row")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--profile", choices=PROFILES, help="these rows only")
    parser.add_argument("--plan", choices=PLANS, help="these rows only")
    parser.add_argument("--write", action="store_true", help="write docs/guarantees.md")
    arguments = parser.parse_args()
    rows = [
        (profile, plan)
        for profile, plan in ROWS
        if arguments.profile in (None, profile) and arguments.plan in (None, plan)
    ]
    calls = measured(arguments.sessions, arguments.jobs, rows)
    text = table(calls, arguments.sessions)
    print(text, after_replacements(calls), sep="\n", end="")
    if arguments.write:
        if rows != list(ROWS):
            parser.error("--write needs all rows")
        _write(BEGIN, text, END)
        _write(meeting.BEGIN, meeting.table(jobs=arguments.jobs), meeting.END)


def _write(begin: str, text: str, end: str) -> None:
    before, _, rest = PAGE.read_text().partition(begin)
    PAGE.write_text(before + begin + text + end + rest.partition(end)[2])


if __name__ == "__main__":
    main()
