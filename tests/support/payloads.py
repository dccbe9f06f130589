"""JSON that is easily damaged on its way."""

import json
from typing import Any

from hypothesis import strategies as st

FIXED: dict[str, Any] = {
    "line ends": "a\rb\nc\r\nd\n\ndata: x\r\revent: end\n\n",
    "NUL and controls": "".join(map(chr, range(0x20))) + "\x7f\x80\x85\x9f",
    "a byte order mark in front": "\ufefftext",
    "line separators": "a\u2028b\u2029c",
    "leading spaces": "   text",
    "white space only": [" ", "\t", "\u00a0", "\u3000", ""],
    "a colon in front": ": comment",
    "emoji": "👩🏽\u200d🚀 🇩🇪 \U0010ffff",
    "noncharacters": "\ufffe\uffff\ufffd",
    "right to left": "\u202eabc\u202c שלום",
    "decomposed": ["é", "e\u0301"],
    "64-bit integers": [2**53, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1],
    "larger integers": [2**64, -(2**64), 10**40, 2**200],
    "whole floats": [1.0, -0.0, 0.0, 100.0, 1e15, 1e16, 1e22, 1e300],
    "awkward floats": [0.1, 5e-324, 1.7976931348623157e308, 2.2250738585072014e-308, 1e-7, 123456789.12345679],
    "all kinds": [None, True, False, 0, -1, "", [], {}, [[]], {"": {}}],
    "odd keys": {"": 1, " ": 2, "\x00": 3, "\n": 4, "\u2028": 5, "__proto__": {"x": 1}, "constructor": 6, ":😀": 7},
    "order of keys": {"z": 1, "a": 2, "10": 3, "9": 4, "1": 5, "Z": 6},
    "fields of ours inside": {"id": "x", "cursor": 1, "replay": True, "event": "end", "data": "data: x"},
    "HTML": "</script><!--<script>&amp;",
    "JSON in a string": json.dumps({"a": json.dumps("\u2028")}),
    "quotes and backslashes": '"\\"\'`\\u0000\\',
    "nested 100 deep": None,
    "a string of 200 KiB": "0123456789abcde\n" * (200 * 64),
    "a string of 200 KiB in UTF-8": "ä\u2028😀\n" * (20 * 1024),
    "many small values": list(range(5000)),
    "a text at the edge of the metadata": "x" * 1000,
}  # fmt: skip
for _ in range(100):
    FIXED["nested 100 deep"] = [FIXED["nested 100 deep"]] if _ % 2 else {"k": FIXED["nested 100 deep"]}

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=15,
)


def exact(value: Any) -> str:
    """Equal only for values that are the same: 1 and 1.0 differ, so do 0.0 and -0.0, and orders of keys."""
    return json.dumps(value)
