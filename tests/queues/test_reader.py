"""What a reader is sent: each message once, in order, flagged when it may have had it before."""

import json

import msgspec

from simulation.virtual_time import START_MS
from tests.support.builders import REQUESTS, RESPONSES, answer_at, cursor_at, request_at, skip_at
from waypost_worker.kv.cursor import EventId, first_cursor
from waypost_worker.limits import REORDER_WINDOW_SECONDS
from waypost_worker.queues.message import Message
from waypost_worker.queues.reader import FORGET_MS, GuestReader, HostReader, Reader, expired_gap
from waypost_worker.sse import Event

LONG = FORGET_MS + 1


def host(after: str | None = None) -> HostReader:
    return HostReader(REQUESTS, EventId(after, after) if after else None)


def guest(after: str | None = None) -> GuestReader:
    return GuestReader(RESPONSES, EventId(after, after) if after else None)


def deliver(reader: Reader, *messages: Message, at_ms: int = 0) -> list[Event]:
    """As a feed does: what is wanted is delivered."""
    return reader.deliver([message for message in messages if reader.wants(message)], START_MS + at_ms)


def ids(events: list[Event]) -> list[str]:
    return [json.loads(event.data)["id"] for event in events]


def test_each_message_is_sent_once():
    for reader, message in ((host(), request_at(1)), (guest(), answer_at(1))):
        assert ids(deliver(reader, message)) == ["r"]
        assert deliver(reader, message) == []


def test_an_event_has_the_name_the_id_and_the_data_of_its_message():
    message = request_at(1)
    [event] = deliver(host(), message)
    assert (event.name, event.id, event.is_replay) == ("request", message.cursor, False)
    assert json.loads(event.data)["cursor"] == message.cursor


def test_a_reader_that_starts_stands_before_everything():
    assert host().position == host().cursor == first_cursor(REQUESTS)
    assert host().resumed_after_ms is None


def test_a_late_message_is_sent_with_the_position_as_its_id():
    reader, late, early = host(), request_at(1, "late"), request_at(2, "early")
    deliver(reader, early)
    [event] = deliver(reader, late)
    assert event.id == f"{late.cursor}~{early.cursor}"
    assert reader.position == reader.cursor == early.cursor
    assert event.is_replay is False


def test_coming_back_with_a_late_messages_id_repeats_nothing_unflagged():
    late, early = request_at(1, "late"), request_at(2, "early")
    reader = HostReader(REQUESTS, EventId(late.cursor, early.cursor))
    assert [event.is_replay for event in deliver(reader, late, early)] == [True, True]


def test_a_host_that_comes_back_gets_everything_unacknowledged_and_the_old_flagged():
    old, known, new = request_at(-3000, "old"), request_at(1, "known"), request_at(2, "new")
    events = deliver(host(after=known.cursor), old, known, new)
    assert ids(events) == ["old", "known", "new"]
    assert [event.is_replay for event in events] == [True, True, False]
    assert ["replay" in json.loads(event.data) for event in events] == [True, True, False]


def test_a_host_that_comes_back_with_the_first_cursor_has_had_nothing():
    [event] = deliver(host(after=first_cursor(REQUESTS)), request_at(1))
    assert event.is_replay is False


def test_two_copies_of_a_request_are_delivered_once():
    reader = host()
    assert ids(deliver(reader, request_at(1), request_at(2))) == ["r"]
    assert deliver(reader, request_at(3)) == []


def test_a_cancel_is_delivered_beside_the_request_it_cancels():
    notice = Message("cancel", "r", cursor=cursor_at(2))
    assert [event.name for event in deliver(host(), request_at(1), notice)] == ["request", "cancel"]


def test_a_duplicate_is_settled_only_when_the_first_copy_is_gone_from_the_listing():
    reader, first, second = host(), request_at(1), request_at(2)
    deliver(reader, first, second)
    assert list(reader.settled_duplicates({first.cursor, second.cursor}, START_MS)) == []
    reader.forget({first.cursor, second.cursor}, START_MS)
    assert list(reader.settled_duplicates({second.cursor}, START_MS)) == [second.cursor]
    assert list(reader.settled_duplicates({second.cursor}, START_MS)) == []


def test_a_duplicate_that_is_seen_later_is_settled_too():
    reader, first, second = host(), request_at(1), request_at(2)
    deliver(reader, first)
    reader.forget({first.cursor}, START_MS)
    deliver(reader, second)
    assert list(reader.settled_duplicates({second.cursor}, START_MS)) == [second.cursor]


