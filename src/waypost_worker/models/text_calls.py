"""Finds calls of tools that a server has left in the text of an answer, as its model writes them.

Servers put a call into its own field if they know how the model writes it; many are started without that, or do it only
where they do not stream. Such a call stands at the end of the answer, behind a mark of the model's template, or is the
whole answer. What other text follows is an example that the answer shows, and no call; nor is one of a tool that the
model was not offered.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from waypost_worker.limits import MAX_ANSWER_CHARACTERS, MAX_CALLS_PER_REPLY
from waypost_worker.models.call_parts import CallPart, call_parts
from waypost_worker.models.model import ModelTool

MARKS = (
    "<tool_call>",  # Qwen, Hermes, GLM
    "<function=",  # Qwen Coder, Llama 3.1
    "<|python_tag|>",  # Llama 3
    "<|tool_call|>",  # Granite, Phi
    "[TOOL_CALLS]",  # Mistral
    "<|tool_calls_section_begin|>",  # Kimi K2
    "<｜tool▁calls▁begin｜>",  # DeepSeek
    "<minimax:tool_call>",  # MiniMax
)
"""What a call begins with in the templates of these models."""

FIRST_NAMES = ("name", "type", "function", "tool_calls")
"""The first names of an object that is a call."""

_STARTS = [f'{list_}{{"{name}"' for name in FIRST_NAMES for list_ in ("", "[")]
_FENCE = "```json"

_BETWEEN = re.compile(
    r"(?:[\s,;]|</?(?:minimax:)?tool_calls?>|<\|/?tool_call\|>|<\|python_tag\|>|\[TOOL_CALLS\]"
    r"|<\|tool_call(?:s_section)?_(?:begin|end)\|>|<｜tool▁calls?▁(?:begin|end)｜>"
    r"|<\|(?:eom_id|eot_id|im_end)\|>|<｜end▁of▁sentence｜>)*"
)
_FUNCTION = re.compile(r"<function=([\w-]+)>(.*?)</function>", re.DOTALL)
_INVOKE = re.compile(r'<invoke name="([\w.-]+)">(.*?)</invoke>', re.DOTALL)
_KEYED = re.compile(r"([\w.-]+)(?=\s*(?:<arg_key>|</tool_call>))")
_VALUE = re.compile(
    r"<parameter=(?P<equal>[\w-]+)>"
    r'|<parameter name="(?P<name>[\w-]+)">'
    r"|<arg_key>(?P<key>[^<]{1,128})</arg_key>\s*<arg_value>"
)
"""Where the value of an argument begins: Qwen Coder, MiniMax, GLM."""

_BEFORE_JSON = re.compile(
    r"(?:functions\.)?([\w.-]+?)(?::\d+)?\s*<\|tool_call_argument_begin\|>"  # Kimi K2
    r"|(?:function<｜tool▁sep｜>)?([\w.-]+)(?:<｜tool▁sep｜>|\s*```json)"  # DeepSeek
)
_NAMED = re.compile(r"([\w-]+)(?:\[ARGS\])?(?=\{)")
_SPACE = re.compile(r"\s*")
_FIRST_NAME = re.compile(r'\[?\{"name":"([^"]*)"')
_JSON = json.JSONDecoder(strict=False)


class TextCalls:
    """The text of one answer of a model that was offered `tools`. Holds back what may be a call."""

    def __init__(self, tools: Sequence[ModelTool]) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._undecided = ""
        self._is_start = True
        self._held: list[str] = []
        self._held_characters = 0

    def feed(self, text: str) -> str:
        """The text that certainly is no call."""
        if self._held:
            return self._hold(text)
        text, self._undecided = self._undecided + text, ""
        if self._is_start and (is_bare := self._is_bare(text)) is not False:
            if is_bare:
                return self._hold(text)
            self._undecided = text
            return ""
        self._is_start = False
        places = [place for mark in MARKS if (place := text.find(mark)) >= 0]
        place = min(places, default=len(text) - _begun(text))
        if places:
            return text[:place] + self._hold(text[place:])
        self._undecided = text[place:]
        return text[:place]

    def end(self, *, is_whole: bool) -> tuple[str, list[CallPart]]:
        """What was held back, as text or as calls. Only a whole answer, without calls beside its text, has some."""
        held = "".join(self._held) + self._undecided
        self._held, self._undecided = [], ""
        calls = list(self._calls(held) or ()) if is_whole else []
        return ("", calls) if calls else (held, [])

    def _hold(self, text: str) -> str:
        self._held.append(text)
        self._held_characters += len(text)
        if self._held_characters <= MAX_ANSWER_CHARACTERS:
            return ""
        # No call is that long. What follows may still end with one.
        sure, self._held, self._held_characters, self._is_start = "".join(self._held), [], 0, False
        return sure

    def _is_bare(self, text: str) -> bool | None:
        """Whether the answer begins as a call in JSON does, with or without a fence around it; `None` while it is too
        short to say."""
        start = "".join(text.split())
        if _FENCE.startswith(start):
            return None
        start = start.removeprefix(_FENCE).removeprefix("```")
        if (named := _FIRST_NAME.match(start)) is not None:
            return named[1] in self._tools
        if any(start.startswith(each) for each in _STARTS):
            return None if start.lstrip("[").startswith('{"name') else True
        return None if any(each.startswith(start) for each in _STARTS) else False

    def _calls(self, text: str) -> list[CallPart] | None:
        """The calls of which `text` consists; `None` if it has anything else."""
        if text.lstrip().startswith("```"):
            text = re.sub(r"^\s*```(?:json)?|```\s*$", "", text)
        calls: list[CallPart] = []
        try:
            while (text := text[_BETWEEN.match(text).end() :]) and len(calls) <= MAX_CALLS_PER_REPLY:  # type: ignore[union-attr]
                found, end = self._first(text)
                calls += found
                text = text[end:]
        except (ValueError, RecursionError):
            return None
        return calls

    def _first(self, text: str) -> tuple[list[CallPart], int]:
        """The calls in the first value of `text`, and where it ends.

        Raises:
            ValueError: it begins with no call of a tool that was offered.
        """
        if function := _FUNCTION.match(text) or _INVOKE.match(text):
            value: Any = {"name": function[1], "arguments": self._arguments(function[1], function[2])}
            end = function.end()
        elif keyed := _KEYED.match(text):
            body = text[keyed.end() :].partition("</tool_call>")[0]
            value = {"name": keyed[1], "arguments": self._arguments(keyed[1], body)}
            end = keyed.end() + len(body)
        elif begun := _BEFORE_JSON.match(text):
            args, end = _JSON.raw_decode(text, _SPACE.match(text, begun.end()).end())  # type: ignore[union-attr]
            value = {"name": begun[1] or begun[2], "arguments": args}
            # The end of DeepSeek's fence.
            end += len(text[end:]) - len(text[end:].lstrip().removeprefix("```"))
        elif named := _NAMED.match(text):
            args, end = _JSON.raw_decode(text, named.end())
            value = {"name": named[1], "arguments": args}
        else:
            value, end = _JSON.raw_decode(text)
        if isinstance(value, dict) and "tool_calls" in value:
            value = value["tool_calls"]
        calls = list(call_parts(value))
        if not calls or any(call.name not in self._tools or call.args is None for call in calls):
            raise ValueError("no call")
        return calls, end

    def _arguments(self, name: str, body: str) -> Any:
        if body.lstrip().startswith("{"):
            return body
        return {key: self._argument(name, key, text) for key, text in _values(body)}

    def _argument(self, tool: str, name: str, text: str) -> Any:
        properties = self._tools[tool].schema.get("properties") if tool in self._tools else None
        schema = properties.get(name) if isinstance(properties, dict) else None
        if isinstance(schema, dict) and schema.get("type") == "string":
            return text
        try:
            return json.loads(text)
        except ValueError:
            return text


def _values(body: str) -> Iterator[tuple[str, str]]:
    """The arguments in `body` that stand there one by one: name and text."""
    end = 0
    while value := _VALUE.search(body, end):
        close = "</arg_value>" if value["key"] else "</parameter>"
        text, found, _ = body[value.end() :].partition(close)
        if not found:
            return
        end = value.end() + len(text) + len(close)
        yield value[value.lastgroup or 0], text.removeprefix("\n").removesuffix("\n") if value["equal"] else text


def _begun(text: str) -> int:
    """How many characters at the end of `text` may be the beginning of a mark."""
    lengths = range(min(len(text), max(map(len, MARKS)) - 1), 0, -1)
    return next((length for length in lengths if any(mark.startswith(text[-length:]) for mark in MARKS)), 0)
