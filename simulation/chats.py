"""One run of chats: questions to threads in several isolates, which die, and whose writes are refused for a while.

Each thread has one client, which asks under the same id until it hears an answer, leaves in the middle of some, and
interrupts others. Some threads go on under another signing key than they began under. At the end some are deleted.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import takewhile
from random import Random
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote

from simulation.client import KEY, Client, make_client
from simulation.model_kv import LocationKv, Weather, World
from simulation.profiles import Profile
from simulation.virtual_time import run
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import ModelFailed
from waypost_worker.kv.delegating import DelegatingKv
from waypost_worker.kv.store import Kv, KvError
from waypost_worker.models.model import ModelTool, Piece
from waypost_worker.security.rate_limits import Limit
from waypost_worker.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

SETTLED_SECONDS = 200
"""Longer than any write takes to become visible, in a listing of a minute ago."""

LATEST_SECONDS = 60
"""After its client has left, an answer ends, and what is refused is not tried any more, within this time."""

NEW_KEY = b"a newer key for tests, 32 bytes or more"
RESOURCE = "ada"
GENEROSITY = 0.93
"""The probability that a use is allowed, where uses are counted at all."""

LONG = 64_000
"""Characters of a question whose writes cost more than what was paid when it came."""

WHOLE = "So far, so good."


class FrailKv(DelegatingKv):
    """The store as one isolate has it: it refuses writes until `refuses_until`, and never replies once `is_dead`."""

    def __init__(self, kv: Kv) -> None:
        super().__init__(kv)
        self.is_dead = asyncio.Event()
        self.refuses_until = 0.0
        self.failures = 0
        """How often an operation has failed. It is repeated, and each repetition is paid for by itself."""

    async def _around(self, operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        if operation.__name__ in ("put", "delete") and _now() < self.refuses_until:
            await asyncio.sleep(0.05)
            self.failures += 1
            raise KvError("refused")
        if not self.is_dead.is_set():
            try:
                done = await operation(*args, **kwargs)
            except KvError:
                self.failures += 1
                raise
            if not self.is_dead.is_set():
                return done
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]


class TalkingModel:
    """A model as one isolate asks it. `asked`: the text of each question. `open`: those whose requests go on."""

    name = "talking"

    def __init__(self, random: Random) -> None:
        self._random = random
        self.asked: list[str] = []
        self.open: list[str] = []

    def takes_reasoning(self, model: str | None = None) -> bool:
        return False

    async def stream(
        self, items: Sequence[ChatMessage], model: str | None = None, tools: Sequence[ModelTool] = ()
    ) -> AsyncGenerator[Piece, None]:
        # Joined to the questions before it that have no answer.
        text = str(items[-1].content).rpartition("\n")[2]
        self.asked.append(text)
        self.open.append(text)
        try:
            await asyncio.sleep(self._random.choice((0, 0.05, 0.5, 3, 20)))
            if self._random.random() < 0.1:
                raise ModelFailed("It fails.")
            yield WHOLE[:6]
            await asyncio.sleep(self._random.choice((0, 1, 15)))
            yield WHOLE[6:]
        finally:
            self.open.remove(text)


class Purse:
    """The budget of an address that refuses a use now and then."""

    def __init__(self, random: Random) -> None:
        self._random = random

    async def allows(self, key: str) -> bool:
        return self._random.random() < GENEROSITY


@dataclass
class Isolate:
    """An isolate, with what tests know of it."""

    client: Client
    kv: FrailKv
    model: TalkingModel


@dataclass
class Asked:
    """A question: what its client has heard of the answer."""

    id: str
    is_shown: bool = False
    is_whole: bool = False


@dataclass
class Chats:
    """The isolates of one run: one in each location at a time."""

    world: World
    random: Random
    violations: list[str] = field(default_factory=list)
    dead: list[Isolate] = field(default_factory=list)
    """Held, as what waits in them waits for ever."""

    def __post_init__(self) -> None:
        self._settings = Settings(signing_keys=(KEY,))
        self._limiters = {Limit.ADDRESS: Purse(self.random)} if self.random.random() < 0.4 else {}
        self.isolates = [self.isolate(location) for location in range(self.world.locations)]

    def isolate(self, location: int) -> Isolate:
        """A new isolate."""
        kv, model = FrailKv(LocationKv(self.world, location)), TalkingModel(self.random)
        client = make_client(self._settings, kv, self._limiters, seed=self.random.getrandbits(30), model=model)
        return Isolate(client, kv, model)

    async def trouble(self) -> None:
        """Isolates die, or can't write for a while, until this is cancelled."""
        while True:
            await asyncio.sleep(self.random.uniform(0.5, 12))
            location = self.random.randrange(len(self.isolates))
            if self.random.random() < 0.65:
                self.isolates[location].kv.refuses_until = _now() + self.random.uniform(1, 20)
            else:
                self.isolates[location].kv.is_dead.set()
                self.replace(location)

    def replace(self, location: int) -> None:
        """A new isolate in place of the one in `location`."""
        self.dead.append(self.isolates[location])
        self.isolates[location] = self.isolate(location)

    def change_key(self) -> None:
        """Replaces the signing key, and all isolates with it."""
        self._settings = Settings(signing_keys=(NEW_KEY, KEY))
        for location in range(len(self.isolates)):
            self.replace(location)

    async def persist(self, method: str, url: str, body: Any = None, token: str | None = None) -> Any:
        """The reply to a request that is repeated until it succeeds."""
        while True:
            isolate = self.random.choice(self.isolates)
            with suppress(TimeoutError):
                async with asyncio.timeout(60):
                    reply = await isolate.client.call(method, url, body, token=token)
                    if reply.status < 300:
                        return reply.json()
            await asyncio.sleep(self.random.uniform(1, 5))


