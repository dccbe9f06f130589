"""Times on the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost_worker.clock import seconds_until, to_iso


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (1_767_225_600_000, "2026-01-01T00:00:00.000Z"),
        (1_767_225_599_999, "2025-12-31T23:59:59.999Z"),
        (951_827_696_050, "2000-02-29T12:34:56.050Z"),
    ],
)
def test_times_are_iso_8601_in_utc_with_milliseconds(milliseconds: int, text: str):
    assert to_iso(milliseconds) == text


@given(st.integers(0, 4_000_000_000_000), st.integers(0, 4_000_000_000_000))
def test_the_order_of_the_texts_is_the_order_of_the_times(one: int, other: int):
    assert (to_iso(one) < to_iso(other)) == (one < other)


def test_what_is_due_is_waited_for_and_what_is_late_lets_others_go_on():
    assert [seconds_until(due, 5000) for due in (6500, 5001, 5000, 100)] == [1.5, 0.001, 0.001, 0.001]
