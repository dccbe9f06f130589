"""Python values as JSON for the wire. What JSON can't carry is refused with its place, and nothing is dropped."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec


class Unsendable(TypeError):
    """A value that JSON can't carry. The message says which."""


def to_json(value: Any) -> bytes:
    """The JSON of `value`: of plain values, and of what msgspec knows (dataclasses, Structs, times, UUIDs, enums, bytes
    as base64), and of pydantic's models. Half a surrogate pair, which a text cut inside of an emoji has, becomes
    U+FFFD.

    Raises:
        Unsendable: it is a function, NaN, something that contains itself, …
    """
    try:
        plain = msgspec.to_builtins(value, str_keys=True, enc_hook=_of_model)
        text = json.dumps(plain, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except RecursionError as error:
        raise Unsendable("The value contains itself, or is nested too deeply.") from error
    except (TypeError, ValueError, msgspec.ValidationError) as error:
        place = _place_of_nan(value)
        raise Unsendable(f"{place} is no number in JSON." if place else f"{error}") from error
    return (
        text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode() if _is_cut(text) else text.encode()
    )


def plain_value(value: Any) -> Any:
    """`value` as it arrives at the other side: dictionaries, lists, texts, numbers. Raises `Unsendable`."""
    return json.loads(to_json(value))


def _of_model(value: Any) -> Any:
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump(mode="json")
    raise TypeError(f"A {type(value).__module__}.{type(value).__qualname__} is not JSON: send what you need of it.")


def _is_cut(text: str) -> bool:
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _place_of_nan(value: Any, path: str = "The value") -> str:
    """Where a float is that JSON has no number for; empty if nowhere. Looks into plain lists and dictionaries."""
    if isinstance(value, float) and not math.isfinite(value):
        return path
    if isinstance(value, dict):
        parts = ((f"{path}[{name!r}]", part) for name, part in value.items())
    elif isinstance(value, list | tuple):
        parts = ((f"{path}[{index}]", part) for index, part in enumerate(value))
    else:
        return ""
    return next((place for name, part in parts if (place := _place_of_nan(part, name))), "")
