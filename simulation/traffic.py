"""Sessions as they are used: a tab that is mostly idle, and an agent that calls it now and then, in bursts, in loops.

The tab behaves as `waypost.js` does: it comes back with its cursor and answers, both immediately. The agent
waits for each response as an MCP client does, or listens as a page does.
"""

import asyncio
from dataclasses import dataclass, field
from math import inf
from random import Random
from typing import Any

from simulation.client import Client
from simulation.deployment import AGENT, TAB, Deployment, now

IDLE_SECONDS = (120, 1200)
BURST = 8
LOOP = 15
THINKING_SECONDS = 5.0
"""How long a model takes on average until its next call."""

LISTENS = 0.25
"""The share of the agents that listen on a stream instead of waiting for each response."""

GIVES_UP_SECONDS = 600


@dataclass
class Call:
    """One call. `accepted`: when it was in the store, and which isolate put it there; `delivered`: when it left for the
    tab, and from which isolate; `returned`: when its response had come; `after_replacement`: how long before it was
    sent an isolate was replaced, in seconds."""

    shape: str
    sent: float
    after_replacement: float = inf
    accepted: tuple[float, Client | None] = (0, None)
    delivered: tuple[float, Client | None] = (0, None)
    returned: float = 0

    @property
    def to_host(self) -> float:
        """Seconds from acceptance to delivery; 0 if it was seen in the store before its writer knew."""
        return max(self.delivered[0] - self.accepted[0], 0)

    @property
    def there_and_back(self) -> float:
        """Seconds until its response had come."""
        return self.returned - self.sent

    @property
    def through_kv(self) -> bool:
        """Whether the tab's stream was in another isolate."""
        return self.accepted[1] is not self.delivered[1]


@dataclass
class Session:
    """One session and its calls, each by its id."""

    deployment: Deployment
    random: Random
    calls: dict[str, Call] = field(default_factory=dict)
    _code: str = ""
    _token: str = ""
    _answered: asyncio.Event = field(default_factory=asyncio.Event)
    _delivered: dict[str, str] = field(default_factory=dict)

    async def use(self) -> None:
        """Opens the session and uses it for an hour or so; every call has returned in the end."""
        reply = await self.deployment.call(TAB, "POST", "/api/sessions")
        self._code, self._token = reply.json()["code"], reply.json()["hostToken"]
        listens = self.random.random() < LISTENS
        loop = asyncio.get_running_loop()
        streams = [loop.create_task(self._stay(TAB))]
        if listens:
            streams.append(loop.create_task(self._stay(AGENT)))
        shapes = ["idle", "idle", "idle", "burst", "loop"]
        self.random.shuffle(shapes)
        for shape in shapes:
            await asyncio.sleep(self.random.uniform(*IDLE_SECONDS))
            calls = {"idle": 1, "burst": BURST, "loop": 1}[shape]
            await asyncio.gather(*(self._call(shape, listens) for _ in range(calls)))
            for _ in range(LOOP - 1 if shape == "loop" else 0):
                await asyncio.sleep(self.random.expovariate(1 / THINKING_SECONDS))
                await self._call(shape, listens)
        for stream in streams:
            if stream.done():
                stream.result()
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
        self._settle()

    def _settle(self) -> None:
        """Says of each call where it was accepted, and how long after a replacement it was sent."""
        for name, cursor in self._delivered.items():
            call = self.calls[name]
            since = [call.sent - replaced for replaced in self.deployment.replaced if replaced <= call.sent]
            call.after_replacement = min(since, default=inf)
            # A write that failed and took effect nevertheless was never accepted.
            call.accepted = self.deployment.accepted.get(cursor, call.delivered)

    async def _call(self, shape: str, listens: bool) -> None:
        name = f"call-{len(self.calls)}"
        call = self.calls[name] = Call(shape, now())
        body = {"code": self._code, "tool": "work", "id": name}
        url = "/api/request" + ("" if listens else "?wait=60")
        while not call.returned and now() - call.sent < GIVES_UP_SECONDS:
            reply = await self.deployment.call(AGENT, "POST", url, body)
            if reply.status == 200:
                call.returned = now()
            elif reply.status != 202:
                await asyncio.sleep(1)
            elif listens:
                await self._heard(call)
        if not call.returned:
            raise AssertionError(f"no response to {name} in {GIVES_UP_SECONDS} s")

    async def _heard(self, call: Call) -> None:
        while not call.returned and now() - call.sent < GIVES_UP_SECONDS:
            self._answered.clear()
            await self._answered.wait()

    async def _stay(self, end: int) -> None:
        token = self._token if end == TAB else None
        headers: dict[str, str] = {}
        instance = "&instance=the-only-tab" if end == TAB else ""
        while True:
            url = f"/api/stream?code={self._code}{instance}"
            async for client, event in self.deployment.stream(end, url, token=token, headers=headers):
                if event.get("id"):
                    headers["Last-Event-ID"] = event["id"]
                if event["event"] == "ready" and end == TAB:
                    instance = f"&instance={event['data']['instance']}"
                if event["event"] == "request":
                    self._deliver(client, event["data"])
                elif event["event"] == "response":
                    self._return(event["data"]["id"])

    def _deliver(self, client: Client, data: dict[str, Any]) -> None:
        if data["id"] not in self._delivered:
            self._delivered[data["id"]] = data["cursor"]
            self.calls[data["id"]].delivered = (now(), client)
            asyncio.get_running_loop().create_task(self._answer(data["id"]))

    async def _answer(self, name: str) -> None:
        body = {"code": self._code, "id": name, "result": True}
        status = 0
        while status != 202:
            await asyncio.sleep(1 if status else 0)
            status = (await self.deployment.call(TAB, "POST", "/api/response", body, token=self._token)).status

    def _return(self, name: str) -> None:
        call = self.calls[name]
        call.returned = call.returned or now()
        self._answered.set()
