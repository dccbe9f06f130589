"""The event stream: its first bytes immediately, then events, heartbeats in between, and a clean end before a budget is
spent. It survives a store that fails: it backs off, says so in a comment, and continues."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from waypost_worker.clock import seconds_until, to_iso
from waypost_worker.errors import BudgetSpent, Busy, DailyLimit
from waypost_worker.kv.store import KvError
from waypost_worker.limits import (
    DAILY_LIMIT_RETRY_MILLISECONDS,
    REORDER_WINDOW_SECONDS,
    STREAM_RESERVED_OPERATIONS,
    STREAM_RETRY_MILLISECONDS,
)
from waypost_worker.polling.invocation import Invocation
from waypost_worker.polling.schedule import PollSchedule
from waypost_worker.queues.feed import Feed
from waypost_worker.security.tokens import Role
from waypost_worker.sessions.watch import SessionWatch
from waypost_worker.sse import HEARTBEAT, Comment, Event

UNSEEN_SECONDS = REORDER_WINDOW_SECONDS // 2
"""How long a guest's stream goes on by the local channel alone while the store does not answer."""

Batch = list[Event | Comment]


class _Ready(msgspec.Struct, rename="camel", omit_defaults=True):
    """Who the reader of a stream is, and where it stands."""

    role: str
    """`host` or `guest`, as the token says; a code alone makes a guest."""
    code: str
    """The session's code, without spaces and dashes."""
    cursor: str
    """Where the stream begins. A reader that gets no further event comes back with this one."""
    expires_at: str
    """When the session expires, unless it is renewed."""
    instance: str | msgspec.UnsetType = msgspec.UNSET
    """The host's instance, to be sent again when it reconnects. Only for a host that names its instance."""
    took_over: bool = False
    """This instance has taken the session from an older one, whose open calls are held back for a moment."""


class _Unavailable(msgspec.Struct, rename="camel"):
    """Why a stream ends before its session does."""

    code: str
    """`daily_limit`: the KV operations that the free plan has a day are used up."""
    detail: str
    """A sentence for a person."""
    retry_after: int | None
    """Seconds until they are counted from 0 again; null if that is not known."""


async def stream_events(
    role: Role, feed: Feed, watch: SessionWatch, invocation: Invocation
) -> AsyncGenerator[Batch, None]:
    """Yields everything that one connection sends, in batches that are never empty.

    Ends after the event `end` or `superseded` (the client must not reconnect by itself); after `unavailable`, when the
    day's operations are used up (it reconnects after the event's `retry`); or without an event (it reconnects with its
    cursor) when the budget of time or of KV operations is nearly spent, or after a message that a younger isolate
    accepted.
    """
    clock, meter, wakeup = invocation.clock, invocation.meter, invocation.clock.wakeup()
    last_sent = clock.now_ms()
    end_ms, silence_ms = invocation.stream_end_ms(), invocation.plan.heartbeat_seconds * 1000
    schedule = invocation.stream_schedule()
    is_continued, looked_ms = feed.take_over(schedule), last_sent
    # A guest comes back with the cursor of what it was sent: newer messages must not move it past what only the store
    # has, further than the reorder window reaches.
    is_behind, is_whole = role is Role.GUEST and not is_continued, True
    with feed.subscribe(wakeup), watch.subscribe(wakeup):
        yield _first_batch(role, feed, watch)
        while clock.now_ms() < end_ms and meter.remaining > STREAM_RESERVED_OPERATIONS:
            looks = feed.looks
            try:
                async with aclosing(_look(feed, watch, schedule, invocation, is_behind=is_behind)) as batches:
                    async for batch in batches:
                        last_sent = clock.now_ms()
                        yield batch
                # A look may have become due meanwhile: that it was done counts, not that it was due before.
                if feed.looks > looks:
                    is_behind, is_whole, looked_ms = False, True, clock.now_ms()
            except KvError:
                is_whole = False
                last_sent = clock.now_ms()
                is_behind |= role is Role.GUEST and last_sent - looked_ms > UNSEEN_SECONDS * 1000
                yield [Comment(f"the store does not answer; trying again in {schedule.failed(last_sent)} ms")]
            except Busy:
                # What is newer must wait too: sent first, it would move the cursor past what has no room yet.
                is_behind, is_whole = True, False
                last_sent = clock.now_ms()
                yield [Comment(f"too much is being sent here; trying again in {schedule.failed(last_sent)} ms")]
            except BudgetSpent:
                return
            except DailyLimit as limit:
                yield [_unavailable(limit)]
                return
            if watch.ended:
                return
            # Another isolate would not know what is held back. Nor was it sent if that has ended during the look.
            is_holding = watch.seat is not None and watch.seat.is_holding
            if is_whole and not is_holding and not feed.is_holding and feed.leaves():
                break
            now, next_look_ms = clock.now_ms(), schedule.due_ms
            if _is_heartbeat_due(now, last_sent + silence_ms, next_look_ms, silence_ms):
                last_sent = now
                yield [HEARTBEAT]
                now = clock.now_ms()
            due_ms = min(next_look_ms, watch.due_ms, last_sent + silence_ms, end_ms)
            await wakeup.wait(seconds_until(due_ms, now))
    if watch.seat is not None:
        watch.seat.pause()
    if is_whole:
        feed.hand_over(schedule)