def test_a_duplicate_of_a_copy_that_was_never_listed_is_kept_because_that_one_may_not_be_stored():
    reader, first, second = host(), request_at(1), request_at(2)
    deliver(reader, first, second)
    reader.forget({second.cursor}, START_MS, {first.cursor})
    assert list(reader.settled_duplicates({second.cursor}, START_MS)) == []


def test_a_duplicate_of_a_copy_that_only_expired_is_kept():
    reader, first, second = host(), request_at(1), request_at(2)
    deliver(reader, first, second)
    reader.forget({first.cursor, second.cursor}, START_MS)
    assert list(reader.settled_duplicates({second.cursor}, START_MS + 1001)) == []


def test_a_duplicate_that_is_older_than_the_first_copy_is_kept_as_another_reader_may_have_removed_that_one():
    reader, older, first = host(), request_at(1), request_at(2)
    deliver(reader, first, older)
    reader.forget({older.cursor, first.cursor}, START_MS)
    assert list(reader.settled_duplicates({older.cursor}, START_MS)) == []


def test_duplicates_are_left_over_once_no_listing_has_shown_the_first_copy_for_the_reorder_window():
    reader, older, first, newer = host(), request_at(1), request_at(2), request_at(3)
    deliver(reader, first, older, newer)
    listed, window_ms = {older.cursor, newer.cursor}, REORDER_WINDOW_SECONDS * 1000
    assert reader.left_over(listed, START_MS + window_ms) == {}
    assert reader.left_over(listed, START_MS + window_ms + 1) == {older.cursor: "r", newer.cursor: "r"}
    assert reader.left_over({newer.cursor}, START_MS + window_ms + 1) == {newer.cursor: "r"}
    reader.forget_duplicate(newer.cursor)
    assert reader.left_over({newer.cursor}, START_MS + window_ms + 1) == {}


def test_a_duplicate_is_not_sent_when_its_first_copy_is_forgotten_as_that_may_still_be_running():
    reader, first, second = host(), request_at(1), request_at(2)
    deliver(reader, first)
    assert not reader.wants(second)
    reader.forget({second.cursor}, START_MS + LONG)
    assert not reader.wants(second)


def test_what_a_stale_listing_can_bring_back_is_remembered():
    for reader, message in ((host(), request_at(1)), (guest(), answer_at(1))):
        deliver(reader, message)
        reader.forget(set(), START_MS + FORGET_MS)
        assert not reader.wants(message)


def test_what_no_listing_has_shown_for_long_is_forgotten():
    reader, message = host(), request_at(1)
    deliver(reader, message)
    reader.forget(set(), START_MS + LONG)
    assert reader.wants(message)
    assert ids(deliver(reader, request_at(2))) == ["r"]


def test_what_a_listing_still_shows_is_not_forgotten():
    reader, message = host(), request_at(1)
    deliver(reader, message)
    reader.forget({message.cursor}, START_MS + LONG)
    reader.forget(set(), START_MS + LONG + FORGET_MS)
    assert not reader.wants(message)


def test_a_request_that_is_still_listed_keeps_its_duplicates_away():
    reader, first = host(), request_at(1)
    deliver(reader, first)
    reader.forget({first.cursor}, START_MS + LONG)
    assert deliver(reader, request_at(2)) == []


def test_numbered_requests_are_delivered_in_order_and_a_gap_is_an_event():
    reader = host()
    events = deliver(reader, request_at(1, "p1", "p", 1), request_at(2, "p3", "p", 3))
    assert ids(events) == ["p1"]
    gap, late = reader.deliver([], START_MS + 2000 + REORDER_WINDOW_SECONDS * 1000 + 1)
    assert (gap.name, gap.id) == ("gap", None)
    assert json.loads(gap.data) == {
        "reason": "missing",
        "after": json.loads(events[0].data)["cursor"],
        "producer": "p",
        "seq": 2,
        "before": 3,
    }
    assert ids([late]) == ["p3"]


def test_an_events_id_tells_where_the_producers_stand():
    reader = host()
    first, second = deliver(reader, request_at(1, "p1", "p", 1), request_at(2, "p2", "p", 2))
    assert (first.id or "").endswith(";p=2")
    assert (second.id or "").endswith(";p=3")
    assert reader.cursor == second.id


