"""Events from bytes: the standard's own examples, any splitting, and the limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.sse_parser import parse_sse
from waypost_worker.models.sse_decoder import EventTooLarge, ServerEvent, SseDecoder


def decode(*chunks: bytes, max_bytes: int = 1000) -> list[ServerEvent]:
    decoder = SseDecoder(max_bytes)
    return [event for chunk in chunks for event in decoder.feed(chunk)]


def data_of(*chunks: bytes, max_bytes: int = 1000) -> list[str]:
    return [event.data for event in decode(*chunks, max_bytes=max_bytes)]


@pytest.mark.parametrize(
    ("stream", "data"),
    [
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", ["YHOO\n+2\n10"]),
        (b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
         ["first event", "second event", " third event"]),
        (b"data\n\ndata\ndata\n\ndata:\n", ["", "\n"]),
        (b"data:test\n\ndata: test\n\n", ["test", "test"]),
    ],
)  # fmt: skip
def test_the_examples_of_the_standard_are_read_as_it_says(stream: bytes, data: list[str]):
    assert data_of(stream) == data


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_a_line_ends_in_three_ways(end: bytes):
    assert data_of(end.join([b"data: a", b"data: b", b"", b"data: c", b"", b""])) == ["a\nb", "c"]


def test_a_cr_ends_its_line_before_it_is_known_what_follows():
    assert data_of(b"data: a\r\r") == ["a"]


def test_a_crlf_that_comes_in_two_chunks_is_one_end():
    assert data_of(b"data: a\r", b"\ndata: b\r", b"\n\r", b"\n", b"data: c\n\n") == ["a\nb", "c"]


def test_an_event_has_the_name_it_was_given_last_or_is_a_message():
    assert decode(b"event: x\nevent: error\ndata: a\n\ndata: b\n\n") == [
        ServerEvent("error", "a"),
        ServerEvent("message", "b"),
    ]


def test_a_name_without_data_is_no_event_and_names_no_later_one():
    assert decode(b"event: error\n\ndata: a\n\n") == [ServerEvent("message", "a")]


def test_comments_and_unknown_fields_are_passed_over():
    assert data_of(b": data: no\nDATA: no\n data: no\ndata : no\nretry: 1\nid: 2\ndata: yes\n\n") == ["yes"]


def test_what_no_empty_line_has_ended_was_no_event():
    assert data_of(b"data: a\n\ndata: [DONE]\n") == ["a"]


def test_one_byte_order_mark_at_the_start_is_no_part_of_the_first_line():
    mark = "\ufeff".encode()
    assert data_of(mark + b"data: a\n\n" + mark + b"data: b\n\ndata: " + mark + b"\n\n") == ["a", "\ufeff"]
    assert data_of(mark + mark + b"data: a\n\n") == []
    assert data_of(b"\n" + mark + b"data: a\n\n") == []
    assert data_of(mark + b"\ndata: a\n\n") == ["a"]


def test_what_is_no_utf_8_is_replaced_and_the_rest_is_kept():
    assert data_of(b"data: a\xff\xe2\x82\n\ndata: b\n\nevent: \xff\ndata: c\n\n") == ["a\ufffd\ufffd", "b", "c"]


STREAMS = [
    b"\xef\xbb\xbfdata: a\r\ndata: b\r\r: x\n\nevent: error\rdata:c\n\r\n",
    "data: Grüße 東京 👋🏽\r\n\r\ndata: \u2028\u0085\x0b\x00\n\n".encode(),
    b"\xef\xbb\xbf\xef\xbb\xbf\r\n\xe2\x82\r\r\ndata: \xf0\x9f\x91\n\n",
]


@pytest.mark.parametrize("stream", STREAMS)
def test_every_way_to_split_in_two_and_byte_by_byte_gives_the_same_events(stream: bytes):
    whole = decode(stream)
    assert [data.data for data in whole] == [event.data for event in parse_sse(stream)]
    for place in range(len(stream) + 1):
        assert decode(stream[:place], stream[place:]) == whole
    assert decode(*(bytes([byte]) for byte in stream)) == whole
    assert decode(*(part for byte in stream for part in (b"", bytes([byte])))) == whole


lines = st.sampled_from(
    [
        b"data",
        b"data:",
        b"data: x",
        b"event: e",
        b":",
        b"",
        b"id: 1",
        b"data: \xf0\x9f\x91\x8b",
        b"\xef\xbb\xbf",
        b"\xff",
    ]
)
ends = st.sampled_from([b"\n", b"\r", b"\r\n"])


@given(st.lists(st.tuples(lines, ends)), st.lists(st.integers(0, 200)))
def test_any_stream_in_any_chunks_is_read_as_by_a_parser_that_was_written_apart(
    parts: list[tuple[bytes, bytes]], cuts: list[int]
):
    stream = b"".join(line + end for line, end in parts)
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    events = decode(*(stream[start:end] for start, end in zip(places, places[1:], strict=False)))
    assert [(event.name, event.data) for event in events] == [(event.type, event.data) for event in parse_sse(stream)]


def test_a_line_may_be_as_long_as_the_limit_and_no_longer():
    line = b"data: " + b"x" * 94
    assert data_of(line, b"\n\n", max_bytes=100) == ["x" * 94]
    with pytest.raises(EventTooLarge):
        decode(line, b"x", max_bytes=100)


def test_the_lines_of_one_event_are_counted_together():
    line = b"data: 4567\n"
    assert data_of(line * 10, b"\n", max_bytes=100) == ["\n".join(["4567"] * 10)]
    with pytest.raises(EventTooLarge):
        decode(line * 10, b"d", max_bytes=100)


def test_what_is_not_remembered_is_not_counted():
    assert data_of(
        "\ufeff".encode() + b": 34567890\nid: 4567\nevent: error\n" * 100 + b"data: a\n\n", max_bytes=20
    ) == ["a"]
    assert data_of(b"data: 4567\n\n" * 100, max_bytes=10) == ["4567"] * 100
    assert data_of("\ufeff:".encode() + b"\ndata: 4567\n\n", max_bytes=10) == ["4567"]
