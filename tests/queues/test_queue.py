"""Queues: one message is one key, and what a message is called decides how it is found again."""

import msgspec
import pytest

from tests.support.builders import CODE, REQUESTS, RESPONSES, answer, cursor_at, request
from tests.support.queues import LARGE, Setting, all_of
from waypost_worker.errors import AlreadyAnswered, InvalidId
from waypost_worker.kv.keys import request_key, response_key
from waypost_worker.kv.store import KvError
from waypost_worker.limits import REORDER_WINDOW_SECONDS
from waypost_worker.queues.message import ErrorBody, Message
from waypost_worker.queues.queue import CANCELLED_ERROR


async def test_the_id_that_the_service_makes_is_the_cursor():
    at = Setting()
    queued = await at.queues.push_request(request(), None)
    assert queued.id == queued.cursor
    assert await at.keys() == [request_key(CODE, queued.cursor)]
    assert await all_of(at.queues, REQUESTS) == [queued]


async def test_an_issued_id_that_is_sent_again_never_replaces_the_request_that_is_stored():
    at = Setting()
    first = await at.queues.push_request(request(), None)
    at.clock.ms += 5000
    again = await at.queues.push_request(request(args={"n": 2}), first.id)
    assert first.id == again.id
    assert await all_of(at.queues, REQUESTS) == [first, again]


async def test_an_id_that_was_just_issued_is_the_cursor():
    at = Setting()
    id = at.queues._cursors.issue(REQUESTS)
    assert (await at.queues.push_request(request(), id, is_issued=True)).cursor == id


async def test_an_id_that_a_client_chose_stands_under_a_cursor_of_its_own_each_time():
    at = Setting()
    first = await at.queues.push_request(request(), "mine")
    again = await at.queues.push_request(request(), "mine")
    assert (first.id, again.id) == ("mine", "mine")
    assert first.cursor < again.cursor


async def test_a_cursor_of_another_session_is_an_ordinary_id():
    foreign = cursor_at(0, "req:00000000")
    queued = await Setting().queues.push_request(request(), foreign)
    assert queued.id == foreign != queued.cursor


@pytest.mark.parametrize("seconds", [-3600, 86_400, 10**9])
async def test_an_id_of_ours_from_another_time_is_refused(seconds: int):
    with pytest.raises(InvalidId):
        await Setting().queues.push_request(request(), cursor_at(seconds))


async def test_a_queue_is_read_in_the_order_of_time():
    at = Setting()
    pushed = []
    for number in range(5):
        at.clock.ms += 1
        pushed.append(await at.queues.push_request(request(args={"n": number}), f"id{9 - number}"))
    assert await all_of(at.queues, REQUESTS) == pushed


async def test_a_message_expires_after_its_time():
    at = Setting()
    await at.queues.push_request(request(), None)
    at.clock.ms += 3_600_000
    assert await all_of(at.queues, REQUESTS) == []


async def test_what_is_queued_is_hinted_only_after_the_store_has_taken_it():
    at = Setting()
    at.kv.fails = lambda *_: True
    with pytest.raises(KvError):
        await at.queues.push_request(request(), None)
    assert at.channel.since(REQUESTS, 0) == []


async def test_an_item_holds_a_small_message_whole_and_only_the_head_of_a_large_one():
    at = Setting()
    small = await at.queues.push_request(request(), None)
    large = await at.queues.push_response(answer("r", LARGE, final=True))
    assert at.channel.since(REQUESTS, 0) == [small]
    [head] = at.channel.since(RESPONSES, 0)
    assert (head.is_head, head.result, head.cursor) == (True, msgspec.UNSET, large.cursor)
    assert await at.queues.load_one(head) == large


async def test_two_copies_of_a_clients_id_are_removed_together():
    at = Setting()
    await at.queues.push_request(request(), "mine")
    await at.queues.push_request(request(), "mine")
    other = await at.queues.push_request(request(), "other")
    await at.queues.remove_request("mine")
    assert await all_of(at.queues, REQUESTS) == [other]


async def test_an_id_of_ours_is_removed_without_a_look():
    at = Setting()
    queued = await at.queues.push_request(request(), None)
    at.kv.asked.clear()
    await at.queues.remove_request(queued.id)
    assert at.kv.asked == [("delete", request_key(CODE, queued.cursor))]
    assert await at.keys() == []


@pytest.mark.parametrize("is_host", [True, False])
async def test_what_was_queued_here_just_now_is_acknowledged_without_a_look(is_host: bool):
    at = Setting()
    scope = REQUESTS if is_host else RESPONSES
    pushed = [
        await (at.queues.push_request(request(), None) if is_host else at.queues.push_response(answer("a", number)))
        for number in range(3)
    ]
    at.kv.asked.clear()
    # A listing may not show them yet: they would come again.
    at.kv.fails = lambda operation, _: operation == "list"
    assert await at.queues.acknowledge(scope, [message.cursor for message in pushed[:2]], at.clock.ms) == 2
    assert [operation for operation, _ in at.kv.asked] == ["delete", "delete"]
    at.kv.fails = lambda *_: False
    assert await all_of(at.queues, scope) == pushed[2:]


