"""Careful clients: they retry what is safe to retry, and remember which messages they have received.

They record in a `Story` what they see and do; the checks read it in the end.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from math import inf
from random import Random
from typing import Any
from zlib import crc32

import msgspec

from simulation.client import Reply
from simulation.cluster import MAX_SKEW_MS, Cluster, NetworkError, SessionOver
from waypost_worker.kv.keys import request_key
from waypost_worker.limits import MAX_BODY_BYTES, REORDER_WINDOW_SECONDS


@dataclass
class Story:
    """The record of one session, as its clients see it."""

    code: str
    host_token: str
    sent: dict[str, Any] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    numbers: dict[str, tuple[str, int]] = field(default_factory=dict)
    skipped: set[tuple[str, int]] = field(default_factory=set)
    runs: list[str] = field(default_factory=list)
    runs_by_host: Counter[tuple[int, str]] = field(default_factory=Counter)
    answers: dict[str, Any] = field(default_factory=dict)
    answer_accepted: dict[str, float] = field(default_factory=dict)
    settled_at: dict[str, float] = field(default_factory=dict)
    crashed: set[str] = field(default_factory=set)
    stored: set[str] = field(default_factory=set)
    had: dict[int, list[tuple[str, int, *tuple[int, ...]]]] = field(default_factory=lambda: defaultdict(list))
    hosts: "list[Host]" = field(default_factory=list)
    responses: dict[str, dict[str, Any]] = field(default_factory=dict)
    waited: dict[str, Any] = field(default_factory=dict)
    cursors: set[str] = field(default_factory=set)
    ended: bool = False
    violations: list[str] = field(default_factory=list)


async def persist(cluster: Cluster, attempt: Callable[[], Awaitable[Reply]], tries: int) -> Reply | None:
    """The first reply that is no failure of the network or the store; `None` after `tries`."""
    delay = 0.5
    for _ in range(tries):
        try:
            reply = await attempt()
            if reply.status < 429 and reply.status != 404:
                return reply
        except NetworkError:
            pass
        await asyncio.sleep(delay * cluster.random.uniform(0.5, 1.5))
        delay = min(delay * 2, 20)
    return None


async def produce(cluster: Cluster, story: Story, name: str, home: int, count: int, numbered: bool) -> None:
    """Sends `count` requests one after the other, each with its own id, so that it is safe to send again."""
    random = cluster.random
    for number in range(1, count + 1):
        await asyncio.sleep(random.expovariate(1 / 3))
        request_id = f"{name}-{number}"
        body: dict[str, Any] = {"code": story.code, "tool": "work", "args": _args(random, request_id), "id": request_id}
        if numbered:
            body |= {"producer": name, "seq": number}
            story.numbers[request_id] = (name, number)
        story.sent[request_id] = body["args"]
        tries = random.choice((1, 4, 8))
        wait = random.choice(("", "", "?wait=20"))
        url = f"/api/request{wait}"
        call = partial(cluster.call, home, "POST", url, body, headers=_traced(request_id))
        reply = await persist(cluster, call, tries)
        if reply is not None and reply.status == 202:
            story.accepted.add(request_id)
        elif reply is not None and reply.status == 200:
            story.accepted.add(request_id)
            story.waited[request_id] = reply.json()
        elif numbered and random.random() < 0.7:
            skip = {"code": story.code, "producer": name, "seq": number, "skip": True}
            # A skip that was never confirmed may have taken effect too.
            story.skipped.add((name, number))
            await persist(cluster, partial(cluster.call, home, "POST", "/api/request", skip), 8)
        if request_id in story.accepted and random.random() < 0.05:
            story.cancelled.add(request_id)
            cancel = f"/api/request/{request_id}/cancel"
            await persist(cluster, partial(cluster.call, home, "POST", cancel, {"code": story.code}), 6)


def _trace(request_id: str) -> str | None:
    """The trace of a request, by its id: one in three belongs to none. No dice, so that seeds keep their runs."""
    digest = sha256(request_id.encode()).hexdigest()
    return f"00-{digest[:32]}-{digest[32:48]}-01" if digest[-1] < "b" else None


def _traced(request_id: str) -> dict[str, str]:
    trace = _trace(request_id)
    return {} if trace is None else {"traceparent": trace}


def _args(random: Random, request_id: str) -> Any:
    # Some do not fit into the metadata: then the value becomes visible separately.
    return {"of": request_id, "padding": "x" * random.choice((0, 0, 0, 2000))}


class Host:
    """Runs each request once, answers a repeat with the first response, and resumes after its cursor, as the same
    instance. Once it is superseded it finishes what it runs, says goodbye, and does not come back.

    `reloads`: now and then it is a page that is loaded again, which remembers what it has run. In some runs it crashes:
    the page that is opened then knows nothing.
    """

    def __init__(self, cluster: Cluster, story: Story, home: int, *, reloads: bool) -> None:
        self.number = len(story.hosts)
        self.is_superseded = False
        self.was_connected = asyncio.Event()
        story.hosts.append(self)
        self._cluster = cluster
        self._instance = self._new_instance()
        self._page = 0
        self._reloads = reloads
        self._story = story
        self._home = home
        self._cursor: str | None = None
        self._had: set[str] = set()
        self._had_cursors: set[str] = set()
        self._tasks: dict[asyncio.Task[None], None] = {}

    async def stay(self) -> None:
        """Connects, and reconnects, until the session ends."""
        while not self._story.ended and not self.is_superseded:
            try:
                await self._connect()
            except NetworkError:
                pass
            except SessionOver:
                self._story.ended = True
            if self._cluster.random.random() < 0.1:
                self._home = self._cluster.random.randrange(self._cluster.world.locations)
            if self._reloads and not self.is_superseded and self._cluster.may_crash:
                await self._crash()
            reloads = self._reloads and not self.is_superseded and self._cluster.random.random() < 0.2
            # Without a goodbye, which of two pages is the newer one is up to the clocks of two locations.
            if reloads and self._cluster.may_write:
                # The goodbye may be later than the stream of the new page.
                self._start(self._leave(self._instance))
                self._instance = self._new_instance()
            await asyncio.sleep(self._cluster.random.uniform(0.1, 10))
        if self.is_superseded:
            await asyncio.gather(*self._tasks)
            await self._leave(self._instance)

    async def _crash(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._story.crashed |= self._had - self._story.answer_accepted.keys()
        self._page += 1
        self._instance, self._cursor = self._new_instance(), None
        self._had.clear()
        self._had_cursors.clear()
        # By the clocks of two locations, a page that is opened just after another one may be the older one.
        await asyncio.sleep(REOPENED_SECONDS)

    @property
    def _key(self) -> int:
        return self.number + self._page * MAX_HOSTS

    def _was_just_before(self, since: str) -> bool:
        """Whether the page that has the seat since that time may be the one before this page: its goodbye may not be
        known where it had its stream, and by the clock there it is the newer one."""
        own_ms = int(self._instance.rpartition(".")[2])
        return 0 <= datetime.fromisoformat(since).timestamp() * 1000 - own_ms <= 2 * MAX_SKEW_MS

    def _new_instance(self) -> str:
        return f"host-{self.number}-{self._cluster.random.getrandbits(64):x}"

    async def _leave(self, instance: str) -> None:
        url, body = f"/api/sessions/{self._story.code}/leave", {"instance": instance}
        token = self._story.host_token
        await persist(self._cluster, lambda: self._cluster.call(self._home, "POST", url, body, token=token), 8)

    async def _connect(self) -> None:
        resumed = self._cursor is not None
        url = f"/api/stream?code={self._story.code}&instance={self._instance}"
        headers = {"Last-Event-ID": self._cursor} if self._cursor else {}
        stream = self._cluster.stream(self._home, url, token=self._story.host_token, headers=headers)
        had_before, had_here = set(self._had_cursors), set[str]()
        async for event in stream:
            data = event.get("data", {})
            if self.is_superseded:
                self._story.violations.append(f"{event['event']} after it was superseded")
            if event["event"] == "ready":
                self._instance = data["instance"]
                self.was_connected.set()
            elif event["event"] == "superseded":
                if self is self._story.hosts[-1] and self._was_just_before(data["since"]):
                    # The person opens the page once more.
                    self._instance = self._new_instance()
                    continue
                self.is_superseded = True
                if self is self._story.hosts[-1]:
                    self._story.violations.append("the newest host was superseded")
            elif event["event"] == "request":
                if resumed and data["cursor"] in had_before and not data.get("replay"):
                    self._story.violations.append(f"a replay without its flag: {data['id']}")
                if data["id"] in had_here:
                    self._story.violations.append(f"delivered twice on one connection: {data['id']}")
                had_here.add(data["id"])
                self._had_cursors.add(data["cursor"])
                self._take(data)
            elif event["event"] == "cancel":
                self._forget_if_put_again(data["cursor"])
                self._check_settled(data["cursor"], STOPS_SECONDS)
                self._start(self._acknowledge(data["cursor"]))
            elif event["event"] == "end":
                self._story.ended = True
            elif event["event"] == "gap" and data["reason"] == "missing":
                self._story.had[self._key].append((data["producer"], data["seq"], data["before"]))
            if event.get("id"):
                self._cursor = event["id"]
                self._story.cursors.add(event["id"])

    def _take(self, data: dict[str, Any]) -> None:
        story, request_id = self._story, data["id"]
        # A number that is missing may hold back those behind it.
        self._check_settled(request_id, STOPS_SECONDS + (NUMBER_SECONDS if "seq" in data else 0))
        if request_id in self._had:
            if request_id in story.answers:
                self._start(self._answer(request_id))
            return
        self._had.add(request_id)
        if story.sent.get(request_id) != data["args"]:
            story.violations.append(f"never sent like this: {request_id}")
        if data.get("traceparent") != _trace(request_id):
            story.violations.append(f"in another trace than its own: {request_id}")
        if "seq" in data:
            story.had[self._key].append((data["producer"], data["seq"]))
        self._start(self._run(request_id))

    def _forget_if_put_again(self, cursor: str) -> None:
        """A cancel stands again if its writer, which was not told that the write had succeeded, repeated it after the
        host had acknowledged it; then the host acknowledges it again."""
        acknowledged = self._story.settled_at.get(cursor, inf)
        if self._cluster.world.is_put_after(request_key(self._story.code, cursor), acknowledged):
            del self._story.settled_at[cursor]

    def _check_settled(self, name: str, stops_seconds: float) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._story.settled_at.get(name, now) > stops_seconds:
            self._story.violations.append(f"delivered long after it was acknowledged: {name}")

    async def _run(self, request_id: str) -> None:
        self._story.runs.append(request_id)
        self._story.runs_by_host[self._key, request_id] += 1
        seconds = RUN_SECONDS[crc32(request_id.encode()) % len(RUN_SECONDS)]
        await asyncio.sleep(self._cluster.random.expovariate(1) * seconds)
        self._story.answers[request_id] = _result(request_id)
        await self._answer(request_id)

    async def _answer(self, request_id: str) -> None:
        story = self._story
        body = {"code": story.code, "id": request_id, "result": story.answers[request_id]}
        options = {"token": story.host_token}
        reply = await persist(
            self._cluster, lambda: self._cluster.call(self._home, "POST", "/api/response", body, **options), 30
        )
        if reply is not None and reply.status == 202:
            now = asyncio.get_running_loop().time()
            story.answer_accepted.setdefault(request_id, now)
            story.settled_at.setdefault(request_id, now)

    async def _acknowledge(self, cursor: str) -> None:
        body = {"code": self._story.code, "cursors": [cursor]}
        token = self._story.host_token
        reply = await persist(
            self._cluster, lambda: self._cluster.call(self._home, "POST", "/api/ack", body, token=token), 8
        )
        if reply is not None and reply.status == 200 and reply.json()["acknowledged"]:
            self._story.settled_at.setdefault(cursor, asyncio.get_running_loop().time())

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)


async def end(cluster: Cluster, story: Story, settle_seconds: float) -> None:
    """Ends the session in a random location: it must stay ended everywhere, and its streams must get `end`."""
    options = {"token": story.host_token}
    url = f"/api/sessions/{story.code}"
    home = cluster.random.randrange(cluster.world.locations)
    # If the reply is lost the session has ended anyway, so the next attempt may get 410.
    reply = await persist(cluster, lambda: cluster.call(home, "DELETE", url, **options), 20)
    if reply is None:
        return
    await asyncio.sleep(settle_seconds)
    if not story.ended:
        story.violations.append("the host never got the event `end`")
    for location in range(cluster.world.locations):
        read = await persist(cluster, partial(cluster.call, location, "GET", url), 3)
        if read is not None and read.status == 200:
            story.violations.append("an ended session lives again")


async def try_foreign_cursor(cluster: Cluster, story: Story, other: Story) -> None:
    """Resumes one session with cursors of another, which must be refused."""
    for cursor in list(other.cursors)[:3]:
        url = f"/api/poll?code={story.code}&after={cursor}"
        reply = await persist(cluster, partial(cluster.call, 0, "GET", url, token=story.host_token), 5)
        if reply is not None and reply.status != 400:
            story.violations.append(f"a cursor of another session was answered {reply.status}")


RUN_SECONDS = (0, 2, 20)
"""How long tools take on average. Some take no time: then the response comes while the request is being written. While
others run, their host may crash."""

LARGE_ONE_IN = 5
"""One answer in so many is large: it is read by itself, and waits for room (see `ROOM_BYTES` in cluster.py)."""


def _result(request_id: str) -> dict[str, Any]:
    # By its id, not by chance: the run is otherwise the same.
    is_large = crc32(request_id.encode()) % LARGE_ONE_IN == 0
    return {"answer": request_id} | ({"page": "x" * (MAX_BODY_BYTES + 1000)} if is_large else {})


STOPS_SECONDS = 60 + 60 + 30
"""An acknowledged message may still be listed for so long: until its removal is visible, in a listing of that age."""


NUMBER_SECONDS = REORDER_WINDOW_SECONDS + 60
"""How long a missing number may hold back the messages behind it: the window, and the time to the next look."""

REOPENED_SECONDS = 10
"""From a crash of the host's page to the next page; clocks differ by 4 s."""

