"""Both wire formats: the exact bytes, and payloads that a real parser gets back unchanged however they are cut."""

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.support.sse_parser import SseParser, parse_sse
from tests.support.strategies import json_values
from waypost_worker.sse import HEARTBEAT, Comment, Event, encode_event, encode_ndjson, encode_sse

NASTY = [
    "a\rb\nc\r\nd",
    "\0",
    "\ufeffbom",
    "\u2028\u2029\x85",
    "  leading and trailing  ",
    "data: x\n\nevent: end",
    ": comment",
    "\U0001f600\u0131\x7f\x1b",
    "",
]


def event(value: object) -> Event:
    return Event("request", msgspec.json.encode(value), "c1")


def test_the_bytes_of_an_event_are_pinned():
    item = Event("ready", b'{"a":1}', "c1", retry_ms=1000)
    assert encode_sse(item) == b'event: ready\nretry: 1000\nid: c1\ndata: {"a":1}\n\n'


def test_an_event_without_id_leaves_the_readers_last_id_alone():
    assert encode_sse(Event("gap", b"{}")) == b"event: gap\ndata: {}\n\n"


def test_the_bytes_of_comments_are_pinned():
    assert encode_sse(HEARTBEAT) == b": heartbeat\n"
    assert encode_sse(Comment("waypost")) == b": waypost\n"


def test_the_lines_are_pinned():
    assert encode_ndjson(HEARTBEAT) == b'{"event":"heartbeat"}\n'
    assert encode_ndjson(Comment("waypost")) == b'{"event":"comment","comment":"waypost"}\n'
    assert encode_ndjson(Event("gap", b"{}")) == b'{"event":"gap","data":{}}\n'
    assert (
        encode_ndjson(Event("ready", b'{"a":1}', "c1", retry_ms=1000))
        == b'{"event":"ready","data":{"a":1},"id":"c1","retry":1000}\n'
    )


def test_a_poll_shows_an_event_as_the_line_without_its_end():
    assert encode_event(event(1)) + b"\n" == encode_ndjson(event(1))


def test_the_parser_of_these_tests_follows_the_standards_own_examples():
    assert [e.data for e in parse_sse(b"data: YHOO\ndata: +2\ndata: 10\n\n")] == ["YHOO\n+2\n10"]
    example = b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"
    assert [(e.data, e.last_event_id) for e in parse_sse(example)] == [
        ("first event", "1"),
        ("second event", ""),
        (" third event", ""),
    ]
    assert [e.data for e in parse_sse(b"data\n\ndata\ndata\n\ndata:")] == ["", "\n"]
    assert [e.data for e in parse_sse(b"\xef\xbb\xbfdata:test\r\rdata: test\r\n\r\n")] == ["test", "test"]
    assert parse_sse(b"id: 7\nretry: 10\n\n") == []


def test_a_nasty_payload_arrives_as_it_was_sent():
    for text in NASTY:
        [got] = parse_sse(encode_sse(event({"text": text})))
        assert (got.type, json.loads(got.data), got.last_event_id) == ("request", {"text": text}, "c1")


def test_a_nasty_payload_is_one_line_of_ndjson():
    for text in NASTY:
        line = encode_ndjson(event(text))
        assert (line.count(b"\n"), line.count(b"\r")) == (1, 0)
        assert json.loads(line)["data"] == text


def test_the_time_to_wait_travels_inside_an_event():
    parser = SseParser()
    parser.feed(encode_sse(Event("ready", b"{}", "c1", retry_ms=1000)))
    assert (parser.retry_ms, len(parser.events)) == (1000, 1)


@given(st.lists(json_values, max_size=4), st.data())
def test_events_survive_any_chunking(values: list[object], data: st.DataObject):
    stream = b"".join(encode_sse(HEARTBEAT) + encode_sse(event(value)) for value in values)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=8)))
    parser = SseParser()
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        parser.feed(stream[start:end])
    assert [json.loads(got.data) for got in parser.events] == values


@given(json_values)
def test_every_json_value_is_one_line_of_ndjson(value: object):
    line = encode_ndjson(event(value))
    assert line.endswith(b"\n")
    assert b"\n" not in line[:-1]
    assert json.loads(line)["data"] == value