def test_a_host_that_comes_back_with_numbers_goes_on_from_them():
    position = cursor_at(1)
    reader = HostReader(REQUESTS, EventId(position, position, {"p": 7}))
    assert ids(deliver(reader, request_at(2, "p7", "p", 7))) == ["p7"]


def test_what_is_held_back_is_not_taken_twice():
    reader, second = host(), request_at(2, "p2", "p", 2)
    assert deliver(reader, second) == []
    assert not reader.wants(second)


def test_a_skip_is_never_shown():
    unnumbered = Message("skip", "s", cursor=cursor_at(1))
    assert ids(deliver(host(), unnumbered, skip_at(1, "p", 1), request_at(2, "p2", "p", 2))) == ["p2"]


def test_answers_are_delivered_in_the_order_of_time_though_they_are_listed_by_request():
    assert ids(deliver(guest(), answer_at(2, "a"), answer_at(1, "b"))) == ["b", "a"]


def test_only_the_first_final_answer_is_delivered():
    reader = guest()
    later, first = answer_at(2, result="later"), answer_at(1, result="first")
    events = deliver(reader, later, first)
    assert [json.loads(event.data)["result"] for event in events] == ["first"]
    assert deliver(reader, answer_at(3)) == []


def test_progress_is_delivered_as_it_comes():
    events = deliver(guest(), answer_at(1, final=False), answer_at(2, final=False), answer_at(3))
    assert [json.loads(event.data)["final"] for event in events] == [False, False, True]


def test_a_guest_that_comes_back_gets_the_reorder_window_flagged_and_nothing_older():
    known = answer_at(1000, "known")
    too_old = answer_at(1000 - REORDER_WINDOW_SECONDS - 0.001, "old")
    in_window = answer_at(1000 - REORDER_WINDOW_SECONDS, "window")
    new = answer_at(1001, "new")
    events = deliver(guest(after=known.cursor), too_old, in_window, known, new)
    assert ids(events) == ["window", "known", "new"]
    assert [event.is_replay for event in events] == [True, True, False]


def test_a_guest_that_starts_gets_everything_that_is_kept():
    assert ids(deliver(guest(), answer_at(-3000, "old"))) == ["old"]


def test_a_gap_of_what_has_expired_says_where_the_reader_stood():
    event = expired_gap("c1")
    assert (event.name, event.id, json.loads(event.data)) == ("gap", None, {"reason": "expired", "after": "c1"})


def test_a_large_message_is_wanted_by_its_head():
    reader, message = host(), request_at(1)
    head = msgspec.structs.replace(message, args=msgspec.UNSET, size=2000)
    deliver(reader, message)
    assert not reader.wants(head)


def test_a_guest_that_goes_on_where_there_was_no_room_gets_all_from_there_and_its_ids_say_so_until_it_had_them():
    since, position, later = cursor_at(0, RESPONSES), cursor_at(500, RESPONSES), cursor_at(501, RESPONSES)
    reader = GuestReader(RESPONSES, EventId(position, position, since=since))
    assert reader.wants(msgspec.structs.replace(answer_at(0), cursor=since))
    [event] = reader.deliver([msgspec.structs.replace(answer_at(501), cursor=later)], START_MS)
    assert event.id == f"{later};since.{since}=1"
    reader.looked(START_MS)
    [event] = deliver(reader, answer_at(502, "next"))
    assert event.id is not None
    assert "since" not in event.id


def test_a_guest_without_such_a_cursor_gets_what_is_in_the_window_before_its_position():
    reader = guest(cursor_at(500, RESPONSES))
    assert not reader.wants(answer_at(499 - REORDER_WINDOW_SECONDS))
    assert reader.wants(answer_at(501 - REORDER_WINDOW_SECONDS))


def test_a_guest_is_behind_if_the_store_was_not_looked_at_for_as_long_as_the_window():
    reader = guest(cursor_at(0, RESPONSES))
    after_ms = START_MS + REORDER_WINDOW_SECONDS * 1000
    assert (reader.is_behind(after_ms), reader.is_behind(after_ms + 1)) == (False, True)
    reader.looked(after_ms)
    assert not reader.is_behind(after_ms + 1)
    assert not host(cursor_at(0)).is_behind(after_ms + 1)


def test_a_host_knows_whether_something_is_held_back():
    reader = host()
    reader.hold(START_MS + 1000)
    assert not reader.is_holding
    assert deliver(reader, request_at(0)) == []
    assert reader.is_holding
    reader.hold(0)
    assert not reader.is_holding
