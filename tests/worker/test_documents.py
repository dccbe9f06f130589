"""Documents over HTTP: what was put comes back byte for byte through workerd and KV, with tags that work."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.documents_api import place, put
from tests.support.http_api import Api
from tools.local.harness.worker import LocalWorker

LIMIT = 256 * 1024
TEXTS = {
    "a null": b"null",
    "numbers as they are written": b"[1.0,1.10,-0.0,1E5,1e-400,12345678901234567890123,9007199254740993]",
    "white space": b' \t\r\n{"b" : 1 ,\n"a":2}\r\n ',
    "escapes as they are written": rb'"\u00e9\/\ud83d\ude00\u0000\u2028"',
    "line ends": '"\u2028\u2029\u0085\x7f"'.encode(),
    "every length of UTF-8": '"aé€😀\U0010ffff\ufffe\ufeff"'.encode(),
    "names of JavaScript": b'{"__proto__":{"x":1},"constructor":0,"toString":null}',
    "nested 128 deep": b"[" * 128 + b"]" * 128,
    "the most there may be": b'"' + b"x" * (LIMIT - 2) + b'"',
    "the most in UTF-8": b'"' + "€".encode() * ((LIMIT - 2) // 3) + b'"',
}

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    # A lone surrogate can be written in JSON and is refused: it is no text.
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=15,
)  # fmt: skip


def problem(reply: httpx.Response) -> tuple[int, Any]:
    return reply.status_code, reply.json()["code"]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("path", ["intents", "theme", "documents/notes"])
def test_a_document_comes_back_byte_for_byte(name: str, path: str, api: Api) -> None:
    path = place(path)
    created = put(api, path, TEXTS[name])
    assert (created.status_code, created.json()["size"]) == (201, len(TEXTS[name]))
    reply = api.http.get(path)
    assert (reply.status_code, reply.content) == (200, TEXTS[name])
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["etag"] == created.headers["etag"] == created.json()["etag"]


@settings(max_examples=25)
@given(value=JSON_VALUES, spaces=st.integers(0, 3))
def test_any_document_comes_back_byte_for_byte(worker: LocalWorker, value: Any, spaces: int) -> None:
    body = json.dumps(value, ensure_ascii=bool(spaces % 2), indent=spaces).encode()
    with Api(worker.url) as api:
        path = place()
        assert put(api, path, body).status_code == 201
        assert api.http.get(path).content == body


def test_a_document_that_is_a_byte_larger_is_refused(api: Api) -> None:
    path = place()
    assert problem(put(api, path, b'"' + b"x" * (LIMIT - 1) + b'"')) == (413, "body_too_large")
    assert problem(api.http.get(path)) == (404, "document_not_found")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"\xef\xbb\xbf{}", "invalid_json"),
        (b"[NaN]", "invalid_json"),
        (b'"\xed\xa0\x80"', "invalid_encoding"),
        (b"[" * 129 + b"]" * 129, "invalid_json"),
    ],
)
def test_what_is_not_json_is_refused(body: bytes, code: str, api: Api) -> None:
    assert problem(put(api, place(), body)) == (400, code)


def test_half_a_surrogate_pair_is_replaced_and_the_rest_kept(api: Api) -> None:
    path = place()
    assert put(api, path, rb'{"a":"x\ud800","b":"\ud83e\udd8a"}').status_code == 201
    assert api.http.get(path).json() == {"a": "x\ufffd", "b": "🦊"}


def test_a_reader_who_has_the_version_gets_304_and_no_body(api: Api) -> None:
    path = place()
    etag = put(api, path, b"1").headers["etag"]
    for known in (etag, f"W/{etag}", f'"x" , {etag}', "*"):
        reply = api.http.get(path, headers={"If-None-Match": known})
        assert (reply.status_code, reply.content, reply.headers["etag"]) == (304, b"", etag)
        assert 'desc="1 operations"' in reply.headers["server-timing"]
    assert put(api, path, b"2").status_code == 200
    assert api.http.get(path, headers={"If-None-Match": etag}).content == b"2"


def test_two_editors_notice_each_other(api: Api) -> None:
    path = place()
    read_by_both = put(api, path, b"0", If_None_Match="*").headers["etag"]
    first = put(api, path, b"1", If_Match=read_by_both)
    assert first.status_code == 200
    assert problem(put(api, path, b"2", If_Match=read_by_both)) == (412, "precondition_failed")
    assert problem(put(api, path, b"2", If_None_Match="*")) == (412, "precondition_failed")
    assert problem(put(api, path, b"2", If_Match="unquoted")) == (400, "invalid_header")
    assert problem(api.http.delete(path, headers={"If-Match": read_by_both})) == (412, "precondition_failed")
    assert api.http.get(path).content == b"1"
    assert api.http.delete(path, headers={"If-Match": first.headers["etag"]}).status_code == 204
    assert problem(api.http.get(path)) == (404, "document_not_found")


def test_documents_are_listed_with_what_is_known_of_them(api: Api) -> None:
    folder = place("documents")
    views = [put(api, f"{folder}/{name}", body).json() for name, body in (("a", b"[]"), ("b.json", b"{}"))]
    assert api.http.get(folder).json() == {"documents": views, "count": 2}


def test_head_tells_the_tag(api: Api) -> None:
    path = place()
    etag = put(api, path, b"[1]").headers["etag"]
    reply = api.http.head(path)
    assert (reply.status_code, reply.content, reply.headers["etag"]) == (200, b"", etag)
