"""The last elements of a JSON array, without decoding those before them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost_worker.http.json_tail import WINDOW, last_elements

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(['\\"', "\\\\", '"', "[{", "]},", "😀"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(JSON), st.sampled_from([None, 1]), st.booleans())
def test_the_elements_come_from_the_last_to_the_first(values: list[object], indent: int | None, ascii_only: bool):
    text = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode()
    found = list(last_elements(b" " + text + b"\n", 100_000))
    assert [json.loads(bytes(element)) for element in found] == values[::-1]


def test_what_stands_before_the_elements_that_are_wanted_is_not_looked_at():
    # Not even JSON: it would be noticed.
    tail = last_elements(b'[ }}}] "unclosed, {"a":1},{"b":2}]', 100)
    assert [bytes(next(tail)).strip() for _ in range(2)] == [b'{"b":2}', b'{"a":1}']


def test_an_array_may_be_a_part_of_a_text():
    text = b'{"a":[0],"b":[1,2],"c":[3]}'
    assert list(last_elements(text, 100, text.index(b',"c"'))) == [b"2", b"1"]


def test_the_work_is_bounded():
    assert list(last_elements(b"[[1,1,1],2]", 3)) == [b"2"]
    assert list(last_elements(rb'["\"\"\"\"",2]', 4)) == [b"2"]
    assert list(last_elements(b"[]", 10)) == []
    assert list(last_elements(b"]", 10)) == []


@pytest.mark.parametrize("length", [WINDOW - 1, WINDOW, WINDOW + 1, 3 * WINDOW])
def test_long_numbers_and_long_strings_are_passed_over(length: int):
    for filler in (b"x", rb"\\\\"):
        text = b"[%s,%s]" % (b'"' + filler * length + b'"', b"1" * length)
        assert [len(element) for element in last_elements(text, 100)] == [length, length * len(filler) + 2]
