"""The calls of tools in one answer of a model, put together from their parts.

The documentation says: a call's first part has its `index`, its `id` and its name, and the others the same `index`.
Services differ:
- every call has the index 0 (Ollama, Gemini), or none has an index (older versions of both);
- the id is empty, is repeated in every part (SGLang), or is another one in every part (vLLM);
- the name is repeated in every part;
- the arguments are an object instead of its JSON, an empty text or null for a tool that takes none (most of them),
  begin with a `{}` that is not meant (gateways to Anthropic), or come twice.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from waypost_worker.errors import ModelFailed
from waypost_worker.limits import MAX_ANSWER_CHARACTERS, MAX_CALLS_PER_REPLY
from waypost_worker.models.call_parts import CallPart
from waypost_worker.models.model import ToolUse
from waypost_worker.surrogates import well_formed

NO_OBJECT = "The arguments are not a JSON object"

MAX_VALUES = 2
"""JSON values in the arguments of one call."""

_SPACE = re.compile(r"[ \t\r\n]*")


class ToolCalls:
    """The calls of an answer whose parts are arriving."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._characters = 0

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, parts: Iterable[CallPart]) -> None:
        """Adds `parts`, each to its call.

        Raises:
            ModelFailed: there are more than `MAX_CALLS_PER_REPLY`, or their arguments are over `MAX_ANSWER_CHARACTERS`.
        """
        for part in parts:
            call = self._call_of(part)
            if call is None or call.is_followed_by(part):
                call = _Call()
                self._calls.append(call)
            if part.index is not None:
                self._by_index[part.index] = call
            call.id, call.name = call.id or part.id, call.name or part.name
            if isinstance(part.args, str):
                call.pieces.append(part.args)
                self._characters += len(part.args)
            elif part.args is not None:
                call.value = part.args
            if len(self._calls) > MAX_CALLS_PER_REPLY or self._characters > MAX_ANSWER_CHARACTERS:
                raise ModelFailed("The model called too many tools, or with too long arguments.")

    def end(self) -> list[ToolUse]:
        """The calls, in their order, each with an id of its own."""
        uses: list[ToolUse] = []
        ids: set[str] = set()
        for number, call in enumerate(self._calls):
            id = call.id if call.id and call.id not in ids else f"call_{number}"
            ids.add(id)
            uses.append(ToolUse(id, call.name, *call.read()))
        return uses

    def _call_of(self, part: CallPart) -> "_Call | None":
        if part.index is not None:
            return self._by_index.get(part.index)
        same = [call for call in self._calls if part.id and call.id == part.id] or self._calls
        return same[-1] if same else None


class _Call:
    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.pieces: list[str] = []
        self.value: Any = None

    def is_followed_by(self, part: CallPart) -> bool:
        """Whether `part` begins another call, though it has the place of this one."""
        # A part without a name goes on with its call, also under another id.
        if not part.name or not self.name:
            return False
        if part.id and self.id:
            return part.id != self.id
        if part.name != self.name or self.value is not None:
            return True
        said = "".join(self.pieces).rstrip()
        return said.endswith("}") and read_args(said)[0] is not None

    def read(self) -> tuple[dict[str, Any] | None, str]:
        """Its arguments, or `None` and the problem."""
        if not self.name:
            return None, "The call names no tool."
        if self.value is None:
            return read_args("".join(self.pieces))
        if not isinstance(self.value, dict) or not _is_json(self.value):
            return None, f"{NO_OBJECT}."
        return self.value, ""


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
        if len(values) > MAX_VALUES or not _is_json(value):
            raise ValueError("there is something else")
    return values


def _is_json(value: Any) -> bool:
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
