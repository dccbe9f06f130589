"""The channel of messages: what is published ahead of its write, and what is known of it until that is over."""

import asyncio
from typing import Any

import msgspec
import pytest

from simulation.virtual_time import VirtualClock
from tests.support.builders import REQUESTS, RESPONSES, SetClock, answer_at, cursor_at, request_at
from waypost_worker.errors import StorageUnavailable
from waypost_worker.limits import MAX_UNWRITTEN_BYTES, MAX_UNWRITTEN_MESSAGES
from waypost_worker.queues.message import Message
from waypost_worker.queues.message_channel import WRITING_SECONDS, MessageChannel, Sent


def ahead(channel: MessageChannel, message: Message, size: int = 100) -> bool:
    scope = RESPONSES if message.kind == "response" else REQUESTS
    return channel.publish_ahead(scope, message, 10, message, size)


def test_a_message_is_published_ahead_and_known_until_its_write_is_over():
    channel, message = MessageChannel(SetClock()), request_at(1)
    assert ahead(channel, message)
    assert channel.since(REQUESTS, 0) == channel.unwritten_in(REQUESTS) == [message]
    assert channel.unwritten_in(RESPONSES) == []
    assert channel.unwritten(message.cursor) == message
    channel.wrote(message, is_stored=True)
    assert (channel.unwritten_in(REQUESTS), channel.unwritten(message.cursor)) == ([], None)
    assert channel.since(REQUESTS, 0) == [message]


def test_a_response_that_was_not_stored_leaves_the_channel_and_a_request_stays():
    channel = MessageChannel(SetClock())
    kept, gone, asked = answer_at(1, "a"), answer_at(2, "b"), request_at(3)
    for message in (kept, gone, asked):
        ahead(channel, message)
    channel.wrote(kept, is_stored=True)
    channel.wrote(gone, is_stored=False)
    channel.wrote(asked, is_stored=False)
    assert (channel.since(RESPONSES, 0), channel.since(REQUESTS, 0)) == ([kept], [asked])


def test_what_is_over_twice_is_over_once():
    channel, message = MessageChannel(SetClock()), answer_at(1)
    ahead(channel, message)
    channel.wrote(message, is_stored=True)
    channel.wrote(message, is_stored=False)
    assert channel.since(RESPONSES, 0) == [message]


def test_a_write_whose_invocation_is_gone_counts_as_failed():
    clock = SetClock()
    channel, old, new = MessageChannel(clock), answer_at(1, "old"), answer_at(2, "new")
    ahead(channel, old)
    clock.ms += 1000
    ahead(channel, new)
    clock.ms += WRITING_SECONDS * 1000 - 1000
    assert channel.unwritten_in(RESPONSES) == channel.since(RESPONSES, 0) == [new]


def test_so_many_messages_are_written_behind_and_no_more():
    channel = MessageChannel(SetClock())
    messages = [request_at(number / 1000) for number in range(MAX_UNWRITTEN_MESSAGES + 1)]
    assert [ahead(channel, message) for message in messages] == [True] * MAX_UNWRITTEN_MESSAGES + [False]
    assert len(channel.unwritten_in(REQUESTS)) == MAX_UNWRITTEN_MESSAGES


def test_so_many_bytes_are_written_behind_and_no_more():
    channel, size = MessageChannel(SetClock()), MAX_UNWRITTEN_BYTES // 2
    messages = [request_at(number) for number in range(3)]
    assert [ahead(channel, message, size) for message in messages] == [True, True, False]
    assert channel.since(REQUESTS, 0) == messages[:2]
    channel.wrote(messages[0], is_stored=True)
    assert ahead(channel, messages[2], size)


async def test_a_removal_waits_for_the_writes_that_concern_it_and_for_no_others():
    channel, mine, other = MessageChannel(VirtualClock()), request_at(1, "mine"), request_at(2, "other")
    ahead(channel, mine)
    ahead(channel, other)
    waiting = asyncio.ensure_future(channel.written(lambda message: message.id == "mine"))
    await asyncio.sleep(1)
    channel.wrote(other, is_stored=True)
    await asyncio.sleep(1)
    assert not waiting.done()
    channel.wrote(mine, is_stored=False)
    await waiting
    assert round(asyncio.get_running_loop().time()) == 2


async def test_a_removal_waits_no_longer_than_a_write_may_take():
    channel = MessageChannel(VirtualClock())
    ahead(channel, request_at(1))
    await channel.written(lambda message: True)
    assert WRITING_SECONDS <= asyncio.get_running_loop().time() < WRITING_SECONDS + 1


async def test_nothing_waits_where_nothing_is_written():
    await MessageChannel(SetClock()).written(lambda message: True)


async def test_the_loops_that_wait_for_writes_are_forgotten_when_they_go():
    channel, message = MessageChannel(VirtualClock()), request_at(1)
    ahead(channel, message)
    waiting = [asyncio.ensure_future(channel.written(lambda message: True)) for _ in range(3)]
    await asyncio.sleep(1)
    assert len(channel._writes_over) == 3
    waiting[0].cancel()
    channel.wrote(message, is_stored=True)
    await asyncio.gather(*waiting, return_exceptions=True)
    assert len(channel._writes_over) == 0


@pytest.mark.parametrize(("age_ms", "seconds"), [(0, [1.1]), (1000, [0.1]), (1100, []), (5000, [])])
async def test_a_key_rests_for_a_second_after_its_write(age_ms: int, seconds: list[float]):
    clock = SetClock()
    message = request_at(0)
    clock.ms += age_ms
    await MessageChannel(clock).rest([msgspec.structs.replace(message, cursor=cursor_at(-9)), message])
    assert clock.slept == seconds


async def test_what_was_not_written_here_needs_no_rest():
    clock = SetClock()
    await MessageChannel(clock).rest([])
    assert clock.slept == []


@pytest.mark.parametrize("failure", [None, StorageUnavailable("no")])
async def test_a_message_is_stored_when_its_write_is_over_or_says_why_not(failure: Any):
    sent = Sent(request_at(1), is_over=False)
    storing = asyncio.ensure_future(sent.stored())
    await asyncio.sleep(1)
    assert not storing.done()
    sent.end(failure)
    assert await asyncio.gather(storing, return_exceptions=True) == [failure or sent.message]
