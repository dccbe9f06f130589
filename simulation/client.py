"""A client of the application, without a network: plain requests in, plain replies out."""

import asyncio
import json
from collections.abc import AsyncGenerator, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulation.seeded_random import SeededRandom
from simulation.virtual_time import VirtualClock
from tools.openapi.conformance import documented
from waypost_worker.app import App
from waypost_worker.http.messages import Request, Response
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.store import Kv
from waypost_worker.models.model import Model
from waypost_worker.security.rate_limits import Limit, Limiter
from waypost_worker.settings import Settings
from waypost_worker.telemetry.observer import Sinks
from waypost_worker.version import DeployedVersion

KEY = b"a key for tests, 32 bytes or more"


class LowerHeaders:
    """Header fields by their name in lower case."""

    def __init__(self, fields: dict[str, str]) -> None:
        self._fields = {name.lower(): value for name, value in fields.items()}

    def get(self, name: str) -> str | None:
        return self._fields.get(name)


def no_background(work: Coroutine[Any, Any, None]) -> None:
    """The `background` of requests that must start no task."""
    raise AssertionError(f"{work} was started")


@dataclass
class Reply:
    """A response whose body was read whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Opened:
    """An open session: its code, its host's token, and the id that owns its documents and pages."""

    code: str
    host: str
    session_id: str = ""


@dataclass
class Client:
    """Calls one App. `log`: the lines that the App wrote for its operator. `headers`: those of every request."""

    app: App
    log: list[str] = field(default_factory=list)
    # Not a set, whose order is another one in each process: a seed must give the same run.
    background: dict[asyncio.Task[None], None] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    async def open(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        token: str | None = None,
        ip: str | None = "192.0.2.1",
        scheme: str = "https",
        colo: str | None = None,
    ) -> Response:
        """The response as it is; a stream is left unread."""
        path, _, query = url.partition("?")
        fields = {"Content-Type": "application/json"} if body else {}
        if token:
            fields["Authorization"] = f"Bearer {token}"

        async def read_body(limit: int) -> bytes | None:
            return body if len(body) <= limit else None

        lower = LowerHeaders(self.headers | fields | (headers or {}))
        request = Request(method, path, query, lower, read_body, self._background, ip, scheme, lambda: colo)
        return await self.app.handle(request)

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.background[task] = None
        task.add_done_callback(self.background.pop)

    async def settle(self) -> None:
        """Waits until nothing goes on in the background."""
        while self.background:
            await asyncio.gather(*self.background)

    async def call(self, method: str, url: str, json_body: Any = None, **options: Any) -> Reply:
        """The whole reply to a request with a JSON body. It must agree with the OpenAPI document."""
        if json_body is not None:
            options["body"] = json.dumps(json_body).encode()
        response = await self.open(method, url, **options)
        if isinstance(response.body, AsyncGenerator):
            response.body = b"".join([chunk async for chunk in response.body])
        reply = Reply(response.status, response.headers, response.body or b"")
        documented().check(method, url.partition("?")[0], reply.status, reply.headers, reply.body)
        return reply

    async def open_session(self, **body: Any) -> Opened:
        """Opens a session."""
        opened = (await self.call("POST", "/api/sessions", body)).json()
        return Opened(opened["code"], opened["hostToken"], opened["sessionId"])

    async def join(self, code: str) -> str:
        """Joins a session. Returns the guest's token."""
        joined = await self.call("POST", f"/api/sessions/{code}/join")
        return str(joined.json()["guestToken"])

    async def ask(self, code: str, tool: str = "echo", *, wait: float = 0, **body: Any) -> Reply:
        """Sends a guest's request."""
        return await self.call("POST", f"/api/request?wait={wait}", {"code": code, "tool": tool, **body})

    async def answer(self, session: Opened, id: str, result: Any = None, **body: Any) -> Reply:
        """Sends the host's response to a request."""
        response = {} if "error" in body else {"result": result}
        return await self.call(
            "POST", "/api/response", {"code": session.code, "id": id, **response, **body}, token=session.host
        )

    async def poll(self, code: str, token: str | None = None, *, after: str = "", wait: float = 0) -> Any:
        """The messages and the cursor that a poll returns."""
        reply = await self.call("GET", f"/api/poll?code={code}&after={after}&wait={wait}", token=token)
        assert reply.status == 200, reply.body
        return reply.json()


def make_client(
    settings: Settings | None = None,
    kv: Kv | None = None,
    limiters: Mapping[Limit, Limiter] | None = None,
    seed: int = 0,
    storage: str = "kv",
    model: Model | None = None,
    sinks: Sinks | None = None,
    deployed: DeployedVersion | None = None,
) -> Client:
    """A client of a new App in its own isolate, on `kv` or a new memory store."""
    clock = VirtualClock()
    log: list[str] = []
    app = App(
        settings or Settings(signing_keys=(KEY,)),
        kv or MemoryKv(clock),
        clock,
        SeededRandom(seed),
        log.append,
        limiters,
        storage,
        model,
        sinks,
        deployed,
    )
    return Client(app, log)