def _is_heartbeat_due(now_ms: int, due_ms: int, next_look_ms: int, silence_ms: int) -> bool:
    """Whether a heartbeat is due soon, before the next look: an early heartbeat is cheaper than another wakeup."""
    return due_ms < next_look_ms and due_ms - now_ms <= silence_ms // 2


def _first_batch(role: Role, feed: Feed, watch: SessionWatch) -> Batch:
    seat = watch.seat
    instance = msgspec.UNSET if seat is None else str(seat.instance)
    took_over = seat is not None and seat.is_holding
    ready = _Ready(role, watch.session.code, feed.cursor, to_iso(watch.session.expires_ms), instance, took_over)
    return [
        Comment("waypost"),
        Event("ready", msgspec.json.encode(ready), feed.cursor, retry_ms=STREAM_RETRY_MILLISECONDS),
        *feed.gaps(),
    ]


def _unavailable(limit: DailyLimit) -> Event:
    data = _Unavailable(limit.code, limit.detail, limit.retry_after_seconds)
    return Event("unavailable", msgspec.json.encode(data), retry_ms=DAILY_LIMIT_RETRY_MILLISECONDS)


def _taken(events: list[Event]) -> Batch:
    """`events`, emptied: what is suspended meanwhile must not keep large ones."""
    batch: Batch = [*events]
    events.clear()
    return batch


async def _look(
    feed: Feed, watch: SessionWatch, schedule: PollSchedule, invocation: Invocation, *, is_behind: bool
) -> AsyncGenerator[Batch, None]:
    """Reads the local channel, the store if a look is due, and the session, whose end comes after the messages. A host
    that has lost its seat gets no message any more. `is_behind`: of messages, only what the store has, in order.

    Mostly there is nothing: then this does as little as it can, for each of a thousand streams of an isolate."""
    clock = invocation.clock
    changes = watch.last_event()
    if changes is None and watch.is_unconfirmed:
        changes = await watch.events()
    if changes:
        yield list(changes)
    if watch.ended or watch.is_unconfirmed:
        schedule.looked(clock.now_ms())
        return
    if watch.seat and feed.hold(watch.seat.instance.since_ms if watch.seat.is_holding else 0):
        schedule.look_now(clock.now_ms())
    if feed.has_published and not is_behind:
        async with aclosing(_seated(feed.from_channel(), watch)) as published:
            async for batch in published:
                yield batch
        if _has_ended(watch):
            return
    if schedule.is_wake_up_due(clock.now_ms()):
        await feed.read_wake_up(schedule)
    looks = clock.now_ms() >= schedule.next_look_ms
    if looks and not await feed.finds_nothing():
        async with aclosing(_seated(feed.from_store(), watch)) as stored:
            async for batch in stored:
                schedule.found()
                yield batch
        if _has_ended(watch):
            return
    if looks:
        feed.looked(schedule)
    if watch.is_due(schedule.due_ms) and (changes := await watch.events(schedule.due_ms)):
        yield list(changes)


def _has_ended(watch: SessionWatch) -> bool:
    # Since it was asked last: each batch takes a while.
    return watch.ended


async def _seated(messages: AsyncGenerator[list[Event], None], watch: SessionWatch) -> AsyncGenerator[Batch, None]:
    """The batches of `messages`, until the host has lost its seat; then its last events."""
    async with aclosing(messages) as batches:
        async for events in batches:
            if (last := watch.last_event()) is not None:
                if last:
                    yield list(last)
                return
            yield _taken(events)
