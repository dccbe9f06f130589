"""Presets for what an invocation may spend: Cloudflare's free and paid plans differ by a factor of twenty.

Free: 50 subrequests an invocation; 1,000 lists and 1,000 writes a day. Paid: 1,000 operations an invocation.
https://developers.cloudflare.com/kv/platform/limits/
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """How often to look and how long to go on.

    A reader asks KV again after `poll_min`, then ever less often; what happens in its own isolate wakes it in between.
    A stream reads its session again every `session_check`, and a host says that it is there every `presence`. A running
    answer is written down every `piece_ms`, and asks every `stop_look_ms` whether somebody in another isolate wants it
    stopped.
    """

    name: str
    operations_per_invocation: int
    poll_min_ms: int
    poll_max_ms: int
    wait_poll_max_ms: int
    stream_seconds: int
    presence_seconds: int
    session_check_seconds: int
    chunk_ms: int
    stop_look_ms: int


PAID = Plan(
    name="paid",
    operations_per_invocation=1000,
    poll_min_ms=250,
    poll_max_ms=6_000,
    wait_poll_max_ms=2_000,
    stream_seconds=15 * 60,
    presence_seconds=60,
    session_check_seconds=60,
    chunk_ms=1_000,
    stop_look_ms=2_000,
)
FREE = Plan(
    name="free",
    operations_per_invocation=50,
    poll_min_ms=20_000,
    poll_max_ms=60_000,
    wait_poll_max_ms=40_000,
    stream_seconds=25 * 60,
    presence_seconds=300,
    session_check_seconds=180,
    chunk_ms=10_000,
    stop_look_ms=20_000,
)
PLANS = {plan.name: plan for plan in (FREE, PAID)}
