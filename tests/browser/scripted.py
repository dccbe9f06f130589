"""A chat whose answers a test says itself, event by event: the page's requests about chats never reach the Worker."""

import json
from typing import Any

from playwright.sync_api import BrowserContext, Page

STAND_IN = r"""(() => {
  const real = window.fetch;
  const frames = [];
  const listeners = new Set();
  const bytes = (text) => new TextEncoder().encode(text);
  const json = (body) => new Response(JSON.stringify(body), { headers: { "content-type": "application/json" } });
  window.script = { asked: [], history: [], refusal: null };
  window.script.tell = (frame) => {
    frames.push(frame);
    for (const listener of listeners) {
      listener.enqueue(bytes(frame));
      if (frame.startsWith("event: done")) listener.close();
    }
    if (frame.startsWith("event: done")) {
      listeners.clear();
      frames.length = 0;
    }
  };
  const listen = () => {
    let mine;
    const start = (controller) => {
      for (const frame of frames) controller.enqueue(bytes(frame));
      listeners.add((mine = controller));
    };
    const body = new ReadableStream({ start, cancel: () => listeners.delete(mine) });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
  window.fetch = async (resource, options = {}) => {
    const { pathname } = new URL(resource, location.href);
    if (pathname === "/api/chat") {
      const asked = JSON.parse(options.body);
      window.script.asked.push(asked);
      const { refusal } = window.script;
      window.script.refusal = null;
      if (refusal) return new Response(JSON.stringify(refusal), { status: 401 });
      const { threadId, resourceId, messageId } = asked;
      const start = { session_id: "s", threadId, resourceId, generationId: "g1", messageId };
      const timestamp = new Date().toISOString();
      window.script.history.push({ id: messageId, role: "user", content: asked.message, timestamp });
      frames.push(`event: start\ndata: ${JSON.stringify(start)}\n\n`);
      return listen();
    }
    const verb = /^\/api\/chat\/.*\/(\w+)$/.exec(pathname)?.[1];
    if (verb === "stream") return frames.length ? listen() : new Response(null, { status: 204 });
    const messages = window.script.history;
    if (pathname === "/api/conversations/s") return json({ sessionId: "s", messages, truncated: false });
    if (pathname === "/api/sessions/s/pages") return json({ pages: [] });
    return real(resource, options);
  };
})()"""


class ScriptedAnswer:
    """The answer that is running on a page. Every method adds one event to it, with the id that the server gives it."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._at = {"text": 0, "reasoning": 0, "tools": 0}
        self.events: list[dict[str, Any]] = []
        """What the history has of its tool calls."""

    def say(self, text: str) -> None:
        """Add to the text."""
        self._at["text"] += len(text)
        self._tell("delta", {"text": text})

    def think(self, text: str) -> None:
        """Add to the reasoning."""
        self._at["reasoning"] += len(text)
        self._tell("reasoning", {"text": text})

    def call(self, id: str, name: str, arguments: object, step: int = 0) -> None:
        """Call a tool."""
        self._keep("call", id, name=name, value=arguments, step=step)
        self._tell("tool_call", {"id": id, "name": name, "arguments": arguments, "step": step})

    def report(self, id: str, progress: object) -> None:
        """Report progress of a call."""
        self._keep("progress", id, value=progress)
        self._tell("tool_progress", {"id": id, "progress": progress})

    def give(self, id: str, result: object, *, is_error: bool = False) -> None:
        """Give a call its result."""
        self._keep("result", id, value=result, isError=is_error)
        self._tell("tool_result", {"id": id, "result": result, "isError": is_error})

    def end(self, reason: str = "stop") -> None:
        """End the answer."""
        done = {"generationId": "g1", "messageId": "g1", "finishReason": reason, "messageCount": 2}
        done["partial"] = reason != "stop"
        self._page.evaluate("frame => script.tell(frame)", f"event: done\ndata: {json.dumps(done)}\n\n")

    def fail(self, code: str, message: str) -> None:
        """End the answer with an error, behind what it has."""
        self._tell("error", {"code": code, "message": message, "partial": True})
        self.end("error")

    def keep(self, content: str, reasoning: str) -> None:
        """Have the history show the answer as it was."""
        answer = {"id": "g1", "role": "assistant", "content": content, "reasoning": reasoning}
        kept = {**answer, "timestamp": "2026-11-27T03:00:00Z", "toolEvents": self.events, "partial": True}
        self._page.evaluate("kept => script.history.push(kept)", kept)

    def _keep(self, kind: str, id: str, **more: object) -> None:
        place = {"text": self._at["text"], "reasoning": self._at["reasoning"]}
        self.events.append({"kind": kind, "id": id, **more, **place})
        self._at["tools"] += 1

    def _tell(self, name: str, data: dict[str, Any]) -> None:
        text, reasoning, tools = self._at.values()
        position = f"g1.{text}" + (f"r{reasoning}" if reasoning else "") + (f"t{tools}" if tools else "")
        frame = f"event: {name}\nid: {position}\ndata: {json.dumps(data)}\n\n"
        self._page.evaluate("frame => script.tell(frame)", frame)


def script(context: BrowserContext) -> None:
    """Have the pages that `context` opens from now on ask the test instead of the Worker."""
    context.add_init_script(STAND_IN)
