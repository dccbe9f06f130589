"""The tests' own reader of event streams reads them as the standard says; the product is then judged by it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.sse_client import NdjsonDecoder, SseDecoder

# Examples of https://html.spec.whatwg.org/multipage/server-sent-events.html, and its rules one by one.
CASES: list[tuple[str, bytes, list[tuple[str, str, str]]]] = [
    ("two data lines are joined", b"data: YHOO\ndata: +2\ndata: 10\n\n", [("message", "YHOO\n+2\n10", "")]),
    (
        "comments, ids, an id reset and a leading space",
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [("message", "first event", "1"), ("message", "second event", ""), ("message", " third event", "")],
    ),
    (
        "data without a colon is empty; a block cut off is dropped",
        b"data\n\ndata\ndata\n\ndata:",
        [("message", "", ""), ("message", "\n", "")],
    ),
    ("one space after the colon is optional", b"data:test\n\ndata: test\n\n", [("message", "test", "")] * 2),
    ("a block without data is no event and no name", b"event: x\nid: 7\n\ndata: a\n\n", [("message", "a", "7")]),
    ("an id with NUL is ignored", b"id: 1\n\nid: 2\0\ndata: b\n\n", [("message", "b", "1")]),
    ("CR and CRLF end lines too", b"data: a\r\rdata: b\r\n\r\ndata: c\n\n", [("message", d, "") for d in "abc"]),
    ("a byte order mark in front is dropped", b"\xef\xbb\xbfdata: a\n\n", [("message", "a", "")]),
    ("U+2028, U+0085 and VT end no line", "data: a\u2028\x85\x0bd\n\n".encode(), [("message", "a\u2028\x85\x0bd", "")]),
    ("unknown fields are ignored", b"foo: bar\ndata: a\n\n", [("message", "a", "")]),
]  # fmt: skip


def decoded(pieces: list[bytes]) -> list[tuple[str, str, str]]:
    decoder = SseDecoder()
    return [(event.name, event.text, event.id) for piece in pieces for event in decoder.feed(piece)]


@pytest.mark.parametrize(("name", "stream", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_stream_is_read_by_the_standard(name: str, stream: bytes, expected: list[tuple[str, str, str]]) -> None:
    assert decoded([stream]) == expected


@given(st.sampled_from(CASES), st.data())
def test_any_cutting_into_pieces_gives_the_same_events(
    case: tuple[str, bytes, list[tuple[str, str, str]]], data: st.DataObject
) -> None:
    _, stream, expected = case
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert decoded(pieces) == expected


def test_retry_takes_digits_only() -> None:
    decoder = SseDecoder()
    list(decoder.feed(b"retry: 1000\nretry: 5s\nretry: \n\n"))
    assert decoder.retry_ms == 1000


def test_ndjson_lines_are_events_and_lines_without_data_are_signs_of_life() -> None:
    decoder = NdjsonDecoder()
    pieces = [b'{"event":"a","id":"1","da', b'ta":{"x":1.0}}\n{"event":"heartbeat"}\n{"event":"b","data":null}\n{"ev']
    events = [event for piece in pieces for event in decoder.feed(piece)]
    assert [(event.name, event.text, event.id) for event in events] == [("a", '{"x": 1.0}', "1"), ("b", "null", "1")]
    assert decoder.comments == ["heartbeat"]
