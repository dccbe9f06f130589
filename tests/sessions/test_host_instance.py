"""Which of two hosts of one session is the newer one."""

import pytest

from simulation.virtual_time import START_MS
from waypost_worker.errors import InvalidParameter
from waypost_worker.limits import MAX_CLOCK_SKEW_SECONDS, MAX_INSTANCE_ID_LENGTH
from waypost_worker.sessions.host_instance import HostInstance, parse_instance

FIRST = HostInstance("first-page", START_MS)


def test_an_id_alone_is_an_instance_that_connects_for_the_first_time():
    assert parse_instance("first-page", START_MS) == (FIRST, False)


def test_an_instance_returns_with_what_it_was_given_and_keeps_its_age():
    assert parse_instance(str(FIRST), START_MS + 3_600_000) == (FIRST, True)


@pytest.mark.parametrize(
    "text",
    ["", "1234567", "x" * (MAX_INSTANCE_ID_LENGTH + 1), "first page", "first-pagé", "first-page.", "first-page.0"]
    + ["first-page.-1", "first-page.1.1", "first-page\n", "first:page", f"first-page.{10**15}"],
)
def test_what_is_no_instance_is_refused(text: str):
    with pytest.raises(InvalidParameter):
        parse_instance(text, START_MS)


def test_a_time_that_is_still_to_come_is_refused_since_it_would_win_over_every_other():
    edge = START_MS + MAX_CLOCK_SKEW_SECONDS * 1000
    assert parse_instance(f"first-page.{edge}", START_MS)[0].since_ms == edge
    with pytest.raises(InvalidParameter):
        parse_instance(f"first-page.{edge + 1}", START_MS)


def test_the_newer_instance_supersedes_the_older_and_never_itself():
    second = HostInstance("a-second-page", START_MS + 1)
    assert second.supersedes(FIRST)
    assert not FIRST.supersedes(second)
    assert not HostInstance("first-page", START_MS + 1).supersedes(FIRST)


def test_of_two_that_come_in_the_same_millisecond_one_wins():
    other = HostInstance("other-page", START_MS)
    assert other.supersedes(FIRST) != FIRST.supersedes(other)
