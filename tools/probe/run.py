"""One run of the probe: everything is measured in order, and what was made is deleted, however the run ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.measure.progress import Progress
from tools.probe.caller import Caller, Target
from tools.probe.delivery import Delivery, delivery
from tools.probe.failure import ProbeFailure
from tools.probe.limits import Guesses, guess
from tools.probe.made import Made
from tools.probe.meeting import Meetings, sample
from tools.probe.scale import Scale, cost_at_most, question
from tools.probe.stream_end import StreamEnd, hold
from tools.probe.visibility import Visibility, visibility
from tools.probe.where import Deployment, deployment

WEIGHTS = {"deployment": 1.0, "visibility": 25.0, "delivery": 60.0, "the rest": 60.0, "deleting": 3.0, "limits": 5.0}
"""The sections of a run, and about how long each takes."""

CLEANING_SECONDS = 20.0
"""How long deleting may take after Ctrl-C."""

STREAM_GRACE_SECONDS = 60.0
"""How much longer than it should a stream is held in a long run."""

Confirm = Callable[[str], bool]


class NotConfirmed(ProbeFailure):
    """The person does not want what the probe costs."""


@dataclass
class Findings:
    """All that one run has found; `left` is what could not be deleted."""

    deployment: Deployment
    visibility: Visibility = field(default_factory=Visibility)
    delivery: Delivery = field(default_factory=Delivery)
    meetings: Meetings = field(default_factory=Meetings)
    stream_end: StreamEnd = field(default_factory=StreamEnd)
    guesses: Guesses = field(default_factory=Guesses)
    made: int = 0
    left: int = 0


async def run(target: Target, made: Made, scale: Scale, confirm: Confirm, progress: Progress) -> Findings:
    """Measure `target`. Raises `ProbeFailure` where that is impossible.

    What was made is deleted in any case; what could not be is left in `made`.
    """
    progress.begin("deployment")
    async with Caller(target) as caller:
        here = await deployment(caller)
    asked = question(cost_at_most(scale, here.plan, here.stream_seconds), here.plan)
    if asked is not None and not confirm(asked):
        raise NotConfirmed("Nothing was measured.")
    found = Findings(here)
    try:
        await _measure(target, made, scale, found, progress)
    except* ProbeFailure as failures:
        raise _first(failures) from None
    finally:
        progress.begin("deleting")
        found.made = made.count
        found.left = await _delete(target, made)
    progress.begin("limits")
    if here.counts_guesses:
        await guess(target, scale, found.guesses)
    progress.end()
    return found


async def _measure(target: Target, made: Made, scale: Scale, found: Findings, progress: Progress) -> None:
    started = asyncio.get_running_loop().time()
    is_over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        async with Caller(target) as caller:
            idle = await made.session(caller)
        holding = group.create_task(hold(target, idle, found.stream_end))
        group.create_task(sample(target, scale, found.meetings, is_over))
        progress.begin("visibility")
        found.visibility = await visibility(target, made, scale, progress)
        progress.begin("delivery")
        found.delivery = await delivery(target, made, scale, progress)
        progress.begin("the rest")
        until = started + scale.seconds
        if scale.is_long:
            until = started + found.deployment.stream_seconds + STREAM_GRACE_SECONDS
        await _wait(holding, until, progress, ends_with_stream=scale.is_long)
        is_over.set()
        holding.cancel()


async def _wait(holding: asyncio.Task[None], until: float, progress: Progress, *, ends_with_stream: bool) -> None:
    """Let the samples and the idle stream go on until the loop's time `until`, or until that stream ends."""
    loop = asyncio.get_running_loop()
    left = until - loop.time()
    progress.expect(max(1, int(left)))
    while loop.time() < until and not (ends_with_stream and holding.done()):
        progress.step(f"{until - loop.time():.0f} s left")
        await asyncio.sleep(min(1.0, until - loop.time()))


async def _delete(target: Target, made: Made) -> int:
    """Delete on a connection of its own: that of what was cancelled may be in the middle of a request."""
    async with Caller(target) as caller:
        try:
            return await asyncio.wait_for(made.delete(caller), CLEANING_SECONDS)
        except TimeoutError:
            return made.left


def _first(group: BaseExceptionGroup[ProbeFailure]) -> ProbeFailure:
    for failure in group.exceptions:
        return _first(failure) if isinstance(failure, BaseExceptionGroup) else failure
    raise AssertionError("a group without an exception")