class Asker:
    """The client of the thread `name`. `at_home`: the probability that a question reaches the isolate of the last."""

    at_home = 0.7

    def __init__(self, chats: Chats, name: str) -> None:
        self._chats = chats
        self._random = chats.random
        self.name = name
        self.asked: list[Asked] = []
        self._home = self._random.randrange(len(chats.isolates))

    async def ask_some(self) -> None:
        """Asks some questions, one after the other, each until it is answered or not worth it any more."""
        for _ in range(self._random.randint(1, 4)):
            asked = Asked(f"{self.name}-q{len(self.asked)}")
            self.asked.append(asked)
            for attempt in range(6):
                if await self._ask(asked, self._text(asked, attempt)) or self._random.random() < 0.1:
                    break
                await asyncio.sleep(self._random.uniform(0, 8))
            await asyncio.sleep(self._random.choice((0, 0.2, 3, 20)))

    def _text(self, asked: Asked, attempt: int) -> str:
        is_long = self._random.random() < 0.25
        return f"{asked.id} {attempt}" + (" " + "x" * LONG if is_long else "")

    def _fields(self) -> dict[str, Any]:
        """Further fields of a question."""
        return {}

    async def _ask(self, asked: Asked, text: str) -> bool:
        """Whether the question needs not be asked again."""
        is_home = self._random.random() < self.at_home
        isolates = self._chats.isolates
        isolate = isolates[self._home if is_home else self._random.randrange(len(isolates))]
        is_hurried, patience = self._random.random() < 0.5, self._random.choice((0.1, 0.3, 5, 60, 60, 60))
        body = {"message": text, "threadId": self.name, "resourceId": RESOURCE, "messageId": asked.id, **self._fields()}
        asking = asyncio.ensure_future(self._hear(isolate, asked, body | {"interrupt": is_hurried}))
        dying = asyncio.ensure_future(isolate.kv.is_dead.wait())
        await asyncio.wait({asking, dying}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        has_heard = asking.done() and not asking.cancelled() and asking.result()
        for task in (asking, dying):
            task.cancel()
        await asyncio.wait({asking, dying})
        return has_heard

    async def _hear(self, isolate: Isolate, asked: Asked, body: dict[str, Any]) -> bool:
        failures = isolate.kv.failures
        response = await isolate.client.open("POST", "/api/chat", body=json.dumps(body).encode())
        if not isinstance(response.body, AsyncGenerator):
            assert isinstance(response.body, bytes)
            self._check_refusal(isolate, body["message"], json.loads(response.body)["code"], failures)
            return False
        text, is_undone, has_failed = "", False, False
        try:
            async for chunk in response.body:
                for line in chunk.decode().splitlines():
                    data = json.loads(line[6:]) if line.startswith("data: ") else {}
                    text += data.get("text", "")
                    has_failed |= "code" in data
                    is_undone |= "code" in data and not data["partial"]
                asked.is_shown |= bool(text)
                asked.is_whole |= text == WHOLE and b"event: done" in chunk and not has_failed
        finally:
            await response.body.aclose()
        return not is_undone

    def _check_refusal(self, isolate: Isolate, text: str, code: str, failures: int) -> None:
        # A write that the store refuses must be paid for once more, and the model has been asked then.
        if code == "budget_spent" and isolate.kv.failures > failures:
            return
        if code in ("answer_running", "rate_limited", "budget_spent") and text in isolate.model.asked:
            self._chats.violations.append(f"was refused and reached the model: {text[:20]}, {code}")
        if text in isolate.model.open:
            self._chats.violations.append(f"was refused, and the model goes on with it: {text[:20]}")


def simulate_chats(seed: int, profile: Profile) -> list[str]:
    """The violations of one run from `seed`."""
    return run(_scenario(seed, profile))


async def _scenario(seed: int, profile: Profile) -> list[str]:
    random = Random(seed)
    bad = random.choice((0.0, 0.5, 1.0))
    weather = Weather(0.5 * bad, 0.05 * bad, 0.5 * bad, 0.05 * bad, 0.03 * bad, 0.02 * bad)
    chats = Chats(profile.world(random, weather, most_places=3), random)
    askers = [Asker(chats, f"t{number}") for number in range(random.randint(1, 3))]
    trouble = asyncio.ensure_future(chats.trouble())
    await asyncio.gather(*(asker.ask_some() for asker in askers))
    if random.random() < 0.5:
        # Where a thread's record is not visible, its conversation's id is derived: by one key, until it is.
        await asyncio.sleep(SETTLED_SECONDS)
        chats.change_key()
        await asyncio.gather(*(asker.ask_some() for asker in askers))
    trouble.cancel()
    await asyncio.sleep(LATEST_SECONDS)
    deleted = {asker.name for asker in askers if random.random() < 0.3}
    await asyncio.sleep(random.choice((0, SETTLED_SECONDS)))
    for name in sorted(deleted):
        for pause in (0, SETTLED_SECONDS):
            await asyncio.sleep(pause)
            await chats.persist("DELETE", "/api/sessions", {"threadId": name, "resourceId": RESOURCE})
    await asyncio.sleep(SETTLED_SECONDS)
    chats.violations += [
        f"the model goes on with {text[:20]}" for isolate in chats.isolates for text in isolate.model.open
    ]
    for location in range(chats.world.locations):
        chats.replace(location)
        for asker in askers:
            await _check(chats, asker, is_deleted=asker.name in deleted)
    return chats.violations


async def _check(chats: Chats, asker: Asker, *, is_deleted: bool) -> None:
    page = await chats.persist("GET", f"/api/chat/{quote(asker.name)}?resourceId={RESOURCE}")
    listed = await chats.persist("GET", f"/api/sessions?resourceId={RESOURCE}")
    is_listed = asker.name in {thread["threadId"] for thread in listed["sessions"]}
    messages = page["messages"]
    ids = [message["id"] for message in messages]
    if is_deleted:
        if messages or is_listed:
            chats.violations.append(f"deleted, and there again: {asker.name}")
        return
    if messages and not is_listed:
        chats.violations.append(f"a thread with messages is not listed: {asker.name}")
    for asked in asker.asked:
        if ids.count(asked.id) > 1:
            chats.violations.append(f"kept twice: {asked.id}")
        if not chats.world.in_one_centre:
            # Asked again where the first time is not visible yet, it may be answered twice, or be taken back.
            continue
        if asked.is_shown and asked.id not in ids:
            chats.violations.append(f"its answer was shown, and the question is not kept: {asked.id}")
        elif asked.is_whole and WHOLE not in _answers(messages[ids.index(asked.id) + 1 :]):
            chats.violations.append(f"its answer was whole, and is not kept: {asked.id}")


def _answers(messages: list[dict[str, Any]]) -> list[str]:
    """What is said before the next question: more than one answer, where two isolates that did not see each other were
    asked the same."""
    said = takewhile(lambda message: message["role"] == "assistant", messages)
    return ["".join(part.get("text", "") for part in message["parts"]) for message in said]


def _now() -> float:
    return asyncio.get_running_loop().time()
