"""Half a surrogate pair, written as an escape in JSON (`\\ud83c` alone), becomes U+FFFD: text that JavaScript cuts in
the middle of an emoji arrives with one character lost, where a JSON parser would refuse all of it."""

import re

import msgspec

# A run of backslashes begins after another character. If it is odd, its last backslash begins an escape.
_SURROGATES = re.compile(
    rb"(?<!\\)((?:\\\\)*+)\\u[dD](?:[89abAB][0-9a-fA-F]{2}(\\u[dD][c-fC-F][0-9a-fA-F]{2})?|[c-fC-F][0-9a-fA-F]{2})"
)
_skip = msgspec.json.Decoder(msgspec.Raw).decode


def well_formed(body: bytes) -> bytes:
    """`body`, with each escaped half of a surrogate pair replaced by `\\ufffd`; unchanged if it is valid JSON, or has
    no half."""
    if b"\\ud" not in body and b"\\uD" not in body:
        return body
    try:
        # Whole pairs are valid, so most texts with emojis end here.
        _skip(body)
    except msgspec.DecodeError:
        return _SURROGATES.sub(_whole, body)
    return body


def _whole(match: re.Match[bytes]) -> bytes:
    return match[0] if match[2] else match[1] + b"\\ufffd"