@pytest.mark.parametrize("is_host", [True, False])
async def test_for_what_may_be_older_the_queue_is_listed_once_and_what_is_not_there_costs_no_delete(is_host: bool):
    at = Setting()
    scope = REQUESTS if is_host else RESPONSES
    pushed = [
        await (at.queues.push_request(request(), None) if is_host else at.queues.push_response(answer("a", number)))
        for number in range(3)
    ]
    at.clock.ms += REORDER_WINDOW_SECONDS * 1000
    at.kv.asked.clear()
    made_up = [cursor_at(number, scope) for number in range(98)]
    cursors = [pushed[0].cursor, *made_up, pushed[1].cursor]
    assert await at.queues.acknowledge(scope, cursors, at.clock.ms) == 2
    assert [operation for operation, _ in at.kv.asked] == ["list", "delete", "delete"]
    assert await all_of(at.queues, scope) == pushed[2:]
    assert await at.queues.acknowledge(scope, cursors, at.clock.ms) == 0


async def test_an_answer_is_found_by_its_request_and_progress_is_none():
    at = Setting()
    await at.queues.push_response(answer("r", 50, final=False))
    assert await at.queues.find_final_response("r") is None
    final = await at.queues.push_response(answer("r", 100))
    assert await at.queues.find_final_response("r") == final
    assert await at.queues.find_final_response("r2") is None


async def test_the_first_of_two_final_answers_counts():
    at = Setting()
    first = await at.queues.push_response(answer("r", 1))
    await at.queues.push_response(answer("r", 2))
    assert await at.queues.find_final_response("r") == first


async def test_an_answer_behind_more_progress_than_a_page_holds_is_found():
    at = Setting()
    for number in range(1001):
        await at.queues.push_response(answer("r", number, final=False))
    final = await at.queues.push_response(answer("r", LARGE))
    assert await at.queues.find_final_response("r") == final


async def test_a_large_answer_whose_value_is_not_visible_yet_is_not_there_yet():
    at = Setting()
    final = await at.queues.push_response(answer("r", LARGE))
    key = response_key(CODE, "r", final.cursor)
    [listed] = (await at.kv.list(key)).keys
    await at.kv.put(key, "", ttl_seconds=60, metadata=listed.metadata)
    assert await at.queues.find_final_response("r") is None


async def test_a_cancelled_request_is_gone_told_to_the_host_and_answered():
    at = Setting()
    await at.queues.push_request(request(), "mine")
    answered = await at.queues.cancel("mine")
    [notice] = await all_of(at.queues, REQUESTS)
    assert (notice.kind, notice.id) == ("cancel", "mine")
    assert await at.queues.find_final_response("mine") == answered
    assert (answered.error, answered.final) == (CANCELLED_ERROR, True)


async def test_cancelling_twice_is_cancelling_once():
    at = Setting()
    first = await at.queues.cancel("mine")
    before = await at.keys()
    assert await at.queues.cancel("mine") == first
    assert await at.keys() == before


@pytest.mark.parametrize("reply", [answer("mine", 1), answer("mine", error=ErrorBody("cancelled", "by the host"))])
async def test_what_has_its_final_answer_can_not_be_cancelled(reply: Message):
    at = Setting()
    await at.queues.push_response(reply)
    with pytest.raises(AlreadyAnswered):
        await at.queues.cancel("mine")


async def test_the_answer_to_a_cancelled_request_removes_the_notice():
    at = Setting()
    await at.queues.cancel("mine")
    await at.queues.remove_request("mine")
    assert await all_of(at.queues, REQUESTS) == []


async def test_a_queue_that_failed_half_way_can_be_emptied_by_trying_again():
    at = Setting()
    pushed = [await at.queues.push_request(request(), None) for _ in range(3)]
    cursors = [message.cursor for message in pushed]
    at.kv.fails = lambda operation, key: key.endswith(cursors[1])
    with pytest.raises(KvError):
        await at.queues.acknowledge(REQUESTS, cursors, at.clock.ms)
    at.kv.fails = lambda *_: False
    assert await at.queues.acknowledge(REQUESTS, cursors, at.clock.ms) == 3
    assert await at.keys() == []


@pytest.mark.parametrize("size", [10, 2000])
async def test_every_message_says_how_old_its_isolate_was(size: int):
    at = Setting()
    at.clock.ms += 90_999
    await at.queues.push_request(request(args={"text": "x" * size}), "r")
    await at.queues.push_response(answer("r", "x" * size))
    await at.queues.push_request(request(), "other")
    await at.queues.cancel("other")
    stored = await all_of(at.queues, REQUESTS) + await all_of(at.queues, RESPONSES)
    assert {message.kind for message in stored} == {"request", "response", "cancel"}
    assert [message.age for message in stored] == [90] * len(stored)
