"""One connection to the deployment, as one client has it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tools.probe.failure import ProbeFailure, refused, unreachable
from tools.probe.timing import Told, told

PATIENCE_SECONDS = 20.0
"""How long a reply may take before its first byte, beyond what the request itself asks to wait."""

HEADERS = {"Waypost-Diagnostics": "1", "User-Agent": "waypost-probe"}

Transport = Callable[[], httpx.AsyncBaseTransport | None]
"""Makes the transport of a new connection; `None` is the network. Tests put an application there."""


def no_transport() -> None:
    """The network."""


@dataclass
class Target:
    """The deployment: where it is, the app's key for it, and every reply that came from it so far.

    `headers` go with every request, such as those of a service token of Cloudflare Access.
    """

    url: str
    app_key: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    transport: Transport = no_transport
    replies: list[Told] = field(default_factory=list)

    @property
    def operations(self) -> int:
        """KV operations that replies have told of; those of open streams are not among them."""
        return sum(reply.operations for reply in self.replies)


@dataclass(frozen=True)
class Reply:
    """A reply, when its request was sent and when it had come, in the loop's seconds."""

    http: httpx.Response
    told: Told
    sent: float
    came: float

    @property
    def status(self) -> int:
        return self.http.status_code

    def json(self) -> Any:
        return self.http.json()

    def expect(self, *statuses: int) -> Reply:
        """This reply. Raises `ProbeFailure` if it has none of the statuses."""
        if self.status not in statuses:
            raise refused(self.http)
        return self


class Caller:
    """A client with one connection. Use it as a context manager."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._http = httpx.AsyncClient(
            base_url=target.url,
            headers={**HEADERS, **target.headers},
            transport=target.transport(),
            timeout=httpx.Timeout(PATIENCE_SECONDS),
        )

    async def __aenter__(self) -> Caller:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def call(
        self, method: str, path: str, body: Any = None, token: str = "", *, wait: float = 0, **headers: str
    ) -> Reply:
        """The reply to a request. Raises `ProbeFailure` if none comes."""
        loop = asyncio.get_running_loop()
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            fields["Authorization"] = f"Bearer {token}"
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            fields["Content-Type"] = "application/json"
        sent = loop.time()
        try:
            reply = await self._http.request(
                method, path, content=content, headers=fields, timeout=httpx.Timeout(PATIENCE_SECONDS + wait)
            )
        except httpx.InvalidURL as error:
            raise ProbeFailure(f"{self.target.url} is no address of a deployment: {error}.") from error
        except httpx.TransportError as error:
            raise unreachable(self.target.url, error) from error
        known = told(reply.headers)
        self.target.replies.append(known)
        return Reply(reply, known, sent, loop.time())

    @asynccontextmanager
    async def stream(
        self, path: str, token: str, silence_seconds: float, last_event_id: str = ""
    ) -> AsyncGenerator[Stream, None]:
        """An open stream of events, which may be silent for so long. Raises `ProbeFailure` if it does not open."""
        headers = {"Accept": "application/x-ndjson", "Authorization": f"Bearer {token}"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        timeout = httpx.Timeout(PATIENCE_SECONDS, read=silence_seconds)
        try:
            async with self._http.stream("GET", path, headers=headers, timeout=timeout) as reply:
                if reply.status_code != 200:
                    await reply.aread()
                    raise refused(reply)
                yield Stream(reply)
        except httpx.TransportError as error:
            raise unreachable(self.target.url, error) from error


class Stream:
    """The events of an open stream."""

    def __init__(self, reply: httpx.Response) -> None:
        self.told = told(reply.headers)
        self._lines = reply.aiter_lines()

    async def events(self) -> AsyncGenerator[dict[str, Any], None]:
        """One event after the other, heartbeats among them; ends where the stream ends. Raises `httpx.TransportError`
        if the connection breaks."""
        async for line in self._lines:
            if line:
                yield json.loads(line)
