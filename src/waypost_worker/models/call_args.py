"""The arguments of a model's call, as it wrote them: JSON, or nearly."""

import json
import re
from typing import Any

import msgspec

from waypost_worker.surrogates import well_formed

NO_OBJECT = "The arguments are not a JSON object"

MAX_VALUES = 2
"""JSON values in the arguments of one call."""

_SPACE = re.compile(r"[ \t\r\n]*")


def read_args(text: str) -> tuple[dict[str, Any] | None, str]:
    """The arguments in `text`, or `None` and what is wrong with it."""
    text = well_formed(text).strip()
    if text in ("", "null"):
        return {}, ""
    try:
        found = _values(text)
    except (ValueError, RecursionError) as error:
        return None, f"{NO_OBJECT}: {error}."
    if len(found) == 1 and isinstance(found[0], str):
        return read_args(found[0])
    # An empty object that is not meant stands before the arguments, or they came twice.
    meant = [value for value in found if value != {}] or found[:1]
    if not isinstance(meant[0], dict) or any(value != meant[0] for value in meant):
        return None, f"{NO_OBJECT}."
    return meant[0], ""


def _values(text: str) -> list[Any]:
    """The JSON values of which `text` consists: one, or two where one is not meant."""
    try:
        return [msgspec.json.decode(text)]
    except msgspec.DecodeError:
        pass
    values: list[Any] = []
    end = 0
    while end < len(text):
        value, end = _DECODER.raw_decode(text, end)
        values.append(value)
        end = _SPACE.match(text, end).end()  # type: ignore[union-attr]
        if len(values) > MAX_VALUES or not is_json(value):
            raise ValueError("there is something else")
    return values


def is_json(value: Any) -> bool:
    """Whether `value` can be sent on: halves of characters, which JSON may escape, can't."""
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError:
        return False
    return True


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(strict=False, parse_constant=_no_number)
"""Models leave line ends in texts unescaped."""
