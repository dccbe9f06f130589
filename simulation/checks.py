"""The invariants that must hold after a run."""

from typing import Any

from simulation.actors import Story
from waypost_worker.queues.queue import CANCELLED_ERROR


def check(story: Story, left_over: list[str]) -> list[str]:
    """Every violation of an invariant, as a sentence."""
    return [
        *story.violations,
        *_nothing_is_lost(story),
        *_nothing_runs_twice(story),
        *_one_host_stays(story),
        *_responses_arrive(story),
        *_order_holds(story),
        *[f"still queued after the silence: {key}" for key in left_over],
    ]


def _nothing_is_lost(story: Story) -> list[str]:
    missing = story.accepted - set(story.runs) - story.cancelled
    # What only a host that crashed has had is not lost if its sender was promised nothing, or has its response.
    promised = story.accepted - story.waited.keys() - story.cancelled
    unanswered = (set(story.runs) - story.crashed) | promised
    # Before it crashed, a host may have stored a response and not heard of it.
    unanswered -= story.answer_accepted.keys() | (story.crashed & story.stored)
    return [f"accepted, but never run: {name}" for name in sorted(missing)] + [
        f"its response was never accepted: {name}" for name in sorted(unanswered)
    ]


def _nothing_runs_twice(story: Story) -> list[str]:
    # Two hosts may both run a request that was sent to one while the other one came: no store without transactions can
    # prevent that.
    return [f"run {count} times: {name}" for (_, name), count in story.runs_by_host.items() if count > 1]


def _one_host_stays(story: Story) -> list[str]:
    return [
        f"host {host.number} was never superseded by a newer one"
        for host in story.hosts[:-1]
        if not host.is_superseded and story.hosts[-1].was_connected.is_set()
    ]


def _responses_arrive(story: Story) -> list[str]:
    violations = []
    for guest, responses in story.responses.items():
        missing = set(story.answer_accepted) - set(responses)
        violations += [f"{guest} never received the response to {name}" for name in sorted(missing)]
        violations += [
            f"{guest} received another response to {name}" for name in responses if not _fits(story, responses[name])
        ]
    return violations + [
        f"a wait returned another response: {name}" for name, data in story.waited.items() if not _fits(story, data)
    ]


def _fits(story: Story, data: dict[str, Any]) -> bool:
    name = data["id"]
    if data.get("error", {}).get("code") == CANCELLED_ERROR.code:
        return name in story.cancelled
    return name in story.answers and data["result"] == story.answers[name]


def _order_holds(story: Story) -> list[str]:
    return [line for number in story.had for line in _order_holds_at(story, number)]


def _order_holds_at(story: Story, host: int) -> list[str]:
    violations = []
    passed = story.skipped | {story.numbers[name] for name in story.cancelled if name in story.numbers}
    # What another host has had may never come to this one.
    passed |= {(item[0], item[1]) for other, items in story.had.items() if other != host for item in items}
    had: set[tuple[str, int]] = set()
    for producer, number, *gap in story.had[host]:
        if gap:
            reported = {(producer, missing) for missing in range(number, gap[0])}
            violations += [f"reported as missing, but the host had it: {item}" for item in sorted(reported & had)]
            passed |= reported
            continue
        for earlier in range(1, number):
            if (producer, earlier) not in passed | had:
                violations.append(f"{producer}-{number} came before {producer}-{earlier}, and no gap was reported")
        had.add((producer, number))
    return violations
