"""Cursors only grow, know their scope, and are UUIDs."""

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.seeded_random import SeededRandom
from simulation.virtual_time import START_MS
from tests.support.builders import REQUESTS, RESPONSES, SetClock, cursor_at
from waypost_worker.errors import InvalidCursor
from waypost_worker.kv.cursor import (
    CursorFactory,
    EventId,
    cursor_ms,
    first_cursor,
    is_cursor,
    parse_event_id,
    scope_tag,
)


def issue_with_clock(*times_ms: int) -> list[str]:
    clock = SetClock()
    factory = CursorFactory(clock, SeededRandom())
    cursors = []
    for clock.ms in times_ms:
        cursors.append(factory.issue(REQUESTS))
    return cursors


def test_cursors_grow_as_strings_while_the_clock_stands_still():
    cursors = issue_with_clock(*[START_MS] * 300)
    assert cursors == sorted(set(cursors))


def test_cursors_grow_while_the_clock_steps_back():
    cursors = issue_with_clock(START_MS, START_MS - 60_000, START_MS - 1, START_MS - 3_600_000)
    assert cursors == sorted(set(cursors))
    assert {cursor_ms(cursor) for cursor in cursors} == {START_MS}


def test_a_counter_that_overflows_borrows_the_next_millisecond():
    cursors = issue_with_clock(*[START_MS] * 4098)
    assert cursors == sorted(set(cursors))
    assert [cursor_ms(cursor) - START_MS for cursor in cursors[4094:]] == [0, 0, 1, 1]


def test_a_clock_that_moves_on_restarts_the_count():
    first, second = issue_with_clock(START_MS, START_MS + 1)
    assert (first[15:18], second[15:18]) == ("000", "000")
    assert cursor_ms(second) == START_MS + 1


@given(st.lists(st.integers(-5000, 5000), min_size=2, max_size=40))
def test_cursors_grow_whatever_the_clock_does(steps: list[int]):
    now = START_MS
    cursors = issue_with_clock(*[now := now + step for step in steps])
    assert cursors == sorted(set(cursors))


def test_a_cursor_is_a_uuid_of_version_7_and_the_rfcs_variant():
    parsed = uuid.UUID(cursor_at(0))
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert str(parsed) == str(parsed).lower()


def test_a_cursor_says_in_which_millisecond_it_was_issued():
    assert cursor_ms(cursor_at(1.234)) == START_MS + 1234
    assert uuid.UUID(cursor_at(1.234)).int >> 80 == START_MS + 1234


def test_the_order_of_the_strings_is_the_order_of_the_numbers():
    cursors = [cursor_at(seconds) for seconds in (900, 0, 0.001, 65_536, 60)]
    assert sorted(cursors) == sorted(cursors, key=lambda cursor: uuid.UUID(cursor).int)


def test_two_cursors_of_one_moment_differ_between_isolates():
    ours, theirs = (CursorFactory(SetClock(), SeededRandom(seed)).issue(REQUESTS) for seed in (1, 2))
    assert ours != theirs


def test_a_cursor_belongs_to_one_session_and_one_queue():
    cursor = cursor_at(0, REQUESTS)
    assert is_cursor(cursor, REQUESTS)
    assert not is_cursor(cursor, RESPONSES)
    assert not is_cursor(cursor, "req:00000000")


def test_the_first_cursor_is_less_than_all_others_and_a_cursor_of_its_scope():
    assert first_cursor(REQUESTS) < cursor_at(-86_400 * 365 * 50)
    assert is_cursor(first_cursor(REQUESTS), REQUESTS)


def test_the_tag_of_a_scope_is_pinned():
    assert scope_tag("req:K7Q2M9XA") == 0x20FC027D


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda text: text.replace("-", ""),
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text[:14] + "4" + text[15:],
        lambda text: text[:19] + "c" + text[20:],
        lambda text: text[:-1],
        lambda text: text + "~",
        lambda text: "{" + text + "}",
    ],
)
def test_a_second_spelling_is_no_cursor(change):
    assert not is_cursor(change(cursor_at(0).replace("a", "b")[:-8] + cursor_at(0)[-8:]), REQUESTS)


def test_an_event_id_is_the_cursor_alone_when_nothing_came_out_of_order():
    cursor = cursor_at(0)
    assert str(EventId(cursor, cursor)) == cursor
    assert parse_event_id(cursor, REQUESTS) == EventId(cursor, cursor)


def test_an_event_id_of_a_late_message_names_it_and_the_position():
    late, position = cursor_at(0), cursor_at(5)
    assert str(EventId(late, position)) == f"{late}~{position}"
    assert parse_event_id(f"{late}~{position}", REQUESTS) == EventId(late, position)


OURS = cursor_at(0)
THEIRS, LATER = cursor_at(0, RESPONSES), cursor_at(1, RESPONSES)


@pytest.mark.parametrize(
    "text",
    ["", "~", "7", OURS + "~", "~" + OURS, THEIRS, f"{OURS}~{THEIRS}", f"{THEIRS}~{OURS}", f"{OURS}~{OURS}~{OURS}"],
)
def test_an_event_id_of_another_scope_or_form_is_refused(text: str):
    with pytest.raises(InvalidCursor):
        parse_event_id(text, REQUESTS)


@given(st.floats(0, 10**8), st.floats(0, 10**8))
def test_an_event_id_comes_back_as_it_was_sent(message: float, position: float):
    event_id = EventId(cursor_at(message), cursor_at(position))
    assert parse_event_id(str(event_id), REQUESTS) == event_id


def test_an_event_id_says_what_its_reader_goes_on_with_in_a_form_that_older_versions_take():
    event_id = EventId(LATER, LATER, since=THEIRS)
    text = str(event_id)
    assert parse_event_id(text, RESPONSES) == event_id
    # A producer's number, to them.
    assert re.fullmatch(r"[0-9a-f-]{36};[A-Za-z0-9._~-]{1,128}=[1-9][0-9]{0,15}", text)


def test_what_a_reader_goes_on_with_is_of_its_own_queue():
    assert parse_event_id(f"{LATER};since.{OURS}=1", RESPONSES).since == ""
