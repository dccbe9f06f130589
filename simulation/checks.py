"""What must hold when a run is over."""

from collections import Counter
from typing import Any

from simulation.actors import Story
from waypost_worker.queues.queue import CANCELLED_ERROR


def check(story: Story, left_over: list[str]) -> list[str]:
    """Every violation of the promises, as a sentence."""
    return [
        *story.violations,
        *_nothing_is_lost(story),
        *_nothing_runs_twice(story),
        *_answers_arrive(story),
        *_order_holds(story),
        *[f"still queued after the silence: {key}" for key in left_over],
    ]


def _nothing_is_lost(story: Story) -> list[str]:
    missing = story.accepted - set(story.runs) - story.cancelled
    unanswered = set(story.runs) - set(story.answer_accepted)
    return [f"accepted and never run: {name}" for name in sorted(missing)] + [
        f"its answer was never accepted: {name}" for name in sorted(unanswered)
    ]


def _nothing_runs_twice(story: Story) -> list[str]:
    return [f"run {count} times: {name}" for name, count in Counter(story.runs).items() if count > 1]


def _answers_arrive(story: Story) -> list[str]:
    violations = []
    for guest, heard in story.heard.items():
        missing = set(story.answer_accepted) - set(heard)
        violations += [f"{guest} never heard the answer to {name}" for name in sorted(missing)]
        violations += [f"{guest} heard another answer to {name}" for name in heard if not _fits(story, heard[name])]
    return violations + [
        f"another answer was waited for: {name}" for name, data in story.waited.items() if not _fits(story, data)
    ]


def _fits(story: Story, data: dict[str, Any]) -> bool:
    name = data["id"]
    if data.get("error", {}).get("code") == CANCELLED_ERROR.code:
        return name in story.cancelled
    return name in story.answers and data["result"] == story.answers[name]


def _order_holds(story: Story) -> list[str]:
    violations = []
    passed = story.skipped | {story.numbers[name] for name in story.cancelled if name in story.numbers}
    had: set[tuple[str, int]] = set()
    for producer, number, *gap in story.had:
        if gap:
            reported = {(producer, missing) for missing in range(number, gap[0])}
            violations += [f"reported as missing, and the host had it: {item}" for item in sorted(reported & had)]
            passed |= reported
            continue
        for earlier in range(1, number):
            if (producer, earlier) not in passed | had:
                violations.append(f"{producer}-{number} came before {producer}-{earlier}, and no gap was reported")
        had.add((producer, number))
    return violations