MAX_HOSTS = 100
"""More hosts than a session has, so that each page of each host has a number of its own."""


async def listen(cluster: Cluster, story: Story, name: str, home: int) -> None:
    """A guest that receives the responses, by stream or by poll, and resumes after its cursor."""
    cursor: str | None = None
    responses: dict[str, Any] = story.responses.setdefault(name, {})
    had: set[str] = set()
    polls = cluster.random.random() < 0.3

    def receive(event: dict[str, Any], resumed: bool) -> None:
        nonlocal cursor
        data = event.get("data", {})
        if event["event"] == "response":
            if resumed and data["cursor"] in had and not data.get("replay"):
                story.violations.append(f"a replay without its flag: answer to {data['id']}")
            had.add(data["cursor"])
            if data["final"]:
                responses.setdefault(data["id"], data)
        cursor = event.get("id", cursor)

    while True:
        try:
            if polls:
                after = f"&after={cursor}" if cursor else ""
                resumed = cursor is not None
                reply = await cluster.call(home, "GET", f"/api/poll?code={story.code}{after}&wait=10")
                if reply.status == 200:
                    polled = msgspec.json.decode(reply.body)
                    for event in polled["messages"]:
                        receive(event, resumed)
                    cursor = polled["cursor"]
            else:
                headers = {"Last-Event-ID": cursor} if cursor else {}
                before = set(had)
                async for event in cluster.stream(home, f"/api/stream?code={story.code}", headers=headers):
                    is_old = event.get("data", {}).get("cursor") in before
                    receive(event, bool(headers) and is_old)
        except NetworkError:
            pass
        except SessionOver:
            return
        await asyncio.sleep(cluster.random.uniform(0.1, 10))
