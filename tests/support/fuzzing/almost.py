"""Strategies for what is almost right: a valid thing, and a small change of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from tests.support.strategies import json_values

EXTREME: Sequence[Any] = (
    None, True, 0, -1, 1.5, 2**31, 2**53, 2**63, 2**64, -(2**63) - 1, 10**400, 1e308, "", " ", ".", "..", "\0", "\n",
    "\ufeff", "\u2028", "\U0001f600", "é" * 200, "a" * 65, "a" * 129, "a" * 5000, [], {}, [[]], [None] * 101,
    {"": None}, {"code": "x"}, "2026-01-01T00:00:00.000Z", "9999-12-31T23:59:59-23:59", "%00", "..%2f",
)  # fmt: skip
"""Values that code often does not expect."""

odd_values = st.sampled_from(EXTREME).map(deepcopy) | json_values


@st.composite
def almost_json(draw: st.DrawFn, examples: Sequence[Any]) -> Any:
    """One of `examples`, with up to three values in it changed, removed or added."""
    value = json.loads(json.dumps(draw(st.sampled_from(examples))))
    for _ in range(draw(st.integers(0, 3))):
        value = _changed(draw, value)
    return value


def _changed(draw: st.DrawFn, value: Any) -> Any:
    if not isinstance(value, list | dict) or not value or draw(st.integers(0, 5)) == 0:
        return draw(odd_values)
    names = list(value) if isinstance(value, dict) else list(range(len(value)))
    name = draw(st.sampled_from(names))
    change = draw(st.sampled_from(("into", "into", "into", "drop", "add")))
    if change == "into":
        value[name] = _changed(draw, value[name])
    elif change == "drop":
        del value[name]
    elif isinstance(value, dict):
        value[draw(st.sampled_from(names) | st.text(max_size=5))] = draw(odd_values)
    else:
        value.append(draw(odd_values))
    return value


@st.composite
def almost_text(draw: st.DrawFn, examples: Sequence[str], alphabet: st.SearchStrategy[str] | None = None) -> str:
    """One of `examples` with up to three cuts, insertions, repetitions or changes of case; or any text."""
    if draw(st.integers(0, 6)) == 0:
        return draw(st.text(alphabet or st.characters(codec="utf-8"), max_size=80))
    text = draw(st.sampled_from(examples))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 8)))
        new = draw(
            st.just("")
            | st.text(alphabet or st.characters(codec="utf-8"), max_size=4)
            | st.sampled_from(
                ("\0", "\r\n", " ", ";", "~", "=", ":", ",", '"', "%", "%2F", "..", "\u0131", "é", "\ufeff")
            )
            | st.just(text[start:end] * 2)
            | st.just(text[start:end].swapcase())
        )
        text = text[:start] + new + text[end:]
    return text


@st.composite
def almost_bytes(draw: st.DrawFn, examples: st.SearchStrategy[bytes]) -> bytes:
    """An example with up to three cuts or insertions of any bytes; or any bytes."""
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=200))
    value = draw(examples)
    for _ in range(draw(st.sampled_from((0, 0, 0, 0, 1, 2)))):
        start = draw(st.integers(0, len(value)))
        end = draw(st.integers(start, min(len(value), start + 8)))
        new = draw(
            st.binary(max_size=4) | st.sampled_from((b'"', b"\\", b"\\ud800", b"\xff", b"{", b"]", b"\n", b"\0"))
        )
        value = value[:start] + new + value[end:]
    return value


@st.composite
def cut_up(draw: st.DrawFn, value: bytes) -> list[bytes]:
    """`value` in chunks of any size, some of them empty."""
    cuts = sorted(draw(st.lists(st.integers(0, len(value)), max_size=8)))
    return [value[start:end] for start, end in zip([0, *cuts], [*cuts, len(value)], strict=True)]
