"""A page with tools of its own, in a chat that may use a tab too: it runs what becomes available, and sends the outputs
until the answer goes on, to any isolate. Sometimes it is open twice, and both send outputs of their own.

The model must never be asked to go on without an output that it waits for. Of each call one output counts, which is one
of those that were sent. Outputs that two isolates have at the same time may both be gone on with, each by another call
of a fickle model; then one of the two answers is kept, and a page may have been shown the other one.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from simulation.chats import RESOURCE, Chats, Isolate

TOOL = "choose"

Ending = Literal["", "stop", "tool-calls"]
"""How a stream ended; empty if it broke off, or the answer did."""


@dataclass
class Shown:
    """What the page shows of one answer: its id, its text, and its calls of the page's tools. `begun`: the text before
    the outputs that were sent last. `overlaps`: outputs were sent while another isolate may have had some: the page was
    open twice, or had not waited for the end."""

    id: str = ""
    text: str = ""
    begun: str = ""
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    session_id: str = ""
    is_whole: bool = False
    overlaps: bool = False

    @property
    def open_calls(self) -> list[dict[str, Any]]:
        """Those that became available and have no output yet."""
        return [call for call in self.calls.values() if call["state"] == "input-available"]

    @property
    def message(self) -> dict[str, Any]:
        """The message as the page sends it."""
        return {"id": self.id, "role": "assistant", "parts": list(self.calls.values())}


class PageAsker:
    """The page on the thread `name`, which may use the tab of `code`. `is_calm`: every write is visible immediately.
    `sent`: the outputs that were sent, by their calls. `doubtful`: questions whose answers may have gone on twice."""

    def __init__(self, chats: Chats, name: str, random: Random, code: str, *, is_calm: bool) -> None:
        self._chats = chats
        self._is_calm = is_calm
        self._random = random
        self._name = name
        self._session = {"code": code}
        self.sent: dict[str, list[Any]] = {}
        self.answers: list[Shown] = []
        self.doubtful: set[str] = set()

    async def ask_some(self) -> None:
        """Asks some questions, each until it is answered or not worth it any more."""
        for number in range(self._random.randint(1, 3)):
            id = f"{self._name}-q{number}"
            question = {"id": id, "role": "user", "parts": [{"type": "text", "text": id}]}
            shown = Shown()
            for _ in range(10):
                if shown.calls and not self._is_over(shown):
                    await self._go_on(question, shown)
                else:
                    shown = Shown()
                    await self._send(shown, {"messages": [question]})
                self.doubtful |= {id} if shown.overlaps else set()
                if shown.is_whole or self._random.random() < 0.05:
                    break
                await asyncio.sleep(self._random.choice((0, 0, 0.3, 6)))
            self.answers.append(shown)

    def _is_over(self, shown: Shown) -> bool:
        """Whether the calls of the answer are no more to be sent: the page was told that they were left."""
        return any(call["state"] == "output-error" for call in shown.calls.values())

    async def _go_on(self, question: Any, shown: Shown) -> None:
        if shown.open_calls:
            shown.begun = shown.text
        for call in shown.open_calls:
            call.update(state="output-available", output=self._output(call))
        shown.text = shown.begun
        sending = [self._send(shown, {"messages": [question, shown.message], "messageId": shown.id})]
        if self._random.random() < 0.3:
            calls = {id: {**call, "output": self._output(call)} for id, call in shown.calls.items()}
            other = Shown(shown.id, calls=calls)
            # In one isolate they see each other, where each sees what it has written.
            shown.overlaps |= len(self._chats.isolates) > 1 or not self._is_calm
            other.overlaps = shown.overlaps
            sending.append(self._send(other, {"messages": [other.message], "messageId": shown.id}))
        await asyncio.gather(*sending)

    def _output(self, call: dict[str, Any]) -> Any:
        output = {"did": call["input"], "by": self._random.getrandbits(30)}
        self.sent.setdefault(call["toolCallId"], []).append(output)
        return output

    async def _send(self, shown: Shown, body: dict[str, Any]) -> None:
        isolate = self._random.choice(self._chats.isolates)
        named = {"id": self._name, "resourceId": RESOURCE, "trigger": "submit-message", "session": self._session}
        sending = asyncio.ensure_future(self._hear(isolate, shown, {**named, "tools": {TOOL: {}}, **body}))
        dying = asyncio.ensure_future(isolate.kv.is_dead.wait())
        patience = self._random.choice((2, 90, 90, 90))
        await asyncio.wait({sending, dying}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        shown.overlaps |= len(self._chats.isolates) > 1 and not sending.done() and not dying.done()
        for task in (sending, dying):
            task.cancel()
        await asyncio.gather(sending, dying, return_exceptions=True)

    async def _hear(self, isolate: Isolate, shown: Shown, body: dict[str, Any]) -> None:
        response = await isolate.client.open("POST", "/api/chat", body=json.dumps(body).encode())
        if not isinstance(response.body, AsyncGenerator):
            assert isinstance(response.body, bytes)
            problem = json.loads(response.body)
            # Where a write is visible late, the answer may be there without its calls.
            if problem["code"] == "invalid_body" and self._is_sure(shown):
                self._chats.violations.append(f"the page ran a call that was not made: {problem['detail']}")
            return
        try:
            async for chunk in response.body:
                for line in chunk.decode().splitlines():
                    if line.startswith("data: {"):
                        self._take(shown, json.loads(line[6:]))
        finally:
            await response.body.aclose()

    def _take(self, shown: Shown, chunk: dict[str, Any]) -> None:
        id = chunk.get("toolCallId")
        match chunk["type"]:
            case "start":
                if shown.id not in ("", chunk["messageId"]):
                    self._chats.violations.append(f"became another message: {shown.id}, {chunk['messageId']}")
                shown.id, shown.session_id = chunk["messageId"], chunk["messageMetadata"]["session_id"]
            case "text-delta":
                shown.text += chunk["delta"]
            case "tool-input-available" if chunk["toolName"] == TOOL:
                part = {"type": f"tool-{TOOL}", "toolCallId": id, "state": "input-available", "input": chunk["input"]}
                shown.calls[chunk["toolCallId"]] = part
            case "tool-output-available" if id in shown.calls:
                shown.calls[id].update(state="output-available", output=chunk["output"])
            case "tool-output-error" if id in shown.calls:
                shown.calls[id].update(state="output-error")
            case "message-metadata":
                shown.is_whole = chunk["messageMetadata"]["finishReason"] == "stop"

    async def check(self) -> None:
        """Compares what is kept with what was sent and shown."""
        sessions = {shown.session_id for shown in self.answers if shown.session_id}
        for session_id in sorted(sessions):
            kept = await self._chats.persist("GET", f"/api/conversations/{session_id}")
            answers = {message["id"]: message for message in kept["messages"]}
            for message in answers.values():
                self._check_log(message)
            for shown in self.answers:
                if shown.is_whole and self._is_sure(shown):
                    self._check_whole(shown, answers.get(shown.id))

    def _is_sure(self, shown: Shown) -> bool:
        """Whether what the page shows must be what is kept."""
        return self._chats.world.in_one_centre and not shown.overlaps

    def _check_log(self, message: dict[str, Any]) -> None:
        results: dict[str, list[dict[str, Any]]] = {}
        for event in message.get("toolEvents", []):
            if event["kind"] == "result" and event.get("ofPage"):
                results.setdefault(event["id"], []).append(event)
        for id, events in results.items():
            if len(events) > 1:
                self._chats.violations.append(f"took {len(events)} outputs of one call: {id}")
            for event in events:
                if event.get("isError") and event["value"]["code"] == "other_tab":
                    self._chats.violations.append(f"the model was to go on without an output: {id}")
                elif not event.get("isError") and event["value"] not in self.sent.get(id, ()):
                    self._chats.violations.append(f"has an output that was not sent: {id}")

    def _check_whole(self, shown: Shown, kept: dict[str, Any] | None) -> None:
        if kept is None or kept["content"] != shown.text:
            self._chats.violations.append(f"heard whole, and not kept like this: {shown.id}: {shown.text}, {kept}")
            return
        outputs = {event["id"]: event["value"] for event in kept.get("toolEvents", []) if event["kind"] == "result"}
        if any(outputs.get(id) != call.get("output") for id, call in shown.calls.items()):
            self._chats.violations.append(f"shows another output than is kept: {shown.id}")
