"""The values that travel: JSON, codes and links, events of a stream, encrypted messages."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost import ConfigError, DecryptionError, TransportError, Unsendable
from waypost._core.cipher import Cipher, _decoded, new_key
from waypost._core.config import read_config
from waypost._core.ids import Invite, invite_link, plain_code, read_invite
from waypost._core.plain_json import to_json
from waypost._core.sse import Event, SseDecoder

VECTORS = json.loads((Path(__file__).parents[1] / "client" / "encryption-vectors.json").read_text())
CODE = "K7Q2M9XA"


@dataclass
class Point:
    x: int
    y: float


class Model(pydantic.BaseModel):
    when: datetime


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, 2.5, None, True, "ü"]}, '{"a":[1,2.5,null,true,"ü"]}'),
        ((1, 2), "[1,2]"),
        ({1: "a"}, '{"1":"a"}'),
        (2**70, str(2**70)),
        (Point(1, 2.0), '{"x":1,"y":2.0}'),
        (Model(when=datetime(2026, 1, 1, tzinfo=UTC)), '{"when":"2026-01-01T00:00:00Z"}'),
        (b"ab", '"YWI="'),
        ("cut \ud83d", '"cut \ufffd"'),
        ("whole \U0001f600", '"whole \U0001f600"'),
    ],
)
def test_a_value_is_written_as_json(value: Any, text: str) -> None:
    assert to_json(value) == text.encode()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": [0, math.nan]}, r"The value\['a'\]\[1\] is no number"),
        (math.inf, "The value is no number"),
        (lambda: 1, "function"),
        ({"a": object()}, "object is not JSON"),
    ],
)
def test_what_json_cannot_carry_is_refused_with_its_place(value: Any, words: str) -> None:
    with pytest.raises(Unsendable, match=words):
        to_json(value)


def test_what_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(Unsendable, match="contains itself"):
        to_json(loop)


@pytest.mark.parametrize(
    ("text", "invite"),
    [
        ("k7q2-m9xa", Invite(CODE)),
        (" K7Q2 M9XA\u00ad", Invite(CODE)),
        ("oil00000", Invite("01100000")),
        (f"https://w.example/#join={CODE}", Invite(CODE, None, "https://w.example")),
        (f"http://localhost:8787/#join={CODE}&key=AbC-_", Invite(CODE, "AbC-_", "http://localhost:8787")),
        (f"#join={CODE}", Invite(CODE)),
    ],
)
def test_codes_and_links_are_read_as_people_write_them(text: str, invite: Invite) -> None:
    assert read_invite(text) == invite


def test_a_link_without_a_code_is_refused_and_its_key_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        read_invite("https://w.example/#key=SECRET")
    assert "SECRET" not in str(caught.value)


def test_a_link_is_read_as_it_was_written() -> None:
    key = new_key()
    assert read_invite(invite_link("https://w.example", CODE, key)) == Invite(CODE, key, "https://w.example")
    assert plain_code(CODE) == CODE


def test_the_environment_fills_in_what_is_not_given() -> None:
    environment = {"WAYPOST_URL": "https://w.example/", "WAYPOST_APP_KEY": "key"}
    assert read_config(None, None, environment).base_url == "https://w.example"
    assert read_config("http://localhost:8787", "other", environment).app_key == "other"


@pytest.mark.parametrize("url", [None, "w.example", "ftp://w.example", "https://w.example/path", "https://w.example?a"])
def test_an_address_that_is_none_is_refused_with_what_to_write(url: str | None) -> None:
    with pytest.raises(ConfigError, match=r"https://your-worker.example|leave out"):
        read_config(url, None, {})


# Rules of https://html.spec.whatwg.org/multipage/server-sent-events.html, one by one.
STREAMS: list[tuple[bytes, list[tuple[str, str, str]]]] = [
    (b": hi\n\nevent: x\nid: 1\ndata: a\ndata: b\n\n", [("x", "a\nb", "1")]),
    (b"event: x\nid: 7\n\ndata: a\n\n", [("message", "a", "7")]),
    (b"id: 1\n\nid: 2\0\ndata: b\n\n", [("message", "b", "1")]),
    (b"data: a\r\rdata: b\r\n\r\ndata: c\n\n", [("message", d, "") for d in "abc"]),
    (b"\xef\xbb\xbfdata: a\n\n", [("message", "a", "")]),
    ("data: a\u2028\x85\x0bd\n\n".encode(), [("message", "a\u2028\x85\x0bd", "")]),
    (b"data\n\ndata:  b\n\ndata: cut", [("message", "", ""), ("message", " b", "")]),
    ("data: \U0001f600\n\n".encode(), [("message", "\U0001f600", "")]),
]  # fmt: skip


@given(st.sampled_from(STREAMS), st.data())
def test_any_cutting_of_a_stream_gives_the_same_events(
    case: tuple[bytes, list[tuple[str, str, str]]], data: st.DataObject
) -> None:
    stream, expected = case
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    decoder = SseDecoder()
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert [event for piece in pieces for event in decoder.feed(piece)] == [Event(*each) for each in expected]


def test_an_event_beyond_the_limit_breaks_the_stream() -> None:
    decoder = SseDecoder(max_bytes=16)
    assert decoder.feed(b"data: 0123456789\n\n") == [Event("message", "0123456789", "")]
    with pytest.raises(TransportError):
        decoder.feed(b"data: 0123456789a\n\n")


def test_the_reconnection_time_has_digits_only() -> None:
    decoder = SseDecoder()
    decoder.feed(b"retry: 1500\nretry: 5s\nretry: \n")
    assert decoder.retry == 1.5


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['kind']}: {vector['text'][:20]}")
def test_messages_are_encrypted_as_the_shared_vectors_say(vector: dict[str, str]) -> None:
    kind, id, tool = vector["kind"], vector["id"], vector["tool"]
    cipher = Cipher(vector["code"], vector["key"])
    nonce = _decoded(vector["nonce"])
    envelope = {"$waypost": "e2e1", "n": vector["nonce"], "c": vector["ciphertext"]}
    assert cipher.seal(kind, id, tool, vector["text"].encode(), nonce) == envelope  # type: ignore[arg-type]
    assert cipher.open(kind, id, tool, envelope) == json.loads(vector["text"])  # type: ignore[arg-type]


def test_a_message_is_bound_to_its_kind_session_call_and_tool() -> None:
    key = new_key()
    sealed = Cipher(CODE, key).seal("request", "call-1", "add", b"{}")
    assert Cipher(CODE, key).open("request", "call-1", "add", sealed) == {}
    flipped = sealed | {"c": ("B" if sealed["c"][0] != "B" else "C") + sealed["c"][1:]}
    for cipher, kind, id, tool, envelope in (
        (Cipher("K7Q2M9XB", key), "request", "call-1", "add", sealed),
        (Cipher(CODE, new_key()), "request", "call-1", "add", sealed),
        (Cipher(CODE, key), "answer", "call-1", "add", sealed),
        (Cipher(CODE, key), "request", "call-2", "add", sealed),
        (Cipher(CODE, key), "request", "call-1", "sub", sealed),
        (Cipher(CODE, key), "request", "call-1", "add", flipped),
        (Cipher(CODE, key), "request", "call-1", "add", sealed | {"$waypost": "e2e2"}),
        (Cipher(CODE, key), "request", "call-1", "add", sealed | {"n": "AAAA"}),
        (Cipher(CODE, key), "request", "call-1", "add", {"a": 1}),
        (Cipher(CODE, key), "request", "call-1", "add", None),
    ):
        with pytest.raises(DecryptionError):
            cipher.open(kind, id, tool, envelope)  # type: ignore[arg-type]


def test_lengths_are_padded_and_nonces_differ() -> None:
    cipher = Cipher(CODE, new_key())
    short, long = (cipher.seal("request", "i", "t", b'"' + b"x" * n + b'"') for n in (1, 200))
    assert len(short["c"]) == len(long["c"])
    assert short["n"] != long["n"]


def test_a_damaged_key_and_a_worn_out_one_are_refused() -> None:
    for key in ("", "AAAA", "?" * 43, new_key()[:-1]):
        with pytest.raises(ConfigError, match="damaged"):
            Cipher(CODE, key)
    cipher = Cipher(CODE, new_key(), limit=1)
    cipher.seal("request", "i", "t", b"{}")
    with pytest.raises(ConfigError, match="new session"):
        cipher.seal("request", "i", "t", b"{}")
