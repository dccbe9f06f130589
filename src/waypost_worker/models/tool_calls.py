"""The calls of tools in one answer of a model, put together from their parts.

The documentation says: a call's first part has its `index`, its `id` and its name, and the others the same `index`.
Services differ:
- every call has the index 0 (Ollama, Gemini), or none has an index (older versions of both), or the parts of one call
  have several (Cerebras, Nebius);
- the id is empty, is repeated in every part (SGLang), is another one in every part (vLLM, LM Studio), or the same for
  all calls (OpenRouter);
- the name is repeated in every part (MiniMax), or comes in pieces (Gemini);
- the arguments are an object instead of its JSON, an empty text or null for a tool that takes none (most of them),
  begin with a `{}` that is not meant (gateways to Anthropic), or come twice, whole or as far as they are.
"""

from collections.abc import Iterable, Set
from typing import Any

from waypost_worker.errors import ModelFailed
from waypost_worker.limits import MAX_ANSWER_CHARACTERS, MAX_CALLS_PER_REPLY
from waypost_worker.models.call_args import NO_OBJECT, is_json, read_args
from waypost_worker.models.call_parts import CallPart
from waypost_worker.models.model import ToolUse


class ToolCalls:
    """The calls of an answer whose parts are arriving, of a model that was offered the tools `names`."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = frozenset(names)
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
            if call is None or call.is_followed_by(part, self._names):
                call = _Call("" if call is None else call.name)
                self._calls.append(call)
            if part.index is not None:
                self._by_index[part.index] = call
            call.take(part, self._names)
            if isinstance(part.args, str):
                self._characters += len(part.args)
            if len(self._calls) > MAX_CALLS_PER_REPLY or self._characters > MAX_ANSWER_CHARACTERS:
                raise ModelFailed("The model called too many tools, or with too long arguments.")

    def end(self) -> list[ToolUse]:
        """The calls, in their order, each with an id of its own."""
        uses: list[ToolUse] = []
        ids: set[str] = set()
        for number, call in enumerate(call for call in self._calls if not call.is_echo):
            id = call.id if call.id and call.id not in ids else f"call_{number}"
            ids.add(id)
            uses.append(ToolUse(id, call.name, *call.read()))
        return uses

    def _call_of(self, part: CallPart) -> "_Call | None":
        # Arguments alone begin no call, whatever their place is said to be.
        is_alone = not part.name and (not part.id or part.args not in (None, ""))
        if part.index is not None and (part.index in self._by_index or not is_alone):
            return self._by_index.get(part.index)
        same = [call for call in self._calls if part.id and call.id == part.id] or self._calls
        return same[-1] if same else None


class _Call:
    """One call. `before`: the name of the call that had its place before; empty if none had."""

    def __init__(self, before: str) -> None:
        self.id = ""
        self.name = ""
        self._before = before
        self._pieces: list[str] = []
        self._value: Any = None

    @property
    def is_echo(self) -> bool:
        """Whether it is no call, but the name of the one before it once more."""
        return bool(self._before) and self.name == self._before and not self.id and self._is_empty

    def take(self, part: CallPart, names: Set[str]) -> None:
        """Adds `part`."""
        self.name = self.name + part.name if self._is_named_on(part.name, names) else self.name or part.name
        self.id = self.id or part.id
        if isinstance(part.args, str):
            self._pieces += [part.args] if part.args else []
        elif part.args is not None:
            self._value = part.args

    def is_followed_by(self, part: CallPart, names: Set[str]) -> bool:
        """Whether `part` begins another call, though it has the place of this one."""
        # A part without a name goes on with its call, also under another id.
        if not part.name or not self.name or self._is_named_on(part.name, names):
            return False
        if part.id and self.id and part.id != self.id:
            return True
        if part.id and self.id and part.name == self.name:
            said, more = self._object(), _object(part.args)
            return bool(said) and bool(more) and said != more
        if part.name != self.name:
            return not (part.id and self.id) or part.name in names
        return self._value is not None or self._object() is not None

    def read(self) -> tuple[dict[str, Any] | None, str]:
        """Its arguments, or `None` and the problem."""
        if not self.name:
            return None, "The call names no tool."
        if self._value is None or (self._value == {} and self._pieces):
            return self._read_text()
        if not isinstance(self._value, dict) or not is_json(self._value):
            return None, f"{NO_OBJECT}."
        return self._value, ""

    @property
    def _is_empty(self) -> bool:
        return not self._pieces and self._value is None

    def _is_named_on(self, name: str, names: Set[str]) -> bool:
        """Whether `name` is the next piece of this call's name."""
        if not name or not self.name or self.name in names or name in names:
            return False
        return any(each.startswith(self.name + name) for each in names)

    def _object(self) -> dict[str, Any] | None:
        return self._value if isinstance(self._value, dict) else _object("".join(self._pieces))

    def _read_text(self) -> tuple[dict[str, Any] | None, str]:
        args, problem = read_args("".join(self._pieces))
        *before, last = self._pieces or [""]
        if args is None and before and (args := _object(last)):
            # Each piece was all of the arguments so far, or the last one was.
            if all(map(last.startswith, before)) or last.startswith("".join(before)):
                return args, ""
            return None, problem
        return args, problem


def _object(args: Any) -> dict[str, Any] | None:
    """The object that `args` are as a whole; `None` if they are none yet."""
    if isinstance(args, str):
        return read_args(args)[0] if args.rstrip().endswith("}") else None
    return args if isinstance(args, dict) else None
