"""What a model is given of a result: JSON if it is small, otherwise the beginning of its text, with a word about it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from waypost_worker.chat.tool_result import cut, shown

LIMIT = 40


def raw(value: Any) -> Raw:
    """As the queue has it: compact."""
    return Raw(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


@pytest.mark.parametrize(
    "value", [None, 1, "text", {"a": [1, 2]}, [], {"content": "a page"}, {"content": [{"type": "chapter"}]}]
)
def test_small_json_stays_json(value: Any):
    assert shown(raw(value), LIMIT) == (value, False)


def test_what_is_just_within_the_limit_is_not_cut_and_one_byte_more_is():
    assert shown(raw("x" * (LIMIT - 2)), LIMIT) == ("x" * (LIMIT - 2), False)
    text, _ = shown(raw("x" * (LIMIT - 1)), LIMIT)
    assert text.startswith("x" * (LIMIT - 1) + "\n[The result was cut here: it has 41 bytes, of which 40 are shown.]")
    assert cut("x" * LIMIT, LIMIT) == "x" * LIMIT
    assert cut("é" * LIMIT, LIMIT).startswith("é" * (LIMIT // 2) + "\n[The result was cut here: it has 80 bytes")


def test_long_json_becomes_the_beginning_of_its_text():
    text, _ = shown(raw({"numbers": list(range(100))}), LIMIT)
    assert text.startswith('{"numbers":[0,1,2,3,')
    assert "[The result was cut here" in text


@given(st.text(min_size=30), st.booleans())
def test_a_long_string_is_cut_between_its_characters(value: str, escaped: bool):
    text, is_error = shown(Raw(json.dumps(value, ensure_ascii=escaped).encode(errors="surrogatepass")), 20)
    assert not is_error
    assert text == value or value.startswith(text.rpartition("\n[The result was cut here")[0])


def test_a_result_in_mcp_s_form_becomes_its_texts():
    blocks = [
        {"type": "text", "text": "One."},
        {"type": "image", "mimeType": "image/png", "data": "AAAA"},
        {"type": "resource", "resource": {"uri": "file:///a", "text": "Two."}},
        {"type": "resource", "resource": {"uri": "file:///b", "blob": "AAAA"}},
        {"type": "resource_link", "uri": "https://a.example", "name": "a"},
        {"type": "audio"},
    ]
    assert shown(raw({"content": blocks, "isError": True}), 1000) == (
        "One.\n[image image/png: only text of a result is shown]\nTwo.\n"
        "[resource file:///b: only text of a result is shown]\n"
        "[resource_link https://a.example: only text of a result is shown]\n"
        "[audio: only text of a result is shown]",
        True,
    )


def test_a_large_picture_does_not_cut_the_text_beside_it():
    blocks = [{"type": "image", "mimeType": "image/png", "data": "A" * 10_000}, {"type": "text", "text": "A cat."}]
    assert shown(raw({"content": blocks}), 100)[0].endswith("A cat.")


def test_the_structure_of_a_result_without_blocks_is_its_value():
    assert shown(raw({"content": [], "structuredContent": {"a": 1}}), LIMIT) == ({"a": 1}, False)
    assert shown(raw({"content": []}), LIMIT) == ({"content": []}, False)


def test_a_text_block_without_a_text_is_named():
    assert shown(raw({"content": [{"type": "text"}]}), 100)[0] == "[text: only text of a result is shown]"
