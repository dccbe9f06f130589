"""What one address can make the owner spend in an hour, route by route: the table in SECURITY.md.

Each route is called on the real code, as in the examples of the OpenAPI document, and some routes also in the most
expensive way known. Counted are what a call costs at KV's prices, storage included, and the uses of the budgets that
count by address. The rest is arithmetic with the limits of wrangler.toml: a minute has room for as many calls as the
budget that is spent first. `python -m simulation.cost --write` writes the table; a test compares the two.
"""

import asyncio
import json
import tomllib
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from simulation.client import KEY, Client, Opened, make_client
from simulation.profiles import PLACED
from simulation.scripted_model import Script, ScriptedModel, counted
from simulation.virtual_time import VirtualClock, run
from tools import prices
from tools.openapi.example_calls import EXAMPLE_CALLS
from tools.openapi.example_calls.step import begin
from tools.openapi.example_runner import Answered, Sent, run_steps
from tools.openapi.in_memory import InMemoryService
from tools.prices import DOLLARS, STORED_GB_DOLLARS
from waypost_worker.app import ROUTES
from waypost_worker.http.loads import Loads
from waypost_worker.http.routing import Router
from waypost_worker.kv.delegating import DelegatingKv
from waypost_worker.kv.keys import host_key
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.limits import MAX_ACK_CURSORS, MAX_CALLS_PER_STEP, MAX_PAGE_BYTES, MAX_SESSION_AGE_SECONDS
from waypost_worker.mcp.versions import LATEST_LEGACY
from waypost_worker.models.model import ToolUse
from waypost_worker.queues.queue import Queues
from waypost_worker.security.rate_limits import Limit, Limiter
from waypost_worker.settings import Settings

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "SECURITY.md"
BEGIN, END = "<!-- abuse: begin -->\n", "<!-- abuse: end -->\n"
HOUR_MINUTES = 60

READ, WRITE, LIST = DOLLARS["read"], DOLLARS["write"], DOLLARS["list"]
BYTE_SECOND = STORED_GB_DOLLARS / 1e9 / (730 * 3600)
"""Dollars; a month has 730 hours."""

REQUEST_DOLLARS = prices.REQUEST_DOLLARS + 2 * prices.CPU_MS_DOLLARS
"""A request and 2 ms of CPU. Its line in the log is free within 20 million a month."""

BY_ADDRESS = (Limit.ADDRESS, Limit.SESSION, Limit.ANSWER)
"""The budgets that a stranger can't have more of by making up another session or conversation."""


WORDS: list[Script] = [counted(80, 0.25)]
"""An answer of 20 s."""

_CALLS: Script = [ToolUse(f"c{number}", "t", {"n": number}) for number in range(MAX_CALLS_PER_STEP)]

CALLING: dict[str, list[Script]] = {
    "two steps of 8 calls in a tab that never responds": [_CALLS, _CALLS, ["Done."]],
    "a step of 8 such calls": [_CALLS, ["Done."]],
}
"""Answers that call tools, as many as are made concurrently. Two steps use up the operations of a request."""

SLOW_TAB, SPOKEN = CALLING


class BilledKv(DelegatingKv):
    """Adds up what is billed."""

    dollars = 0.0

    async def get(self, key: str) -> str | None:
        self.dollars += READ
        return await super().get(key)

    async def get_bytes(self, key: str) -> bytes | None:
        self.dollars += READ
        return await super().get_bytes(key)

    async def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        self.dollars += READ * len(keys)
        return await super().get_many(keys)

    async def put(self, key: str, value: str | bytes, *, ttl_seconds: int, metadata: str | None = None) -> None:
        self.dollars += WRITE + len(value) * ttl_seconds * BYTE_SECOND
        await super().put(key, value, ttl_seconds=ttl_seconds, metadata=metadata)

    async def delete(self, key: str) -> None:
        self.dollars += WRITE
        await super().delete(key)

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> Any:
        self.dollars += LIST
        return await super().list(prefix, cursor=cursor, limit=limit)


class Uses:
    """Counts the uses of each budget, and refuses none."""

    def __init__(self) -> None:
        self.count: Counter[Limit] = Counter()
        self.limiters: dict[Limit, Limiter] = {limit: _Uses(self.count, limit) for limit in Limit}


class _Uses:
    def __init__(self, count: Counter[Limit], limit: Limit) -> None:
        self._count = count
        self._limit = limit

    async def allows(self, key: str) -> bool:
        self._count[self._limit] += 1
        return True


