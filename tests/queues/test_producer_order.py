"""Order per producer: 1, 2, 3 …, whatever the order they come in, until waiting makes no sense any more."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from simulation.virtual_time import START_MS
from tests.support.builders import request_at, skip_at
from waypost_worker.limits import MAX_TRACKED_PRODUCERS, REORDER_WINDOW_SECONDS
from waypost_worker.queues.message import Message
from waypost_worker.queues.producer_order import MissingNumbers, ProducerOrder

Released = list[int | tuple[int, int]]


def numbered(seq: int, at: float = 0, producer: str = "p", settled: int = 0) -> Message:
    return msgspec.structs.replace(request_at(at, f"{producer}{seq}", producer, seq), settled=settled)


def release(order: ProducerOrder, at: float = 0) -> Released:
    return [
        (item.first, item.before) if isinstance(item, MissingNumbers) else item.number
        for item in order.release(START_MS + round(at * 1000))
    ]


def offered(*messages: Message, at: float = 0, next_numbers: dict[str, int] | None = None) -> Released:
    order = ProducerOrder(next_numbers or {})
    for message in messages:
        order.hold(message)
    return release(order, at)


def test_what_comes_in_order_goes_at_once():
    assert offered(numbered(1), numbered(2), numbered(3)) == [1, 2, 3]


def test_what_comes_in_any_order_goes_in_order():
    assert offered(numbered(3), numbered(1), numbered(2)) == [1, 2, 3]


def test_a_missing_number_holds_back_what_follows():
    order = ProducerOrder({})
    for seq in (1, 3, 4):
        order.hold(numbered(seq))
    assert release(order) == [1]
    order.hold(numbered(2))
    assert release(order) == [2, 3, 4]


def test_a_missing_first_number_holds_back_the_second():
    assert offered(numbered(2)) == []


def test_a_gap_is_reported_once_the_window_has_passed_and_not_before():
    order = ProducerOrder({})
    for seq in (1, 4, 5):
        order.hold(numbered(seq))
    assert release(order) == [1]
    assert release(order, REORDER_WINDOW_SECONDS) == []
    assert release(order, REORDER_WINDOW_SECONDS + 0.001) == [(2, 4), 4, 5]
    assert release(order, REORDER_WINDOW_SECONDS + 0.001) == []


def test_the_window_counts_from_the_message_behind_the_hole():
    assert offered(numbered(1), numbered(3, at=100), at=REORDER_WINDOW_SECONDS + 50) == [1]


def test_each_hole_is_waited_for_by_itself():
    messages = numbered(1), numbered(3), numbered(5, at=60)
    assert offered(*messages, at=REORDER_WINDOW_SECONDS + 1) == [1, (2, 3), 3]


def test_a_skipped_number_is_passed_in_silence():
    assert offered(numbered(1), skip_at(0, "p", 2), numbered(3)) == [1, 3]


def test_a_late_number_goes_at_once():
    order = ProducerOrder({})
    order.hold(numbered(2))
    assert release(order, 1000) == [(1, 2), 2]
    order.hold(numbered(1))
    assert release(order, 1000) == [1]
    order.hold(numbered(3))
    assert release(order, 1000) == [3]


def test_two_messages_with_one_number_are_both_handed_on():
    assert offered(numbered(1), numbered(1), numbered(2)) == [1, 1, 2]


def test_producers_do_not_wait_for_each_other():
    assert offered(numbered(2, producer="slow"), numbered(1, producer="fast")) == [1]


def test_a_reader_that_comes_back_goes_on_where_its_producers_stood():
    assert offered(numbered(7), numbered(8), next_numbers={"p": 7}) == [7, 8]
    assert offered(numbered(8), next_numbers={"p": 7}) == []


def test_what_its_producer_calls_settled_is_not_waited_for():
    assert offered(numbered(7, settled=6)) == [7]
    assert offered(numbered(7, settled=5)) == []


def test_a_settled_number_below_where_the_producer_stands_changes_nothing():
    assert offered(numbered(9, settled=3), next_numbers={"p": 8}) == []


def test_where_producers_stand_is_known_for_the_most_recent_of_them():
    order = ProducerOrder({})
    names = [f"p{number}" for number in range(MAX_TRACKED_PRODUCERS + 2)]
    for name in [*names, "p0"]:
        order.hold(numbered(1, producer=name))
    release(order)
    assert order.next_numbers == dict.fromkeys([*names[3:], "p0"], 2)


@given(st.permutations(range(1, 9)), st.data())
def test_every_number_is_released_once_in_order_however_the_offers_are_cut(numbers: list[int], data: st.DataObject):
    order = ProducerOrder({})
    released: Released = []
    for number in numbers:
        order.hold(numbered(number))
        if data.draw(st.booleans()):
            released += release(order)
    assert released + release(order) == sorted(numbers)


def test_a_number_that_another_host_seems_to_have_answered_is_a_gap_at_once_and_released_if_it_comes_after_all():
    order = ProducerOrder({})
    for seq in (3, 5):
        order.hold(numbered(seq))
    order.give_up(numbered(1))
    assert release(order) == []
    order.give_up(numbered(2))
    assert release(order) == [(1, 3), 3]
    order.hold(numbered(2))
    assert release(order) == [2]
    order.give_up(numbered(4))
    assert release(order) == [(4, 5), 5]
