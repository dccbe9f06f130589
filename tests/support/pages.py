"""A page with tools of its own, as the AI SDK keeps it: it makes its messages from the stream, runs what becomes
available, and sends its messages again once each call of the last step has an output."""

import copy
import json
from typing import Any

from simulation.client import Client, Reply
from tests.support.chats import ADA, THREAD, Chats, ui_chunks

PAGE_TOOLS = {
    "ask_user": {"description": "Asks.", "parameters": {"type": "object", "properties": {"text": {"type": "string"}}}},
    "pick": {},
}


class Page:
    """A page on the thread of `at`. `available`: the calls that it was to run, in order."""

    def __init__(self, at: Chats, tools: Any = PAGE_TOOLS, **body: Any) -> None:
        self._at = at
        self._body = {"tools": tools, **body}
        self.messages: list[Any] = []
        self.available: list[tuple[str, Any]] = []

    def copy(self) -> "Page":
        """The same page, opened once more."""
        other = Page(self._at)
        other.messages = copy.deepcopy(self.messages)
        return other

    @property
    def answer(self) -> Any:
        """The last message."""
        return self.messages[-1]

    @property
    def calls(self) -> list[Any]:
        """The tool calls in it."""
        return [part for part in self.answer["parts"] if "toolCallId" in part]

    @property
    def text(self) -> str:
        """Its text."""
        return "".join(part.get("text", "") for part in self.answer["parts"] if part["type"] == "text")

    async def ask(self, text: str = "Hi", id: str = "m1", at: Client | None = None, **body: Any) -> Reply:
        """Asks, and reads the answer to its end."""
        self.messages.append({"id": id, "role": "user", "parts": [{"type": "text", "text": text}]})
        return await self.send(at, **body)

    def put(self, number: int, output: Any) -> None:
        """The call of this number has run."""
        self.calls[number].update(state="output-available", output=output)

    def fail(self, number: int, text: str) -> None:
        """The call of this number has failed."""
        self.calls[number].update(state="output-error", errorText=text)

    async def go_on(self, at: Client | None = None, **body: Any) -> Reply:
        """Sends the outputs, and reads what follows to its end."""
        return await self.send(at, messageId=self.answer["id"], **body)

    async def send(self, at: Client | None = None, **body: Any) -> Reply:
        """Sends the messages as they are."""
        sent = {"id": THREAD, "resourceId": ADA, "trigger": "submit-message", "messages": self.messages}
        reply = await (at or self._at.here).call("POST", "/api/chat", {**sent, **self._body, **body})
        if reply.status == 200:
            self.read(reply.body)
        return reply

    async def refused(self, at: Client | None = None, **body: Any) -> tuple[str, str]:
        """The code and the sentence with which outputs are refused."""
        reply = await self.go_on(at, **body)
        assert reply.status >= 400, reply.body
        problem = json.loads(reply.body)
        return problem["code"], problem["detail"]

    def read(self, body: bytes) -> None:
        """Adds what a stream says."""
        chunks = ui_chunks(body)
        if self.messages[-1]["role"] != "assistant":
            self.messages.append({"id": chunks[0]["messageId"], "role": "assistant", "parts": []})
        assert self.answer["id"] == chunks[0]["messageId"], "the answer became another message"
        for chunk in chunks[1:]:
            self._add(chunk)

    def _add(self, chunk: Any) -> None:
        parts = self.answer["parts"]
        match chunk["type"]:
            case "start-step":
                parts.append({"type": "step-start"})
            case "text-start":
                parts.append({"type": "text", "text": ""})
            case "text-delta":
                parts[-1]["text"] += chunk["delta"]
            case "tool-input-start":
                is_dynamic = chunk.get("dynamic", False)
                kind = {"type": "dynamic-tool", "toolName": chunk["toolName"], "providerExecuted": True}
                static = {"type": f"tool-{chunk['toolName']}"}
                parts.append({**(kind if is_dynamic else static), "toolCallId": chunk["toolCallId"]})
            case "tool-input-delta":
                self._call(chunk).update(state="input-streaming", input=json.loads(chunk["inputTextDelta"]))
            case "tool-input-available":
                self._call(chunk).update(state="input-available", input=chunk["input"])
                if not chunk.get("providerExecuted"):
                    self.available.append((chunk["toolName"], chunk["input"]))
            case "tool-output-available":
                self._call(chunk).update(state="output-available", output=chunk["output"])
            case "tool-output-error":
                self._call(chunk).update(state="output-error", errorText=chunk["errorText"])

    def _call(self, chunk: Any) -> Any:
        return next(part for part in self.answer["parts"] if part.get("toolCallId") == chunk["toolCallId"])

    @property
    def sends_by_itself(self) -> bool:
        """Whether the AI SDK would send the messages now: its oldest release looks at all calls of the last step."""
        last = max(index for index, part in enumerate(self.answer["parts"]) if part["type"] == "step-start")
        calls = [part for part in self.answer["parts"][last:] if part["type"].startswith("tool-")]
        return bool(calls) and all(part["state"] == "output-available" for part in calls)


class PageChats(Chats):
    """Chats with a page that has tools of its own."""

    def page(self, tools: Any = PAGE_TOOLS, **body: Any) -> Page:
        """A page."""
        return Page(self, tools, **body)

    async def log(self) -> list[tuple[Any, ...]]:
        """The log of the last answer that is kept, in short."""
        events = (await self.items())[-1].tool_events
        return [(event.kind, event.name or event.value) for event in events]
