"""Event streams, both ways: no text begins a field of its own, and no splitting of the bytes changes the events."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.builders import CODE, cursor_at, raw
from tests.support.fuzzing.almost import almost_bytes, cut_up
from tests.support.sse_parser import SseParser, parse_sse
from tests.support.strategies import json_values
from waypost_worker.chat.answer_events import Position, TextDelta
from waypost_worker.chat.live_answer import AnswerInfo, Outcome
from waypost_worker.chat.ui_stream import UiMessageStream
from waypost_worker.chat.wire_formats import EventsFormat
from waypost_worker.kv.keys import requests_scope, responses_scope
from waypost_worker.models.sse_decoder import EventTooLarge, SseDecoder
from waypost_worker.queues.message import ErrorBody, Message
from waypost_worker.queues.reader import GuestReader, HostReader
from waypost_worker.sse import Comment, Event, encode_event, encode_ndjson, encode_sse

LINES = st.sampled_from(
    ("\n", "\r", "\r\n", "\n\n", "\0", "\ufeff", "\u2028", "\x85", "data: x\n\n", "id: 1\n", ": ", " ")
)
said = st.text(st.characters(codec="utf-8"), max_size=20) | st.lists(LINES, max_size=5).map("".join)
said_values = st.recursive(
    json_values | said,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(said, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=30)
@given(said_values, said, st.booleans())
def test_an_answer_arrives_as_it_was_said_and_begins_no_field(value: object, words: str, replay: bool):
    scope = responses_scope(CODE)
    after = None
    reader = GuestReader(scope, after)
    message = Message("response", "r", result=value, error=ErrorBody(words, words, value), cursor=cursor_at(0, scope))
    [event] = reader.deliver([message], 0)
    [read] = parse_sse(encode_sse(event))
    assert (read.type, read.last_event_id) == ("response", event.id)
    shown = json.loads(read.data)
    assert shown["result"] == value
    assert shown["error"] == {"code": words, "message": words, "data": value}
    assert [json.loads(line) for line in encode_ndjson(event).decode().split("\n")[:-1]] == [
        {"event": "response", "id": event.id, "data": shown}
    ]
    assert json.loads(encode_event(event))["data"] == shown


@settings(max_examples=20)
@given(st.lists(st.tuples(said, said_values), max_size=4))
def test_requests_arrive_one_by_one_whatever_they_say(asked: list[tuple[str, object]]):
    scope = requests_scope(CODE)
    messages = [
        Message("request", f"r{number}", tool=tool, args=raw({tool: args}), cursor=cursor_at(number, scope))
        for number, (tool, args) in enumerate(asked)
    ]
    events = HostReader(scope, None).deliver(messages, 0)
    stream = b"".join([encode_sse(Event("ready", b"{}", retry_ms=1)), *map(encode_sse, events)])
    read = parse_sse(stream)
    assert [event.type for event in read] == ["ready", *("request" for _ in asked)]
    assert [(json.loads(event.data)["tool"], json.loads(event.data)["args"]) for event in read[1:]] == [
        (tool, {tool: args}) for tool, args in asked
    ]


@given(st.lists(said, max_size=5), said, st.sampled_from(("stop", "stopped", "length", "error")))
def test_an_answer_of_a_model_is_told_in_both_formats_as_it_was_said(words: list[str], problem: str, reason: str):
    info = AnswerInfo("g", "s", problem, "r", "m")
    outcome = Outcome(reason, 1, problem or None, problem)  # type: ignore[arg-type]
    events, ui = EventsFormat(info), UiMessageStream(info)
    told = [(events, {"delta": "text"}), (ui, {"message": "delta"})]
    for format_, field in told:
        encoded = [format_.addition(TextDelta(text, Position(end))) for end, text in enumerate(words)]
        read = parse_sse(b"".join([format_.head(), *encoded, format_.tail(outcome)]))
        [(name, key)] = field.items()
        shown = [json.loads(event.data) for event in read if event.type == name and event.data != "[DONE]"]
        deltas = [data for data in shown if data.get("type", "text-delta") == "text-delta"]
        assert [data[key] for data in deltas] == words


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=20))
def test_a_comment_is_no_event(text: str):
    parser = SseParser()
    parser.feed(encode_sse(Comment(text)))
    assert (parser.events, parser.comments) == ([], [text])
    assert json.loads(encode_ndjson(Comment(text))).keys() <= {"event", "comment"}


blocks = st.lists(
    st.sampled_from((
        b"data: one\n\n", b"data:two\r\n\r\n", b"data: a\rdata: b\r\r", b"event: error\ndata: {}\n\n", b"\xef\xbb\xbf",
        b": comment\n", b"id: 1\nretry: 5\n\n", b"data\n\n", b"data: \xe2\x82\xac\n\n", b"\n", b"\r",
    )),
    max_size=6,
).map(b"".join)  # fmt: skip


def read_cut(pieces: list[bytes], max_bytes: int) -> tuple[list[tuple[str, str]], bool]:
    """The events, and whether there was too much of one."""
    decoder, events = SseDecoder(max_bytes), []
    try:
        for piece in pieces:
            events += [(event.name, event.data) for event in decoder.feed(piece)]
    except EventTooLarge:
        return events, True
    return events, False


@given(st.data(), almost_bytes(blocks))
def test_no_cutting_of_a_models_stream_changes_what_is_read(data: st.DataObject, stream: bytes):
    whole, _ = read_cut([stream], 1000)
    assert read_cut(data.draw(cut_up(stream)), 1000)[0] == whole
    assert read_cut([stream[at : at + 1] for at in range(len(stream))], 1000)[0] == whole
    assert [(event.type, event.data) for event in parse_sse(stream)] == whole


@given(st.data(), almost_bytes(blocks), st.integers(1, 20))
def test_an_event_that_is_too_large_is_refused_and_what_came_before_it_was_told(
    data: st.DataObject, stream: bytes, limit: int
):
    events, is_over = read_cut(data.draw(cut_up(stream)), limit)
    bytewise, is_over_bytewise = read_cut([stream[at : at + 1] for at in range(len(stream))], limit)
    assert is_over == is_over_bytewise
    # A chunk that holds both, the end of an event and one that is too large, is refused whole.
    assert bytewise[: len(events)] == events
