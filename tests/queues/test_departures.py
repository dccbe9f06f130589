"""Streams leave an isolate for a younger one, each once, and not more than once a minute."""

import pytest

from tests.support.builders import OTHER_CODE, REQUESTS, RESPONSES
from waypost_worker.kv.keys import requests_scope
from waypost_worker.queues.departures import MEMORY_SECONDS, PAUSE_SECONDS, YOUNGER_SECONDS, Departures

BORN = 1_000_000
HOUR = 3_600_000
YOUNGER = BORN + HOUR
NOW = YOUNGER + 60_000
PAUSE = PAUSE_SECONDS * 1000


def test_a_stream_leaves_for_a_younger_isolate():
    assert Departures(BORN).leaves(REQUESTS, BORN, YOUNGER, NOW)


@pytest.mark.parametrize("born", [0, BORN - HOUR, BORN, BORN + YOUNGER_SECONDS * 1000])
def test_a_stream_stays_for_an_older_isolate_one_of_its_age_and_one_that_does_not_say(born: int):
    assert not Departures(BORN).leaves(REQUESTS, BORN, born, NOW)


def test_of_two_isolates_at_most_one_is_left_for_the_other():
    births = [BORN, BORN + 1, BORN + YOUNGER_SECONDS * 1000, BORN + YOUNGER_SECONDS * 1000 + 1, YOUNGER]
    for one in births:
        for other in births:
            assert not (
                Departures(one).leaves(REQUESTS, 0, other, NOW) and Departures(other).leaves(REQUESTS, 0, one, NOW)
            )


def test_every_stream_that_was_open_at_the_departure_follows_it():
    departures = Departures(BORN)
    assert departures.leaves(RESPONSES, NOW - 9000, YOUNGER, NOW)
    assert departures.leaves(RESPONSES, NOW - 5000, YOUNGER, NOW + 1000)
    assert departures.leaves(RESPONSES, NOW, YOUNGER, NOW + 2000)


def test_a_stream_that_came_back_after_its_departure_does_not_follow_the_late_ones():
    departures = Departures(BORN)
    assert departures.leaves(RESPONSES, NOW - 9000, YOUNGER, NOW)
    back_ms = NOW + 500
    assert departures.leaves(RESPONSES, NOW - 5000, YOUNGER + HOUR, NOW + 1000)
    assert not departures.leaves(RESPONSES, back_ms, YOUNGER, NOW + 2000)
    assert not departures.leaves(RESPONSES, back_ms, YOUNGER + HOUR, NOW + 2 * PAUSE)


def test_a_stream_that_came_back_does_not_leave_for_the_same_isolate_again():
    departures = Departures(BORN)
    assert departures.leaves(REQUESTS, BORN, YOUNGER, NOW)
    for seconds in range(1, MEMORY_SECONDS, 7):
        # An age is stated in whole seconds.
        assert not departures.leaves(REQUESTS, NOW + 500, YOUNGER + 999, NOW + seconds * 1000)


def test_a_stream_that_came_back_leaves_for_a_still_younger_isolate_after_a_minute():
    departures = Departures(BORN)
    assert departures.leaves(REQUESTS, BORN, YOUNGER, NOW)
    assert not departures.leaves(REQUESTS, NOW + 500, YOUNGER + HOUR, NOW + PAUSE - 1)
    assert departures.leaves(REQUESTS, NOW + 500, YOUNGER + HOUR, NOW + PAUSE)
    assert not departures.leaves(REQUESTS, NOW + PAUSE + 500, YOUNGER + 2 * HOUR, NOW + 2 * PAUSE - 1)


def test_the_queues_of_sessions_are_left_independently():
    departures = Departures(BORN)
    for scope in (REQUESTS, RESPONSES, requests_scope(OTHER_CODE)):
        assert departures.leaves(scope, BORN, YOUNGER, NOW)


def test_what_the_isolate_was_left_for_is_forgotten_after_two_lives_of_a_stream():
    departures = Departures(BORN)
    assert departures.leaves(REQUESTS, BORN, YOUNGER, NOW)
    assert departures.leaves(REQUESTS, NOW + 500, YOUNGER, NOW + MEMORY_SECONDS * 1000)