@dataclass(frozen=True)
class Bill:
    """What a call costs in KV, and which budgets it spends."""

    dollars: float
    uses: dict[Limit, int]

    @property
    def calls_a_minute(self) -> int:
        """How many the limits let one address make."""
        limits = a_minute()
        return min(limits[limit] // self.uses[limit] for limit in BY_ADDRESS if self.uses.get(limit))

    @property
    def dollars_an_hour(self) -> float:
        """What they come to in KV."""
        return self.dollars * self.calls_a_minute * HOUR_MINUTES


def a_minute() -> dict[Limit, int]:
    """The limits of wrangler.toml."""
    bindings = tomllib.loads((ROOT / "wrangler.toml").read_text())["ratelimits"]
    return {Limit(each["name"]): each["simple"]["limit"] * 60 // each["simple"]["period"] for each in bindings}


def example_bills() -> dict[str, Bill]:
    """The costliest call of each route among the document's examples."""
    uses, stores = Uses(), []

    def billed(kv: Any) -> BilledKv:
        stores.append(BilledKv(kv))
        return stores[0]

    service = InMemoryService(uses.limiters, billed)
    router = Router(ROUTES)
    found: dict[str, Bill] = {}

    async def send(sent: Sent) -> Answered:
        uses.count.clear()
        before = stores[0].dollars
        answered = await service.send(sent)
        route, _ = router.find(sent.method, sent.url.partition("?")[0])
        keep_costliest(found, f"{route.method} {route.template}", Bill(stores[0].dollars - before, dict(uses.count)))
        return answered

    asyncio.run(run_steps(EXAMPLE_CALLS, begin(), send))
    return found


def keep_costliest(found: dict[str, Bill], name: str, bill: Bill) -> None:
    """Note `bill` for the route `name`, unless a costlier one is there."""
    if name not in found or bill.dollars_an_hour > found[name].dollars_an_hour:
        found[name] = bill


class Scene:
    """A session of a stranger's own, in an isolate of its own; `elsewhere` writes into its queues from another one.
    `scripts`: of its model. `is_placed`: the Worker runs in one data centre, and uses wake-up keys."""

    def __init__(self, scripts: Sequence[Script], *, is_placed: bool) -> None:
        self.kv = BilledKv(MemoryKv(VirtualClock()))
        self.uses = Uses()
        model = ScriptedModel(*scripts)
        self.client: Client = make_client(Settings(signing_keys=(KEY,)), self.kv, self.uses.limiters, model=model)
        self.elsewhere: Client = make_client(Settings(signing_keys=(KEY,)), self.kv, seed=1)
        for client in (self.client, self.elsewhere):
            client.headers |= PLACED if is_placed else {}

    async def bill(self, work: Callable[[], Awaitable[Any]]) -> Bill:
        """What `work` costs."""
        before = self.kv.dollars
        self.uses.count.clear()
        await work()
        await asyncio.gather(*self.client.background)
        return Bill(self.kv.dollars - before, dict(self.uses.count))


async def _acknowledge(scene: Scene, session: Opened, *, are_there: bool) -> Bill:
    isolate = scene.elsewhere.app.isolate
    loads = Loads(isolate.loads, None, scene.elsewhere.app.clock)
    queues = Queues(scene.kv, session.code, isolate.cursors, isolate.messages, 3600, loads)
    asked = [(await scene.elsewhere.ask(session.code)).json()["cursor"] for _ in range(MAX_ACK_CURSORS)]
    cursors = asked if are_there else [isolate.cursors.issue(queues.requests) for _ in range(MAX_ACK_CURSORS)]
    body = {"code": session.code, "cursors": cursors}
    return await scene.bill(lambda: scene.client.call("POST", "/api/ack", body, token=session.host))


async def _poll_of_large_messages(scene: Scene, session: Opened) -> Bill:
    for _ in range(400):
        await scene.elsewhere.ask(session.code, args={"text": "x" * 2000})
    return await scene.bill(lambda: scene.client.poll(session.code, session.host))


async def _read_to_end(scene: Scene, method: str, url: str, **more: Any) -> None:
    response = await scene.client.open(method, url, **more)
    assert response.status == 200, response.body
    assert isinstance(response.body, AsyncGenerator)
    async for _ in response.body:
        pass


async def _stream(scene: Scene, session: Opened) -> Bill:
    url = f"/api/stream?code={session.code}&instance=a-host-of-its-own"
    return await scene.bill(lambda: _read_to_end(scene, "GET", url, token=session.host))


async def _be_there(scene: Scene, session: Opened) -> None:
    """A tab that never responds, so that calls are waited for; its heartbeats are not billed here."""
    seen = str(scene.client.app.clock.now_ms() + MAX_SESSION_AGE_SECONDS * 1000)
    await scene.kv.kv.put(host_key(session.code), seen, ttl_seconds=MAX_SESSION_AGE_SECONDS, metadata=seen)


async def _chat_with_tab(scene: Scene, session: Opened, path: str, body: dict[str, Any]) -> Bill:
    await _be_there(scene, session)
    tools = {"tools": [{"name": "t", "description": "", "inputSchema": {"type": "object"}}]}
    await scene.elsewhere.call("PUT", f"/api/sessions/{session.code}/tools", tools, token=session.host)
    asked = {**body, "session": {"code": session.code}}
    return await scene.bill(lambda: scene.client.call("POST", path, asked))


async def _mcp(scene: Scene, session: Opened, method: str, *, by_token: bool = False) -> Bill:
    await _be_there(scene, session)
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": LATEST_LEGACY}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "t", "arguments": {}}}
    body = json.dumps(call).encode() if method == "POST" else b""
    url, token = f"/mcp/{session.code}", None
    if by_token:
        joined = await scene.elsewhere.call("POST", f"/api/sessions/{session.code}/join")
        url, token = "/mcp", joined.json()["guestToken"]
    return await scene.bill(lambda: _read_to_end(scene, method, url, headers=headers, body=body, token=token))


def heaviest_bills() -> list[tuple[str, str, Bill]]:
    """Route, what was done, and what it cost."""

    async def alone(work: Callable[[Scene, Opened], Awaitable[Bill]], what: str, *, is_placed: bool) -> Bill:
        scene = Scene(CALLING.get(what, WORDS), is_placed=is_placed)
        return await work(scene, await scene.elsewhere.open_session())

    def called(method: str, url: str, json_body: Any = None, **more: Any) -> Callable[..., Awaitable[Bill]]:
        async def work(scene: Scene, session: Opened) -> Bill:
            path = url.replace("CODE", session.code)
            own = json_body | {"code": session.code} if json_body and "tool" in json_body else json_body
            return await scene.bill(lambda: scene.client.call(method, path, own, **more))

        return work

    page = {"html": "x" * MAX_PAGE_BYTES, "sessionId": "s"}
    lines = json.dumps({"role": "user", "content": "x" * 60_000}).encode() + b"\n"
    imported: Any = {"body": lines * 30, "headers": {"Content-Type": "application/x-ndjson"}}
    question = {"message": "Count.", "threadId": "t"}
    spoken = {"question": "Count.", "sessionId": "s"}
    scenes: list[tuple[str, str, Callable[[Scene, Opened], Awaitable[Bill]]]] = [
        ("POST /api/ack", "100 made-up cursors", partial(_acknowledge, are_there=False)),
        ("POST /api/ack", "100 messages", partial(_acknowledge, are_there=True)),
        ("POST /api/sessions", "", called("POST", "/api/sessions", {})),
        ("GET /api/poll", "a wait of 60 s", called("GET", "/api/poll?code=CODE&wait=60")),
        ("GET /api/poll", "400 messages of 2 KB", _poll_of_large_messages),
        (
            "POST /api/request",
            "a wait of 60 s",
            called("POST", "/api/request?wait=60", {"tool": "t"}),
        ),
        ("GET /api/stream", "at rest for 5 minutes", _stream),
        ("POST /mcp/{code}", "a call of 15 minutes", partial(_mcp, method="POST")),
        ("POST /mcp", "a call of 15 minutes", partial(_mcp, method="POST", by_token=True)),
        ("GET /mcp/{code}", "a stream at rest for 5 minutes", partial(_mcp, method="GET")),
        ("GET /mcp", "a stream at rest for 5 minutes", partial(_mcp, method="GET", by_token=True)),
        ("PUT /api/pages/{intentId}", "1 MiB", called("PUT", "/api/pages/p", page)),
        (
            "PUT /api/conversations/{sessionId}",
            "1.8 MB",
            called("PUT", "/api/conversations/c", **imported),
        ),
        ("POST /api/chat", "an answer of 20 s", called("POST", "/api/chat", question)),
        ("POST /api/chat", SLOW_TAB, partial(_chat_with_tab, path="/api/chat", body=question)),
        ("POST /api/voice-agent/chat", SPOKEN, partial(_chat_with_tab, path="/api/voice-agent/chat", body=spoken)),
    ]
    return [
        (route, what, run(alone(work, what, is_placed=is_placed)))
        for is_placed in (False, True)
        for route, what, work in scenes
    ]


def bills() -> dict[str, tuple[str, Bill]]:
    """Each route's costliest call that is known: what was done, and its bill."""
    found = {route: ("", bill) for route, bill in example_bills().items()}
    for route, what, bill in heaviest_bills():
        if bill.dollars_an_hour > found[route][1].dollars_an_hour:
            found[route] = (f" ({what})" if what else "", bill)
    return found


def abuse_table() -> str:
    """The table of SECURITY.md, the costliest route first; routes whose calls cost the same share a line."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for route, (what, bill) in sorted(bills().items(), key=lambda each: -each[1][1].dollars_an_hour):
        cells = (
            f"${bill.dollars * 1e6:,.1f}",
            f"{bill.uses.get(Limit.ADDRESS, 0)}",
            f"{bill.calls_a_minute:,}",
            f"${bill.dollars_an_hour:.2f}",
        )
        rows.setdefault(cells, []).append(f"`{route}`{what}")
    lines = ["| route | KV, a million calls | uses a call | calls a minute | KV, an hour |", "|---|---|---|---|---|"]
    lines += [f"| {', '.join(routes)} | {' | '.join(cells)} |" for cells, routes in rows.items()]
    return "\n".join(lines) + "\n"


def write_abuse_table() -> None:
    """Put the table into SECURITY.md."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + BEGIN + abuse_table() + END + after)
