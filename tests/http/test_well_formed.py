"""Halves of surrogate pairs in JSON: each becomes U+FFFD, and nothing else changes."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.client import make_client
from waypost_worker.http.well_formed import well_formed

HALF = st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF)
TEXT = st.text(st.one_of(st.sampled_from('\\"ud83c/\n\u2028é🎉'), HALF))
JSON = st.recursive(TEXT, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4))


@pytest.mark.parametrize(
    ("body", "mended"),
    [
        (rb'"a\ud83c"', rb'"a\ufffd"'),
        (rb'"\uDF89b"', rb'"\ufffdb"'),
        (rb'"\ud83c\ud83c\udf89"', rb'"\ufffd\ud83c\udf89"'),
        (rb'"\ud83c\udf89\udf89"', rb'"\ud83c\udf89\ufffd"'),
        (rb'"\udf89\ud83c"', rb'"\ufffd\ufffd"'),
        (rb'"\ud83c\u0041"', rb'"\ufffd\u0041"'),
        (rb'"\ud83c\n\udf89"', rb'"\ufffd\n\ufffd"'),
        (rb'"\\ud83c\udf89"', rb'"\\ud83c\ufffd"'),
        (rb'"\\\ud83c\\udf89"', rb'"\\\ufffd\\udf89"'),
        (rb'"\\\\\ud83c"', rb'"\\\\\ufffd"'),
        (rb'{"\ud83c":["\udbff"]}', rb'{"\ufffd":["\ufffd"]}'),
    ],
)
def test_a_half_becomes_the_replacement_character(body: bytes, mended: bytes):
    assert well_formed(body) == mended
    assert msgspec.json.decode(mended) == replaced(json.loads(body))


@pytest.mark.parametrize(
    "body",
    [b"", b'"\\ud83c\\udf89"', rb'"\\ud83c"', rb'"\\\\ud83c"', b'{"a":"\\ud83', rb'"\ud83g"', b'["\\udz"', b"\\ud"],
)
def test_whole_pairs_escaped_backslashes_and_what_is_no_json_stay_as_they_are(body: bytes):
    assert well_formed(body) == body


@given(JSON)
def test_any_json_of_javascript_or_python_can_be_read_afterwards(value: Any):
    body = json.dumps(value).encode()
    assert msgspec.json.decode(well_formed(body)) == replaced(json.loads(body))


@given(st.binary() | st.text(st.sampled_from('\\ud83cDF9"[]{}:,a')).map(str.encode))
def test_any_bytes_can_be_mended(body: bytes):
    mended = well_formed(body)
    assert well_formed(mended) == mended
    assert len(mended) == len(body)


async def test_a_request_with_half_an_emoji_is_delivered():
    client = make_client()
    session = await client.open_session()
    body = f'{{"code":"{session.code}","tool":"t","args":{{"text":"Sale \\ud83c"}}}}'
    assert (await client.call("POST", "/api/request", body=body.encode())).status == 202
    [event] = (await client.poll(session.code, session.host))["messages"]
    assert event["data"]["args"] == {"text": "Sale \ufffd"}


def replaced(value: Any) -> Any:
    """`value` as JavaScript's `toWellFormed` would have it, in all of its texts."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [replaced(item) for item in value]
    return {replaced(name): replaced(item) for name, item in value.items()}
