"""What some services demand of calls that they are given back, and say only where they refuse a request without it.

Others refuse the very same. So it is sent where it was demanded: the request is made once more with it, and all further
ones for that model are made with it.
"""

import re
from typing import Any

REASONING = "reasoning"
"""DeepSeek and Moonshot: what the model thought before its calls. Groq, Cerebras and Mistral refuse that field."""

SIGNATURES = "signatures"
"""Gemini: the signature of the thoughts before a call, or the word that none was kept."""

DEFINITIONS = "definitions"
"""Anthropic, Bedrock, and gateways to them: definitions of the tools that the conversation has calls of, though none is
offered any more."""

CALLS_ALONE = "calls alone"
"""Mistral's older models: no text beside a call."""

_PHRASES = {
    REASONING: r"reasoning_content.{0,60}(must be passed|is missing)|missing .{0,20}reasoning_content",
    SIGNATURES: r"missing a .?thought_signature",
    DEFINITIONS: r"tool_(use|result).{0,40}must define tools|without .?tools=|toolConfig field must be defined",
    CALLS_ALONE: r"either content or tool_calls,? but not both",
}
_DEMANDED = {demand: re.compile(phrase, re.IGNORECASE | re.DOTALL) for demand, phrase in _PHRASES.items()}

_NO_SIGNATURE = {"google": {"thought_signature": "skip_thought_signature_validator"}}
"""https://ai.google.dev/gemini-api/docs/thought-signatures"""


class Demands:
    """What the services behind one provider have demanded, by the model's name. There are as many as the settings
    have."""

    def __init__(self) -> None:
        self._of: dict[str, frozenset[str]] = {}

    def of(self, model: str) -> frozenset[str]:
        """What was demanded for `model` so far."""
        return self._of.get(model, frozenset())

    def learn(self, model: str, refusal: str, met: frozenset[str]) -> frozenset[str]:
        """Remembers what `refusal` demands for `model`. Returns the demands that the request is to meet when it is made
        again; those that the refused one has `met`, if it demands nothing else."""
        if added := demanded_in(refusal) - met:
            self._of[model] = self.of(model) | added
            return self._of[model] | met
        return met


def demanded_in(log_detail: str) -> frozenset[str]:
    """The demands in a service's refusal."""
    return frozenset(demand for demand, phrase in _DEMANDED.items() if phrase.search(log_detail))


def meet(demands: frozenset[str], body: dict[str, Any]) -> dict[str, Any]:
    """The request `body` as the service demands it. `REASONING` is met where the messages are made."""
    messages = [_met(demands, message) if "tool_calls" in message else message for message in body["messages"]]
    names = {call["function"]["name"]: None for message in messages for call in message.get("tool_calls", ())}
    if DEFINITIONS in demands and names and "tools" not in body:
        body = {**body, "tools": [_defined(name) for name in names], "tool_choice": "none"}
    return {**body, "messages": messages}


def _met(demands: frozenset[str], message: dict[str, Any]) -> dict[str, Any]:
    if SIGNATURES in demands:
        message = {
            **message,
            "tool_calls": [{**call, "extra_content": _NO_SIGNATURE} for call in message["tool_calls"]],
        }
    return {**message, "content": ""} if CALLS_ALONE in demands else message


def _defined(name: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {}}
    told = {"name": name, "description": "A tool that can't be called any more.", "parameters": parameters}
    return {"type": "function", "function": told}
