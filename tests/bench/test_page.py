"""The page's table is made of what a run has measured, and nothing else in it changes."""

from __future__ import annotations

from typing import Any

import pytest

from bench.report.page import ROWS, filled, short, table

PAGE = """It is fast: its run of 2026-01-01 00:00 UTC on 64 cores.

<!-- bench: begin -->
| an old row |
<!-- bench: end -->

| a table of another kind |
"""


def measured(*rows: tuple[str, str]) -> dict[str, Any]:
    figures = [
        {"name": name, "against": against, "ratio": {"median": 0.123456, "low": 0.1, "high": 12.3456}, "goal": "≥ 0.7×"}
        for name, against in rows
    ]
    alone = {"name": "something", "against": "", "ratio": None, "goal": None}
    return {"figures": [alone, *figures], "date": "2026-11-21 10:00 UTC", "machine": {"cores": 2}}


def test_a_row_is_a_ratio_with_its_quartiles_and_its_goal() -> None:
    assert table(measured(ROWS[0])).splitlines()[2:] == [
        "| the median of the calls | bare Python | 0.12 (0.1 to 12.3) | ≥ 0.7× |"
    ]


def test_rows_come_in_the_pages_order_and_what_was_skipped_has_none() -> None:
    rows = table(measured(ROWS[3], ROWS[1], ("not told", "of"))).splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == ["| request", "| poll"]


@pytest.mark.parametrize(("value", "said"), [(0.0371, "0.037"), (0.664, "0.66"), (1.594, "1.59"), (12.34, "12.3")])
def test_two_digits_below_one_and_three_above(value: float, said: str) -> None:
    assert short(value) == said


def test_the_table_and_the_run_are_filled_in_and_nothing_else() -> None:
    results = measured(ROWS[0])
    expected = PAGE.replace("| an old row |\n", table(results))
    expected = expected.replace("2026-01-01 00:00 UTC on 64 cores", "2026-11-21 10:00 UTC on 2 cores")
    assert filled(PAGE, results) == expected
