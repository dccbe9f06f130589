"""The README's tables and numbers are those of the code."""

import json
import re
import tomllib
from pathlib import Path

from bench.report.readme import filled, table
from waypost_worker.app import ROUTES
from waypost_worker.chat.unfinished import MISSED_INTERVALS
from waypost_worker.limits import (
    ANSWER_GRACE_SECONDS,
    APPEND_BYTES_PER_USE,
    DEFAULT_CONVERSATION_TTL_SECONDS,
    DEFAULT_HISTORY_LIMIT,
    DEFAULT_QUEUE_TTL_SECONDS,
    DEFAULT_SESSION_TTL_SECONDS,
    FOLLOW_PATIENCE_SECONDS,
    MAX_ANSWER_SECONDS,
    MAX_SESSION_AGE_SECONDS,
    MAX_WAIT_SECONDS,
    REORDER_WINDOW_SECONDS,
)
from waypost_worker.polling.plans import FREE, PAID
from waypost_worker.security.rate_limits import PERIOD_SECONDS, Limit

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
CONFIG = tomllib.loads((ROOT / "wrangler.toml").read_text())
WORDS = " ".join(README.split())


def test_the_route_table_lists_every_route_once() -> None:
    rows = re.findall(r"^\| `([A-Z]+ /\S*)` \|", README, re.MULTILINE)
    served = [f"{route.method} {route.template}" for route in ROUTES if not route.template.startswith("/debug")]
    assert sorted(rows) == sorted(served)


def test_the_numbers_are_those_in_force() -> None:
    assert f"({PAID.poll_min_ms / 1000:g} to {PAID.poll_max_ms / 1000:g} s on the paid plan" in WORDS
    assert f"{FREE.poll_min_ms / 1000:g} to {FREE.poll_max_ms / 1000:g} s on the free one)" in WORDS
    assert f"for at most {REORDER_WINDOW_SECONDS} s" in WORDS
    assert f"`?wait={MAX_WAIT_SECONDS}`" in WORDS
    assert "live for an hour" in WORDS
    assert DEFAULT_QUEUE_TTL_SECONDS == 3600
    assert "for ten minutes after their host has left and 24 hours at most" in WORDS
    assert (DEFAULT_SESSION_TTL_SECONDS, MAX_SESSION_AGE_SECONDS) == (600, 24 * 3600)


def test_the_numbers_of_chats_are_those_in_force() -> None:
    assert f"goes on for {ANSWER_GRACE_SECONDS} s after the last reader has left" in WORDS
    assert "about once a second (every ten on the free plan)" in WORDS
    assert (PAID.chunk_ms, FREE.chunk_ms) == (1_000, 10_000)
    patience = [plan.chunk_ms * MISSED_INTERVALS // 1000 for plan in (PAID, FREE)]
    assert "takes the next question after {} s ({} s on the free plan)".format(*patience) in WORDS
    assert f"is told so after {FOLLOW_PATIENCE_SECONDS} s" in WORDS
    assert "for more than ten minutes" in WORDS
    assert MAX_ANSWER_SECONDS == 600
    assert f"(`HISTORY_LIMIT`, {DEFAULT_HISTORY_LIMIT}), for an hour" in WORDS
    assert DEFAULT_CONVERSATION_TTL_SECONDS == 3600


def test_the_limits_are_those_that_are_deployed() -> None:
    bound = {limit["name"]: limit["simple"] for limit in CONFIG["ratelimits"]}
    assert {simple["period"] for simple in bound.values()} == {PERIOD_SECONDS}
    rows = re.findall(r"^\| `(\w+_LIMIT)` \| .* \| ([\d,]+) \|$", README, re.MULTILINE)
    assert {name: int(number.replace(",", "")) for name, number in rows} == {
        name: simple["limit"] for name, simple in bound.items()
    }
    assert set(bound) == {limit.value for limit in Limit}
    assert len({limit["namespace_id"] for limit in CONFIG["ratelimits"]}) == len(bound)
    assert f"each {APPEND_BYTES_PER_USE // 1024} KiB once" in WORDS


def test_what_the_readme_points_to_is_there() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link


def test_the_planted_bugs_are_counted_right() -> None:
    from simulation.planted import PLANTED

    count = {13: "Thirteen", 14: "Fourteen", 15: "Fifteen"}[len(PLANTED)]
    assert f"{count} deliberate bugs" in WORDS


def test_the_measured_ratios_are_those_that_the_benchmark_printed() -> None:
    measured = json.loads((ROOT / "bench/results.json").read_text())
    assert filled(README, measured) == README, "run `python -m bench.readme`"
    assert f"its run of {measured['date']} on {measured['machine']['cores']} cores" in WORDS
    assert table(measured).count("\n") > 10
