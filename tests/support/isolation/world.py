"""One of everything: a session with its two queues, a conversation with documents and a page, an app's threads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tests.support.isolation.calls import MCP_ASKS, Sent, make_call
from waypost_worker.sessions.mcp_address import address_of

APP_KEY = "the-key-of-the-only-app"


@dataclass(frozen=True)
class Answered:
    """A reply; of a stream, what came in its first moments."""

    status: int
    headers: dict[str, str]
    body: bytes


class Send(Protocol):
    """Sends a request. `hold`: its stream stays open, as that of a reader who goes on listening."""

    async def __call__(self, sent: Sent, *, hold: bool = False) -> Answered: ...


@dataclass(frozen=True)
class World:
    """What one side has: ids by their name, tokens by their bearer's, and the word that is in all that it said."""

    ids: Mapping[str, str]
    tokens: Mapping[str, str]
    mark: str

    def bearer(self, name: str) -> str | None:
        """The token, or key, that goes into the header."""
        return APP_KEY if name == "key" else self.tokens.get(name)

    @property
    def owners(self) -> tuple[str, ...]:
        """Ids in the keys of all that belongs to the world, but for `running`, which its generation changes."""
        return tuple(self.ids[name] for name in ("code", "sid", "thread_sid", "resource", "intent"))

    @property
    def marks(self) -> tuple[str, ...]:
        """The texts that no other world must ever be shown."""
        return (self.mark, *(text.strip('"') for text in self.ids.values()), *self.tokens.values())


async def build_world(name: str, send: Send) -> World:
    """Everything once. `name` is in every id that its owner chooses; no two worlds share one."""
    return await _Builder(name, send).build()


NOBODY = World(
    {
        "code": "00000000",
        "sid": "sid-of-nobody",
        "call": "call-of-nobody",
        "message": "message-of-nobody",
        "document": "document-of-nobody",
        "intent": "intent-of-nobody",
        "running": "thread-of-nobody",
        "thread": "thread-of-nobody",
        "resource": "resource-of-nobody",
        "taken": "cursor-of-nobody",
        "mcp_session": "session-of-nobody",
        "secret": "secret-of-nobody".ljust(43, "0"),
        "address": address_of("secret-of-nobody".ljust(43, "0")),
    },
    {},
    "mark-of-nobody",
)
"""Ids that are well formed and unused."""


