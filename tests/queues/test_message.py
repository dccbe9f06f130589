"""A message is stored once, in metadata if it fits, and comes back as it was."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import answer_at, cursor_at, raw, request_at
from tests.support.strategies import json_values
from waypost_worker.kv.keys import request_key
from waypost_worker.kv.store import ListedKey, fits_metadata, wrap_metadata
from waypost_worker.queues.message import (
    ErrorBody,
    Message,
    decode_listed,
    decode_value,
    encode_event_data,
    encode_stored,
)

CURSOR = cursor_at(0)
KEY = request_key("K7Q2M9XA", CURSOR)


def stored_and_read(message: Message) -> Message:
    value, metadata = encode_stored(message)
    head = decode_listed(ListedKey(KEY, metadata))
    return decode_value(head, value) if head.is_head else head


def request_with(args: object) -> Message:
    return Message("request", "id", tool="t", args=raw(args), cursor=CURSOR)


def largest_in_metadata() -> Message:
    empty = len(wrap_metadata(encode_stored(request_with({"a": ""}))[1]))
    return request_with({"a": "x" * (1024 - empty)})


def test_a_message_of_1024_bytes_of_metadata_has_no_value():
    value, metadata = encode_stored(largest_in_metadata())
    assert value == b""
    assert len(wrap_metadata(metadata)) == 1024


def test_one_byte_more_goes_into_the_value_and_leaves_a_head():
    message = request_with({"a": msgspec.json.decode(largest_in_metadata().args)["a"] + "x"})
    value, metadata = encode_stored(message)
    head = decode_listed(ListedKey(KEY, metadata))
    assert (head.is_head, head.size, head.args) == (True, len(value), msgspec.UNSET)
    assert (head.kind, head.id, head.tool, head.cursor) == ("request", "id", "t", CURSOR)
    assert decode_value(head, value) == message


def test_the_size_in_a_head_is_in_bytes():
    value, metadata = encode_stored(request_with({"a": "\u4e00" * 1000}))
    assert decode_listed(ListedKey(KEY, metadata)).size == len(value)


@given(json_values)
def test_whatever_json_the_arguments_are_they_come_back(args: object):
    assert stored_and_read(request_with(args)) == request_with(args)


@given(st.integers(0, 3000))
def test_a_message_of_any_size_comes_back_and_its_metadata_fits(size: int):
    message = request_with({"a": '"' * size})
    assert fits_metadata(encode_stored(message)[1])
    assert stored_and_read(message) == message


@pytest.mark.parametrize("padding", [0, 2000])
@pytest.mark.parametrize("number", ["1.0", "9007199254740993", "123456789012345678901234567890", "1e-7", "-0.0"])
def test_numbers_survive_as_they_were_written(number: str, padding: int):
    value = msgspec.json.decode(number)
    message = request_with({"n": value, "padding": "x" * padding})
    shown = encode_event_data(stored_and_read(message)).decode()
    assert f'"n":{number},' in shown


def test_a_result_that_is_null_is_not_a_result_that_is_missing():
    with_null = answer_at(0, result=None)
    assert json.loads(encode_event_data(stored_and_read(with_null)))["result"] is None


def test_progress_is_not_a_final_answer():
    assert json.loads(encode_event_data(stored_and_read(answer_at(0, final=False))))["final"] is False


def test_a_request_is_shown_in_the_order_people_read_it():
    message = request_at(1.5, "r1", "p", 7)
    assert encode_event_data(message, replay=True).decode() == (
        f'{{"id":"r1","cursor":"{message.cursor}","tool":"echo","args":{{}},'
        '"timestamp":"2026-01-01T00:00:01.500Z","producer":"p","seq":7,"replay":true}'
    )


def test_an_error_is_shown_with_what_it_has():
    message = msgspec.structs.replace(answer_at(0), result=msgspec.UNSET, error=ErrorBody("c", "m"))
    shown = json.loads(encode_event_data(message))
    assert shown["error"] == {"code": "c", "message": "m"}
    assert "result" not in shown
    assert "replay" not in shown


def test_a_messages_number_is_zero_without_a_producer():
    assert (request_at(0).number, request_at(0, "r", "p", 3).number) == (0, 3)


def test_only_what_a_producer_has_behind_it_is_settled():
    message = msgspec.structs.replace(request_at(0, "r", "p", 3), settled=2)
    assert message.settled_number == 2
    assert msgspec.structs.replace(message, settled=9).settled_number == 2


@pytest.mark.parametrize("age", [0, 9, 999_999])
def test_the_age_of_its_isolate_takes_15_bytes_of_metadata_at_most(age: int):
    without = request_with({"a": "text"})
    _, metadata = encode_stored(msgspec.structs.replace(without, age=age))
    assert 0 < len(wrap_metadata(metadata)) - len(wrap_metadata(encode_stored(without)[1])) <= 15


def test_a_message_says_when_its_isolate_began_unless_an_older_version_stored_it():
    message = request_with({})
    assert message.isolate_born_ms == 0
    _, metadata = encode_stored(msgspec.structs.replace(message, age=60))
    head = decode_listed(ListedKey(KEY, metadata))
    assert head.isolate_born_ms == head.accepted_ms - 60_000 > 0
