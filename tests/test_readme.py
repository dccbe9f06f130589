"""The README's tables and numbers are those of the code."""

import re
from pathlib import Path

from waypost.app import ROUTES
from waypost.limits import (
    DEFAULT_QUEUE_TTL_SECONDS,
    DEFAULT_SESSION_TTL_SECONDS,
    MAX_SESSION_AGE_SECONDS,
    MAX_WAIT_SECONDS,
    REORDER_WINDOW_SECONDS,
)
from waypost.plans import FREE, PAID

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
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


def test_what_the_readme_points_to_is_there() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link


def test_the_planted_bugs_are_counted_right() -> None:
    from tests.simulation.planted import PLANTED

    count = {13: "Thirteen", 14: "Fourteen", 15: "Fifteen"}[len(PLANTED)]
    assert f"{count} deliberate bugs" in WORDS
