"""Tokens, codes, ids, cursors and events' ids: any text is read, or refused as what it is."""

import asyncio
from base64 import urlsafe_b64encode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulation.virtual_time import START_MS
from tests.support.builders import CODE, REQUESTS, RESPONSES, SetClock, cursor_at
from tests.support.fuzzing.almost import almost_text
from tests.support.strategies import json_values, text
from waypost_worker.chat.wire_formats import parse_answer_event_id
from waypost_worker.conversations.thread_list import list_threads
from waypost_worker.errors import InvalidCode, InvalidCursor, InvalidId, InvalidToken, TokenExpired
from waypost_worker.ids import CROCKFORD, is_tool_name, parse_app_id, parse_code, parse_id, parse_message_id
from waypost_worker.kv.cursor import EventId, cursor_ms, is_cursor, parse_event_id
from waypost_worker.kv.keys import thread_id_of, thread_key
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.limits import KV_MAX_KEY_BYTES, MAX_CODE_LENGTH, MIN_CODE_LENGTH
from waypost_worker.security.tokens import Claims, Role, Signer

SIGNER = Signer((b"k" * 32, b"p" * 32))
NOW_SECONDS = START_MS // 1000
CLAIMS = [
    Claims(Role.HOST, CODE, NOW_SECONDS + 60),
    Claims(Role.GUEST, CODE, NOW_SECONDS),
    Claims(Role.APP, "user:ü", NOW_SECONDS + 60),
]
TOKENS = {SIGNER.sign(claims): claims for claims in CLAIMS}
CURSORS = [cursor_at(0), cursor_at(1), cursor_at(1, RESPONSES)]
EVENT_IDS = [*CURSORS, f"{CURSORS[0]}~{CURSORS[1]}", f"{CURSORS[1]};p=2", f"{CURSORS[0]}~{CURSORS[1]};a=1;b=22;c=333"]


@given(almost_text(list(TOKENS)))
@example("wp1.app..1." + "A" * 43)
@example("wp1.app.____.1." + "A" * 43)
def test_a_token_that_was_not_signed_here_is_no_token(token: str):
    try:
        claims = SIGNER.unsign(token, START_MS)
    except (InvalidToken, TokenExpired):
        return
    assert TOKENS[token] == claims


@given(st.sampled_from(Role), almost_text([CODE, "user:ü"]), st.integers(1, 10**12 - 1))
def test_a_signed_token_says_what_was_signed_or_nothing(role: Role, subject: str, expires: int):
    claims = Claims(role, subject, expires)
    try:
        assert SIGNER.unsign(SIGNER.sign(claims), 0) == claims
    except InvalidToken:
        # An invalid subject should not be signed. Once signed, its token still opens nothing.
        assert role is not Role.APP or not 0 < len(subject.encode()) <= 200


@given(almost_text([CODE, "k7q2-m9xa", "O0Il-1234", CODE * 2]))
def test_a_code_is_read_or_refused(text: str):
    try:
        code = parse_code(text)
    except InvalidCode:
        return
    assert set(code) <= set(CROCKFORD)
    assert MIN_CODE_LENGTH <= len(code) <= MAX_CODE_LENGTH
    assert parse_code(code) == code


@given(almost_text(["call-1", "..", "a" * 64, CURSORS[0]]))
def test_an_id_is_taken_as_it_is_and_can_stand_in_a_key_and_a_path(text: str):
    try:
        assert parse_id(text, "id") == text
    except InvalidId:
        return
    assert text.isascii()
    assert len(text) <= 64
    assert not set(text) & set(":/?#%& \r\n\0")


@given(almost_text(["user:ada@example.org", "Holidays 1", "ü" * 30, "a" * 128]), almost_text(["t:1", "%3A", "a%3Ab"]))
def test_what_an_app_names_its_threads_by_comes_back_out_of_the_key(resource_id: str, thread_id: str):
    try:
        parse_app_id(resource_id, "resourceId")
        parse_app_id(thread_id, "threadId")
    except InvalidId:
        return
    key = thread_key(resource_id, thread_id)
    assert len(key.encode()) <= KV_MAX_KEY_BYTES
    assert key.count(":") == 2
    assert thread_id_of(key) == thread_id


@given(almost_text(["m-1", "\u200b", "a" * 128]))
def test_a_messages_id_and_a_tools_name_are_taken_or_refused(text: str):
    assert is_tool_name(text) in (True, False)
    try:
        assert parse_message_id(text) == text
    except InvalidId:
        return
    assert len(text) <= 128


@given(almost_text(EVENT_IDS), st.sampled_from([REQUESTS, RESPONSES]))
def test_an_events_id_is_read_as_it_was_written_or_refused(text: str, scope: str):
    assert not is_cursor(text, scope) or cursor_ms(text) >= 0
    try:
        event_id = parse_event_id(text, scope)
    except InvalidCursor:
        return
    assert is_cursor(event_id.message, scope)
    assert is_cursor(event_id.position, scope)
    assert parse_event_id(str(event_id), scope) == event_id


producers = st.text("abcXYZ019._~-", min_size=1, max_size=64)


@given(
    st.sampled_from(CURSORS[:2]),
    st.sampled_from(CURSORS[:2]),
    st.dictionaries(producers, st.integers(1, 2**53 - 1), max_size=8),
)
def test_an_events_id_comes_back_as_it_went(message: str, position: str, numbers: dict[str, int]):
    event_id = EventId(message, position, numbers)
    assert parse_event_id(str(event_id), REQUESTS) == event_id


@given(almost_text([f"{CURSORS[0]}.12", f"{CURSORS[0]}.done", f"{CURSORS[0]}.0r7", "a.0", ".1"]))
def test_a_place_in_an_answer_is_read_or_is_none(text: str):
    place = parse_answer_event_id(text)
    assert place is None or (text.startswith(place[0]) and all(0 <= number < 10**9 for number in place[1]))


list_cursors = json_values.map(lambda value: urlsafe_b64encode(str(value).encode()).decode().rstrip("="))


@given(almost_text(["WzEsMiwidCJd", "W10", "W1tbW1tbW1tb"]) | list_cursors | text)
@example(urlsafe_b64encode(b"[" * 3000).decode())
@example(urlsafe_b64encode(b"[1,2," + b"[" * 3000).decode())
@example(urlsafe_b64encode(b"[" + b"9" * 3000 + b',1,"t"]').decode())
@example(urlsafe_b64encode(b"[" + b"9" * 5000 + b',1,"t"]').decode())
def test_a_cursor_of_a_list_that_was_not_issued_is_refused(cursor: str):
    with pytest.raises(InvalidCursor):
        asyncio.run(list_threads(MemoryKv(SetClock()), "r", 1, cursor, {}))
