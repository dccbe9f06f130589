"""Times of imports: exported ones come back as they were, those of other programs are read, and that is counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost_worker.clock import to_iso
from waypost_worker.conversations.import_times import LEAST_MILLISECONDS, TimesReadAs
from waypost_worker.errors import InvalidBody

START = "2026-01-01T00:00:00.000Z"


def read(time: str | float) -> str:
    return to_iso(TimesReadAs().milliseconds(time))


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_a_time_that_is_shown_is_read_as_the_same(milliseconds: int):
    times = TimesReadAs()
    assert times.milliseconds(to_iso(milliseconds)) == milliseconds
    assert times == TimesReadAs()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-01-01T01:00:00+01:00", START),
        ("2025-12-31T23:59:59.9999Z", "2025-12-31T23:59:59.999Z"),
        ("2026-01-01 00:00Z", START),
        ("0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_times_of_others_are_read_too(text: str, shown: str):
    assert read(text) == shown


@pytest.mark.parametrize("text", ["2026-01-01T00:00:00", "2026-01-01", "2026-01-01T00:00:00.000000"])
def test_a_time_without_an_offset_is_utc_and_counted(text: str):
    times = TimesReadAs()
    assert to_iso(times.milliseconds(text)) == START
    assert times == TimesReadAs(utc=1)


@pytest.mark.parametrize("number", [1767225600, 1767225600.0, 1767225599.9999])
def test_a_number_of_this_century_is_seconds(number: float):
    times = TimesReadAs()
    assert to_iso(times.milliseconds(number)) == START
    assert times == TimesReadAs(unix_seconds=1)


@pytest.mark.parametrize("number", [1767225600000, 1767225600000.2])
def test_a_number_a_thousand_times_as_large_is_milliseconds(number: float):
    times = TimesReadAs()
    assert to_iso(times.milliseconds(number)) == START
    assert times == TimesReadAs(unix_milliseconds=1)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.000Z"),
        (LEAST_MILLISECONDS - 1, "5138-11-16T09:46:39.000Z"),
        (LEAST_MILLISECONDS, "1973-03-03T09:46:40.000Z"),
        (-LEAST_MILLISECONDS, "1966-10-31T14:13:20.000Z"),
    ],
)
def test_the_size_of_a_number_tells_seconds_from_milliseconds(number: int, shown: str):
    assert read(number) == shown


@pytest.mark.parametrize(
    "time",
    [
        "",
        "today",
        "2026-02-30T00:00:00Z",
        "1767225600000",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "10000-01-01T00:00:00Z",
        10**15,
        1e300,
    ],
)
def test_what_is_no_time_is_refused(time: str | float):
    with pytest.raises(InvalidBody):
        read(time)