class _Builder:
    def __init__(self, name: str, send: Send) -> None:
        self._send = send
        self._mark = f"said-by-{name}"
        self._tokens: dict[str, str] = {}
        chosen = ("sid", "call", "answered", "producer", "message", "document", "intent", "thread", "running")
        self._ids = {kind: f"{kind}-of-{name}" for kind in (*chosen, "resource")}
        self._ids["secret"] = f"secret-of-{name}".ljust(43, "0")[:43]
        self._ids["address"] = address_of(self._ids["secret"])

    async def build(self) -> World:
        await self._session()
        await self._queues()
        await self._documents()
        self._tokens["token"] = (await self._call("POST /api/tokens", APP_KEY))["token"]
        await self._threads()
        await self._mcp()
        return World(self._ids, self._tokens, self._mark)

    async def _session(self) -> None:
        opened = await self._call("POST /api/sessions", label=self._mark)
        self._ids["code"], self._tokens["host"] = opened["code"], opened["hostToken"]
        self._tokens["guest"] = (await self._call("POST /api/sessions/{code}/join"))["guestToken"]
        tools = [{"name": "echo", "description": self._mark}]
        await self._call("PUT /api/sessions/{code}/tools", self._tokens["host"], tools=tools)

    async def _queues(self) -> None:
        ids, host = self._ids, self._tokens["host"]
        fields = {"code": ids["code"], "tool": "echo", "args": {"said": self._mark}}
        numbered = {"id": ids["call"], "producer": ids["producer"], "seq": 1}
        asked = await self._post("/api/request", {**fields, **numbered}, self._tokens["guest"])
        await self._post("/api/request", {**fields, "id": ids["answered"]}, self._tokens["guest"])
        answer = {"code": ids["code"], "id": ids["answered"], "result": self._mark}
        said = await self._post("/api/response", answer, host)
        ids |= {"request_cursor": asked["cursor"], "answer_cursor": said["cursor"]}
        ids["request_event"] = (await self._call("GET /api/poll", host))["cursor"]
        ids["answer_event"] = (await self._call("GET /api/poll", self._tokens["guest"]))["cursor"]

    async def _documents(self) -> None:
        ids = self._ids
        message = {"role": "user", "content": self._mark, "id": ids["message"]}
        await self._post(f"/api/conversations/{ids['sid']}/messages", {"messages": [message]})
        for kind in ("intents", "theme", f"documents/{ids['document']}"):
            stored = await self._put(f"/api/sessions/{ids['sid']}/{kind}", {"said": self._mark})
            ids["etag"] = stored["etag"]
        page = {"html": f"<p>{self._mark}", "title": self._mark, "sessionId": ids["sid"]}
        ids["page_etag"] = (await self._put(f"/api/pages/{ids['intent']}", page))["etag"]

    async def _threads(self) -> None:
        ids = self._ids
        asked = {"resourceId": ids["resource"], "metadata": {"said": self._mark}}
        question = {**asked, "threadId": ids["thread"], "message": self._mark, "messageId": f"m-{ids['message']}"}
        await self._checked(_json("POST", "/api/chat", question, APP_KEY))
        # Three minutes of words: the generation outlasts a test.
        running = {**asked, "threadId": ids["running"], "message": f"{self._mark} " + "word " * 6000}
        begun = await self._checked(_json("POST", "/api/chat", running, APP_KEY), hold=True)
        start = next(line for line in begun.body.decode().split("\n") if line.startswith("data: "))
        ids["generation"] = json.loads(start.removeprefix("data: "))["generationId"]
        ids["event"] = f"{ids['generation']}.3"
        listed = await self._call("GET /api/sessions", APP_KEY, "limit", "1")
        ids["list_cursor"] = listed["cursor"]
        listed = await self._call("GET /api/sessions", APP_KEY)
        for thread in listed["sessions"]:
            ids["thread_sid" if thread["threadId"] == ids["thread"] else "running_sid"] = thread["sessionId"]
        ids["thread_message"] = f"m-{ids['message']}"

    async def _mcp(self) -> None:
        ids = self._ids
        page = {"html": f"<p>{self._mark}", "sessionId": ids["code"]}
        await self._put(f"/api/pages/tab-{ids['intent']}", page)
        ids["page_uri"] = f"waypost://pages/tab-{ids['intent']}"
        hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}}
        begun = await self._checked(_json("POST", "/mcp", hello, self._tokens["guest"], **MCP_ASKS))
        ids["mcp_session"] = next(value for name, value in begun.headers.items() if name.lower() == "mcp-session-id")
        stream = await self._checked(make_call("GET /mcp", ids, self._tokens["guest"]), hold=True)
        ids["mcp_event"] = next(
            line.removeprefix("id: ") for line in stream.body.decode().split("\n") if line.startswith("id: ")
        )

    async def _call(self, route: str, bearer: str | None = None, slot: str = "", value: Any = None, **body: Any) -> Any:
        for name, field in body.items():
            slot, value = name, field
        return json.loads((await self._checked(make_call(route, self._ids, bearer, slot, value))).body)

    async def _post(self, path: str, body: Any, bearer: str | None = None) -> Any:
        return json.loads((await self._checked(_json("POST", path, body, bearer))).body)

    async def _put(self, path: str, body: Any) -> Any:
        return json.loads((await self._checked(_json("PUT", path, body))).body)

    async def _checked(self, sent: Sent, *, hold: bool = False) -> Answered:
        answered = await self._send(sent, hold=hold)
        if answered.status >= 300:
            raise AssertionError(f"{sent.method} {sent.url}: {answered.status} {answered.body[:300]!r}")
        return answered


def _json(method: str, path: str, body: Any, bearer: str | None = None, **more: str) -> Sent:
    headers = {"Content-Type": "application/json", **more} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
    return Sent(method, path, headers, json.dumps(body).encode())
