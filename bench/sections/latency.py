"""How long callers wait where the store is as far away as the platform's, in milliseconds and in round trips.

Beside Waypost stand a JavaScript Worker that stores and then delivers, on a KV of the same slowness, and FastAPI with a
Redis that is as far away as a `get` of KV takes. Both ends of a call are in one isolate.

Waypost's round trips are counted in virtual time, as for docs/cost.md. Those of the others are counted by letting each
operation take the same long time, of which their callers then wait for a multiple.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.measure.figures import Figure, Goal, Results, Skip
from bench.measure.mode import Mode
from bench.measure.party import Party
from bench.measure.progress import Progress
from bench.measure.rounds import Sample, Samples, compared, interleave, values
from bench.measure.stats import percentile, ratios, spread
from bench.measure.threads import at_once
from bench.subjects.far_away import REDIS, FarAway
from bench.subjects.model import THINKING_SECONDS
from bench.subjects.peers import STORE_THEN_DELIVER, WAYPOST
from simulation import caller_waits

SECTION = "latency"
ONE_WRITE = "one write, JavaScript"

UNIT_SECONDS = 0.25
"""How long each operation takes where round trips are counted: several times what everything else takes."""

COUNTED_TIMES = 2
"""The first time an isolate may have nothing to remember, and a busy machine adds to either."""

PARTIES = 3
"""So many sessions side by side: they mostly wait, so more of them give a steadier median in the same time."""

SECONDS = 45.0
"""At most, of which streams outlast several times as many."""


@dataclass(frozen=True)
class Call:
    """One call: its method of `Party`, its name where round trips are counted, and how long the model is silent."""

    method: Callable[[Party], float]
    story: str
    silence: float = 0.0
    only: tuple[str, ...] = (WAYPOST, STORE_THEN_DELIVER, REDIS)


BACK, ANSWERED, WRITTEN = "a call, there and back", "an answer, to its 202", "a document written"
FIRST_WORD = "a chat's first word, beyond the model's silence"
CALLS = {
    "a session opened": Call(Party.open, caller_waits.OPENED),
    "a request, to its 202": Call(Party.request_accepted, caller_waits.ACCEPTED),
    "a request, to the tab": Call(Party.to_the_tab, caller_waits.TO_TAB),
    ANSWERED: Call(Party.answer_accepted, caller_waits.ANSWERED),
    BACK: Call(Party.there_and_back, caller_waits.NEXT_CALL),
    "the same with an id of the caller's": Call(Party.with_an_id, caller_waits.WITH_ID),
    "the same by MCP": Call(Party.tool_call, caller_waits.BY_MCP, only=(WAYPOST,)),
    "the same, on the guest's stream": Call(
        Party.to_the_guest, caller_waits.TO_GUEST, only=(WAYPOST, STORE_THEN_DELIVER)
    ),
    "a poll": Call(Party.poll, caller_waits.POLLED),
    WRITTEN: Call(Party.write_document, caller_waits.WRITTEN),
    "a document read": Call(Party.read_document, caller_waits.READ),
    FIRST_WORD: Call(Party.first_word, caller_waits.FIRST_QUESTION, THINKING_SECONDS),
    "a chat's second turn, the same": Call(Party.next_word, caller_waits.NEXT_QUESTION, THINKING_SECONDS),
}

RATIO_BEFORE = 1.05
"""A call there and back beside the JavaScript Worker, where callers waited for every write."""

GOALS = {
    (BACK, STORE_THEN_DELIVER): Goal("ratio", 0.5, "lower"),
    (ANSWERED, ONE_WRITE): Goal("ratio", 1.1, "lower"),
    # One round trip of reads: without them it is not known whether the thread exists or has a running answer. It is the
    # slowest of three, so it varies more than a write does.
    (FIRST_WORD, ONE_WRITE): Goal("ratio", 1.5, "lower"),
}
BEFORE_GOAL = Goal("ratio", 0.4, "lower")
"""No round trip is left in it. What is left is CPU."""


def measure(mode: Mode, progress: Progress, results: Results) -> None:
    """Round trips first, which also warms everything up, and then milliseconds."""
    with tempfile.TemporaryDirectory(prefix="waypost-bench-") as folder, ExitStack() as stack:
        far = stack.enter_context(FarAway(Path(folder)))
        if far.why_no_redis:
            results.skipped.append(Skip(SECTION, REDIS, far.why_no_redis))
        parties = {who: _gathered(who, port, stack) for who, port in far.ports.items()}
        far.slow_down(UNIT_SECONDS)
        counts = _counts(parties, progress)
        far.slow_down()
        turns = {
            f"{who}: {name}": _turn(call, parties[who])
            for name, call in CALLS.items()
            for who in parties
            if who in call.only
        }
        seconds = min(mode.section_seconds, SECONDS)
        samples = interleave(turns, mode.rounds, seconds, progress, warm_up=False)
        far.slow_down(0)
    for name in CALLS:
        _report(results, name, samples)
    results.tables[f"{SECTION}, round trips one after another"] = counts


def _gathered(who: str, port: int, stack: ExitStack) -> list[Party]:
    # As in a deployment that is placed, which is the default.
    fields = {
        WAYPOST: {"X_Worker": "waypost", "CF_Placement": "remote-FRA"},
        STORE_THEN_DELIVER: {"X_Worker": "javascript"},
    }
    parties = [stack.enter_context(Party(port, **fields.get(who, {}))) for _ in range(PARTIES)]
    for party in parties:
        if who == WAYPOST:
            party.name_tools()
        if who != REDIS:
            party.join()
    return parties


def _counts(parties: Mapping[str, Sequence[Party]], progress: Progress) -> list[dict[str, str]]:
    """The round trips of each call, one after another: a row a call, a column for each subject."""
    rows = []
    progress.expect(len(CALLS) * (1 + len(parties)))
    for name, call in CALLS.items():
        progress.step(f"counting {name}")
        found = {WAYPOST: caller_waits.CALLS[call.story]().round_trips}
        others = [who for who in parties if who in call.only and who != WAYPOST]
        if others:
            calls = [_bound(call, parties[who][0]) for who in others]
            waits = [at_once(calls) for _ in range(COUNTED_TIMES)]
            # A timer may run out a little early.
            found |= {who: int(min(seconds) / UNIT_SECONDS + 0.1) for who, *seconds in zip(others, *waits, strict=True)}
        rows.append({"what": name} | {who: str(found.get(who, "")) for who in parties})
    return rows


def _turn(call: Call, parties: Sequence[Party]) -> Callable[[], Sample]:
    def run() -> Sample:
        return Sample(percentile(at_once([_bound(call, party) for party in parties]), 50) * 1000)

    return run


def _bound(call: Call, party: Party) -> Callable[[], float]:
    return lambda: call.method(party) - call.silence


def _report(results: Results, name: str, samples: Samples) -> None:
    ours = samples[f"{WAYPOST}: {name}"]
    pairs = {who: samples.get(f"{who}: {name}") for who in (STORE_THEN_DELIVER, REDIS)}
    pairs[ONE_WRITE] = samples[f"{STORE_THEN_DELIVER}: {WRITTEN}"] if (name, ONE_WRITE) in GOALS else None
    compared_with = {who: its for who, its in pairs.items() if its}
    for against, its in compared_with.items():
        pair = {WAYPOST: ours, against: its}
        goal = GOALS.get((name, against))
        results.figures.append(compared(SECTION, name, "ms", "lower", pair, WAYPOST, against, goal))
    if not compared_with:
        results.figures.append(Figure(SECTION, name, "ms", spread(values(ours)), "lower"))
    if name == BACK:
        results.figures.append(_beside_before(ours, samples[f"{STORE_THEN_DELIVER}: {name}"]))


def _beside_before(ours: list[Sample], script: list[Sample]) -> Figure:
    before = [value * RATIO_BEFORE for value in values(script)]
    against = "the same, waiting for every write"
    ratio = ratios(values(ours), before)
    return Figure(SECTION, BACK, "ms", spread(values(ours)), "lower", against, spread(before), ratio, None, BEFORE_GOAL)
