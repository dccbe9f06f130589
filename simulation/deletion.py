"""One run of a deletion: threads with all that they own, written in several locations; then one thread, or the whole
resource, is deleted from one of them, until the deletion succeeds and once more after two minutes.

Once the store has settled, nothing of what was deleted is found in any location, and nothing else is missing.
"""

import asyncio
from random import Random
from typing import Any

from simulation.client import KEY, Client, make_client
from simulation.model_kv import LocationKv, Weather, World
from simulation.profiles import Profile
from simulation.virtual_time import run
from waypost_worker.limits import MIN_APART_BYTES, REORDER_WINDOW_SECONDS
from waypost_worker.settings import Settings

SETTLED_SECONDS = 200
"""Longer than any write takes to become visible, in a listing of a minute ago."""

RESOURCE = "ada"


class Owner:
    """The app of one run: threads `t0` to `t2` of its resource, and one of another resource."""

    def __init__(self, world: World, random: Random) -> None:
        self._world = world
        self._random = random
        settings = Settings(signing_keys=(KEY,))
        self.clients: list[Client] = [
            make_client(settings, LocationKv(world, location), seed=location) for location in range(world.locations)
        ]
        self.threads: dict[str, str] = {}
        self.owned: dict[str, list[str]] = {}
        self.written: list[str] = []

    def somewhere(self) -> Client:
        """An isolate in any location."""
        return self._random.choice(self.clients)

    async def persist(self, client: Client, method: str, url: str, body: Any = None) -> Any:
        """The reply to a request that is repeated until it succeeds."""
        while True:
            reply = await client.call(method, url, body)
            if reply.status < 300:
                return reply.json() if reply.body else None
            await asyncio.sleep(self._random.uniform(1, 5))

    async def fill(self, resource_id: str, thread_id: str) -> None:
        """Writes a thread, and something of each kind that it owns."""
        home = self.somewhere()
        body = {"threadId": thread_id, "resourceId": resource_id}
        begun = await self.persist(home, "POST", "/api/threads", body)
        session_id = begun["session"]["sessionId"]
        self.threads[thread_id] = resource_id
        urls = [f"/api/sessions/{session_id}/{kind}" for kind in ("intents", "theme", "documents/a", "documents/b")]
        for url in urls:
            if self._random.random() < 0.7:
                await self.persist(home, "PUT", url, {"of": thread_id})
                self.owned.setdefault(thread_id, []).append(url)
        if self._random.random() < 0.7:
            page = {"html": thread_id, "sessionId": session_id}
            await self.persist(home, "PUT", f"/api/pages/page-{thread_id}", page)
            self.owned.setdefault(thread_id, []).append(f"/pages/page-{thread_id}")
        messages: list[Any] = [{"role": "user", "content": "x" * self._random.choice((1, 3000))} for _ in range(3)]
        if self._random.random() < 0.7:
            url = f"data:image/png;base64,{thread_id}".ljust(MIN_APART_BYTES, "A")
            messages[1]["content"] = [{"type": "image_url", "image_url": {"url": url}}]
            self.owned.setdefault(thread_id, []).append(f"img:{session_id}:")
        conversation = f"/api/conversations/{session_id}"
        for _ in range(self._random.choice((1, 12))):
            await self.persist(home, "POST", f"{conversation}/messages", {"messages": messages})
        self.owned.setdefault(thread_id, []).append(conversation)

    async def found(self, client: Client, url: str) -> bool:
        """Whether `client` finds what is at `url`, or under the prefix of keys `url`."""
        if url.startswith("img:"):
            return bool(self._world.live_keys(url))
        while True:
            reply = await client.call("GET", url)
            if reply.status == 200:
                return not url.startswith("/api/conversations") or bool(reply.json()["messages"])
            if reply.status == 404:
                return False
            await asyncio.sleep(1)


def simulate_deletion(seed: int, profile: Profile) -> list[str]:
    """The violations of one run from `seed`."""
    return run(_scenario(seed, profile))


async def _scenario(seed: int, profile: Profile) -> list[str]:
    random = Random(seed)
    bad = random.choice((0.0, 0.5, 1.0))
    weather = Weather(0.5 * bad, 0.05 * bad, 0.5 * bad, 0.05 * bad, 0.03 * bad, 0.02 * bad)
    world = profile.world(random, weather, most_places=3)
    owner = Owner(world, random)
    for number in range(random.randint(1, 3)):
        await owner.fill(RESOURCE, f"t{number}")
    await owner.fill("bob", "other")
    # What is written elsewhere at the same time may be left; here it is visible.
    await asyncio.sleep(SETTLED_SECONDS)
    client = owner.somewhere()
    if random.random() < 0.5:
        deleted = {name for name, resource_id in owner.threads.items() if resource_id == RESOURCE}
        for pause in (0, REORDER_WINDOW_SECONDS):
            await asyncio.sleep(pause)
            while not (await owner.persist(client, "DELETE", f"/api/resources/{RESOURCE}"))["done"]:
                pass
    else:
        deleted = {"t0"}
        await owner.persist(client, "DELETE", "/api/sessions", {"threadId": "t0", "resourceId": RESOURCE})
    await asyncio.sleep(SETTLED_SECONDS)
    violations = []
    for client in owner.clients:
        for thread_id, urls in owner.owned.items():
            for url in urls:
                if await owner.found(client, url) is (thread_id in deleted):
                    violations.append(f"{'not deleted' if thread_id in deleted else 'lost'}: {url} of {thread_id}")
    return violations
