"""Budgets for Cloudflare's free and paid plans, which differ by a factor of twenty and more.

Free, for the whole account: 1,000 lists, writes and deletes each, and 100,000 reads a day, until 00:00 UTC
(https://developers.cloudflare.com/kv/platform/pricing/, 2026-11); 10 ms of CPU time an invocation.

Operations of one invocation, by https://developers.cloudflare.com/workers/platform/limits/ (2026-07-28): 50 fetches to
elsewhere and 1,000 to Cloudflare's services on the free plan, 10,000 in all on the paid one. By
https://developers.cloudflare.com/kv/platform/limits/ (2026-04-21): 1,000 to KV on both. Here the lower number counts;
what the platform refuses beyond its own ends an invocation as if this budget were spent (kv/platform_limits.py).
"""

from dataclasses import dataclass

from waypost_worker.random import Random, jitter

STREAM_JITTER = 1 / 5
"""The part of a stream's longest lifetime by which some are shorter. Streams that began together, after a deployment
or an outage, must not all come back together."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The polling intervals and the lifetime of streams under one plan."""

    name: str

    operations_per_invocation: int
    """KV operations that one invocation may use."""

    poll_min_ms: int
    """Interval between polls of KV just after a message. It doubles with each poll that finds nothing; items of the
    isolate's local channel wake a reader in between."""

    poll_max_ms: int
    """Longest interval between a stream's polls of KV."""

    wait_poll_max_ms: int
    """Longest interval between the polls of a request that waits (`?wait=`, MCP)."""

    wakes_between_locations: bool
    """Whether wake-up keys are used where the Worker runs in several locations. A reading of the key is cached there
    for 30 s, also while a list would show the message: so they save lists, and cost time where lists are frequent."""

    reads_ahead: bool
    """Whether the conversation of a thread is read together with the thread's record, though the thread may not exist:
    that saves a round trip, and costs two operations for a thread that does not exist."""

    wake_up_min_ms: int
    """Interval between readings of a wake-up key just after a message; it doubles with each that shows no change. Also
    the least interval between the lists of a reader that was woken and has not found the message yet."""

    wake_up_max_ms: int
    """Longest interval between a stream's readings of its wake-up key."""

    wake_up_wait_max_ms: int
    """The same of a request that waits (`?wait=`, MCP)."""

    asleep_poll_ms: int
    """Interval between the lists of a stream that reads a wake-up key, while that does not change."""

    asleep_wait_poll_ms: int
    """The same of a request that waits."""

    stream_seconds: int
    """Longest lifetime of a stream (see `stream_ends_after`); then the client reconnects with its cursor, and meets the
    others in the isolate where new requests arrive. An isolate that is being replaced would keep it for 20 minutes:
    https://developers.cloudflare.com/changelog/post/2026-10-12-longer-runtime-update-grace-period/"""

    mcp_stream_seconds: int
    """Lifetime of a stream of MCP, which carries one call, or changes of the tools. Some clients don't come back from
    its end: clients without a priming event lose the call, and the TypeScript SDK up to 1.12 hears no more changes."""

    heartbeat_seconds: int
    """Silence on a stream until a heartbeat."""

    presence_seconds: int
    """Interval at which a host's stream writes its presence."""

    session_check_seconds: int
    """Interval at which a stream reads its session's record."""

    chunk_ms: int
    """Interval at which a running answer is written to KV."""

    stop_look_ms: int
    """Interval at which a running answer reads whether another isolate wants it stopped."""

    mcp_progress_seconds: int
    """Silence in a call of an MCP client that asks for progress until a sign of life. Clients give up after 10 s of
    silence at the least; the free plan's CPU time lasts longer with fewer of them."""


PAID = Plan(
    name="paid",
    operations_per_invocation=1000,
    poll_min_ms=250,
    poll_max_ms=6_000,
    wait_poll_max_ms=2_000,
    wakes_between_locations=False,
    reads_ahead=True,
    wake_up_min_ms=500,
    wake_up_max_ms=2_400,
    wake_up_wait_max_ms=1_000,
    asleep_poll_ms=75_000,
    asleep_wait_poll_ms=15_000,
    stream_seconds=5 * 60,
    mcp_stream_seconds=15 * 60,
    heartbeat_seconds=15,
    presence_seconds=60,
    session_check_seconds=60,
    chunk_ms=1_000,
    stop_look_ms=2_000,
    mcp_progress_seconds=5,
)
FREE = Plan(
    name="free",
    # Rate limits that are asked may count too.
    operations_per_invocation=900,
    poll_min_ms=20_000,
    poll_max_ms=60_000,
    wait_poll_max_ms=40_000,
    wakes_between_locations=True,
    reads_ahead=False,
    wake_up_min_ms=3_000,
    wake_up_max_ms=6_000,
    wake_up_wait_max_ms=3_000,
    asleep_poll_ms=120_000,
    asleep_wait_poll_ms=40_000,
    # A stream at rest takes 6 ms of CPU time a minute and an invocation has 10. One that ends by itself costs a
    # reconnect; one that the platform ends may leave an isolate broken for everybody
    # (https://github.com/cloudflare/workerd/issues/7276).
    stream_seconds=75,
    mcp_stream_seconds=75,
    # Half of the wakeups of the paid plan. `waypost.js` takes 45 s of silence for a lost connection, proxies 60.
    heartbeat_seconds=30,
    presence_seconds=300,
    session_check_seconds=180,
    chunk_ms=10_000,
    stop_look_ms=20_000,
    mcp_progress_seconds=15,
)
PLANS = {plan.name: plan for plan in (FREE, PAID)}


def stream_ends_after(plan: Plan, random: Random) -> float:
    """Seconds until one stream ends by itself: four fifths of the plan's `stream_seconds`, up to all of them."""
    return plan.stream_seconds * (1 - STREAM_JITTER * jitter(random))
