"""Budgets for Cloudflare's free and paid plans, which differ by a factor of twenty.

Free: 50 subrequests an invocation; 1,000 lists and 1,000 writes a day. Paid: 1,000 operations an invocation.
https://developers.cloudflare.com/kv/platform/limits/
"""

from dataclasses import dataclass


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

    stream_seconds: int
    """Lifetime of a stream; then the client reconnects with its cursor, and meets the others in the isolate where new
    requests arrive. An isolate that is being replaced would keep it for 20 minutes:
    https://developers.cloudflare.com/changelog/post/2026-10-12-longer-runtime-update-grace-period/"""

    call_seconds: int
    """Lifetime of a stream that carries one MCP call: its end is the end of the call for clients that can't resume
    one."""

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
    stream_seconds=5 * 60,
    call_seconds=15 * 60,
    presence_seconds=60,
    session_check_seconds=60,
    chunk_ms=1_000,
    stop_look_ms=2_000,
    mcp_progress_seconds=5,
)
FREE = Plan(
    name="free",
    operations_per_invocation=50,
    poll_min_ms=20_000,
    poll_max_ms=60_000,
    wait_poll_max_ms=40_000,
    stream_seconds=25 * 60,
    call_seconds=25 * 60,
    presence_seconds=300,
    session_check_seconds=180,
    chunk_ms=10_000,
    stop_look_ms=20_000,
    mcp_progress_seconds=15,
)
PLANS = {plan.name: plan for plan in (FREE, PAID)}
