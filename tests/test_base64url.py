"""base64url without padding: RFC 4648, section 10, without `=`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost_worker.base64url import decode_base64url, encode_base64url

EXAMPLES = [(b"", ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"foob", "Zm9vYg"), (b"\xfb\xff", "-_8")]


@pytest.mark.parametrize(("data", "text"), EXAMPLES)
def test_bytes_are_spelled_with_the_url_safe_alphabet_and_without_padding(data: bytes, text: str):
    assert encode_base64url(data) == text
    assert decode_base64url(text) == data


@given(st.binary(max_size=100))
def test_what_was_encoded_is_decoded(data: bytes):
    assert decode_base64url(encode_base64url(data)) == data


@pytest.mark.parametrize("text", ["A", "AAAAA", "\u00e9A", "\ud800A"])
def test_what_spells_no_bytes_is_refused(text: str):
    with pytest.raises(ValueError, match="."):
        decode_base64url(text)


@pytest.mark.parametrize("text", ["Zh", "Zg==", "Z.g=="])
def test_a_second_spelling_is_decoded_so_its_caller_has_to_compare(text: str):
    assert decode_base64url(text) == b"f"
    assert encode_base64url(decode_base64url(text)) != text
