"""How many session codes an attacker guesses in a day: `python -m tools.guessing`; `--write` updates docs/guessing.md.

The worst case: each of the attacker's addresses spends its whole budget of wrong codes in every minute, and as much
more as concurrent requests get. An address that is counted in two Cloudflare locations is two addresses here.
"""

from __future__ import annotations

import math
import sys
import tomllib
from pathlib import Path

from waypost_worker.ids import CROCKFORD
from waypost_worker.limits import MAX_LOOKUPS_AT_ONCE
from waypost_worker.security.rate_limits import Limit

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "guessing.md"
BEGIN, END = "<!-- guessing: begin -->\n", "<!-- guessing: end -->\n"
MINUTES_OF_A_DAY = 24 * 60
LIVE_SESSIONS = 100_000
LENGTHS = (8, 10, 12, 16)
ADDRESSES = (1, 1_000, 100_000)


def misses_a_minute() -> int:
    """Return how many wrong codes of one address are looked up in a minute at most, with the budget of wrangler.toml.

    Those within the budget, and those under way when the first one beyond it is refused.
    """
    bindings = tomllib.loads((ROOT / "wrangler.toml").read_text())["ratelimits"]
    limits: dict[str, dict[str, int]] = {binding["name"]: binding["simple"] for binding in bindings}
    limit = limits[Limit.MISS.value]
    return limit["limit"] * 60 // limit["period"] + MAX_LOOKUPS_AT_ONCE


def codes(length: int) -> int:
    """Return the number of codes of `length` characters."""
    return int(len(CROCKFORD) ** length)


def expected_hits(misses: float, live: int, space: int) -> float:
    """Return the mean number of `live` codes, of `space` possible ones, that are found until `misses` guesses failed.

    Only misses count against an attacker, so the hits come on top: misses times the odds of a hit.
    """
    return misses * live / (space - live)


def chance(misses: float, live: int, space: int) -> float:
    """Return the probability of at least one hit: that not all of the first `misses` guesses are wrong."""
    return -math.expm1(misses * math.log1p(-live / space))


def table() -> str:
    """Return the page's table, for one day."""
    lines = [
        "| `CODE_LENGTH` | bits | "
        + " | ".join(f"{count:,} address{'es' if count > 1 else ''}" for count in ADDRESSES)
        + " |",
        "|---|---|" + "---|" * len(ADDRESSES),
    ]
    for length in LENGTHS:
        cells = [_cell(misses_a_minute() * MINUTES_OF_A_DAY * count, codes(length)) for count in ADDRESSES]
        lines.append(f"| {length} | {5 * length} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(misses: int, space: int) -> str:
    hits, found = expected_hits(misses, LIVE_SESSIONS, space), chance(misses, LIVE_SESSIONS, space)
    if found < 0.001:
        # So rare that the mean and the probability are the same number.
        days = 1 / found
        return f"one in {round(days, 1 - math.floor(math.log10(days))):,.0f}"
    shown = f"{hits:,.0f}" if hits >= 10 else f"{hits:.2g}"
    return f"{shown} hits; {'certain' if found > 0.9999 else f'{100 * found:.2g} %'}"


def main() -> None:
    """Print the table, or write it into the page."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    print(table(), end="")
    if "--write" in sys.argv:
        PAGE.write_text(before + BEGIN + table() + END + after)


if __name__ == "__main__":
    main()
