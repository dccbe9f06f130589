"""One run of chats that use a tab: isolates die between any two steps, writes are refused for a while, and questions
are asked again elsewhere.

The tab stays, and runs each id once; what an id does not tell apart, or tells apart too much, shows in what it ran. A
call of a question is known by its place. In most runs the model asks for the same calls however often it is asked. In
the others it never asks for the same call twice, as real ones do: then a place must run once in one data centre in good
weather, since an attempt that does not see another one can't know what that has asked for.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote
from zlib import crc32

from simulation.chats import LATEST_SECONDS, RESOURCE, SETTLED_SECONDS, Asked, Asker, Chats, FrailKv, Isolate
from simulation.client import Client, Opened, make_client
from simulation.model_kv import LocationKv, Weather
from simulation.page_chats import PageAsker
from simulation.profiles import Profile
from simulation.tab import Say, Tab
from simulation.tab_readers import TabReader
from simulation.virtual_time import run
from waypost_worker.chat.tool_steps import NO_RESULT
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import ModelFailed
from waypost_worker.models.model import ModelTool, Piece, ToolUse
from waypost_worker.models.openai_messages import text_of

END = "End."


class CallingModel:
    """Asks for 0 to 3 replies of calls by the question alone, and then ends its answer. `wrong`: what it was given and
    must not have been."""

    name = "calling"

    def __init__(self, random: Random, wrong: list[str], *, is_fickle: bool) -> None:
        self._random = random
        self._wrong = wrong
        self._is_fickle = is_fickle

    def takes_reasoning(self, model: str | None = None) -> bool:
        return False

    async def stream(
        self, items: Sequence[ChatMessage], model: str | None = None, tools: Sequence[ModelTool] = ()
    ) -> AsyncGenerator[Piece, None]:
        asked = max(index for index, item in enumerate(items) if item.role == "user")
        question = text_of(items[asked].content).rpartition("\n")[2]
        self._check(items[asked + 1 :])
        step = sum(bool(item.tool_calls) for item in items[asked + 1 :])
        await asyncio.sleep(self._random.choice((0, 0.05, 0.5, 3)))
        if self._random.random() < 0.05:
            raise ModelFailed("It fails.")
        if step == steps_of(question) or not tools:
            yield END
            return
        yield f"{step} "
        await asyncio.sleep(self._random.choice((0, 0, 1)))
        for number in range(1 + crc32(f"{question} {step}".encode()) % 2):
            args = {"of": question, "step": step, "number": number}
            salt = {"salt": self._random.getrandbits(30)} if self._is_fickle else {}
            yield ToolUse(f"call-{number}", tools[number % len(tools)].name, args | salt)

    def _check(self, steps: Sequence[ChatMessage]) -> None:
        """A call is followed by its result, also one that the page has."""
        calls = {call.id: call.args for item in steps for call in item.tool_calls}
        for item in steps:
            told = text_of(item.content)
            if told == NO_RESULT:
                self._wrong.append(f"the model was to go on without the result of {calls[item.tool_call_id or '']}")
            if item.role == "tool" and "did" in told and json.loads(told)["did"] != calls[item.tool_call_id or ""]:
                self._wrong.append(f"the model was given the result of another call: {told}")


def steps_of(question: str) -> int:
    """How many replies to `question` call tools."""
    return crc32(question.encode()) % 4


class LastingTab(Tab):
    """A tab whose connections break with the isolates that serve them, and that sends each response until it is
    taken. `done`: how often it has run a call of this place."""

    def __init__(self, chats: "TabChats", opened: Opened) -> None:
        super().__init__(chats.any_client, opened, {"work": self._work})
        self._chats = chats
        self._random = chats.random
        self.done: Counter[str] = Counter()

    async def stay(self) -> None:
        """Listens, and comes back whenever its connection ends."""
        while True:
            isolate = self._random.choice(self._chats.isolates)
            listening = asyncio.ensure_future(self.connect(isolate.client))
            dying = asyncio.ensure_future(isolate.kv.is_dead.wait())
            await asyncio.wait({listening, dying}, return_when=asyncio.FIRST_COMPLETED)
            for task in (listening, dying):
                task.cancel()
            await asyncio.gather(listening, dying, return_exceptions=True)
            await asyncio.sleep(self._random.uniform(0.1, 2))

    async def _work(self, args: Any, say: Say) -> Any:
        self.done[f"{args['of']} {args['step']} {args['number']}"] += 1
        if self._random.random() < 0.3:
            await say("working")
        await asyncio.sleep(self._random.choice((0, 0.2, 2, 10, 20)))
        return {"did": args}

    async def _respond(self, id: str, response: dict[str, Any]) -> None:
        body = {"code": self.opened.code, "id": id, **response}
        await self._chats.persist("POST", "/api/response", body, token=self.opened.host)


@dataclass
class TabChats(Chats):
    """The isolates of one run, with a tab."""

    is_fickle: bool = False
    tab: LastingTab = field(init=False)

    def isolate(self, location: int) -> Isolate:
        kv, model = (
            FrailKv(LocationKv(self.world, location)),
            CallingModel(self.random, self.violations, is_fickle=self.is_fickle),
        )
        client = make_client(self._settings, kv, self._limiters, seed=self.random.getrandbits(30), model=model)
        return Isolate(client, kv, model)  # type: ignore[arg-type]

    def any_client(self) -> Client:
        """An isolate."""
        return self.random.choice(self.isolates).client

    async def open_tab(self) -> None:
        """A tab, once it is visible everywhere."""
        opened = await self.persist("POST", "/api/sessions")
        self.tab = LastingTab(self, Opened(opened["code"], opened["hostToken"]))
        url = f"/api/sessions/{opened['code']}/tools"
        await self.persist("PUT", url, {"tools": [{"name": "work"}]}, token=self.tab.opened.host)


@dataclass
class Heard:
    """An answer that a client has heard to its end: its text, and its calls with their results."""

    text: str
    results: dict[str, Any]


class TabAsker(Asker):
    """The client of a thread that uses the tab. `heard`: the answers that it has heard whole. `doubtful`: the questions
    that it asked again before it had heard that they were kept, so that two attempts may not see each other."""

    at_home = 0.3

    def __init__(self, chats: TabChats, name: str) -> None:
        super().__init__(chats, name)
        self._tab = chats.tab
        self.heard: dict[str, Heard] = {}
        self.doubtful: set[str] = set()

    def _text(self, asked: Asked, attempt: int) -> str:
        return asked.id

    def _fields(self) -> dict[str, Any]:
        return {"session": {"code": self._tab.opened.code}}

    async def _hear(self, isolate: Isolate, asked: Asked, body: dict[str, Any]) -> bool:
        try:
            response = await isolate.client.open("POST", "/api/chat", body=json.dumps(body).encode())
        except asyncio.CancelledError:
            if not isolate.kv.is_dead.is_set():
                self.doubtful.add(asked.id)
            raise
        if not isinstance(response.body, AsyncGenerator):
            return False
        calls: dict[str, Any] = {}
        text, results, has_failed, is_over = "", dict[str, Any](), False, False
        try:
            async for chunk in response.body:
                for block in chunk.decode().split("\n\n"):
                    name, data = _event(block)
                    text += data.get("text", "")
                    has_failed |= name == "error"
                    is_over |= name == "done" and not data["partial"]
                    if name == "tool_call":
                        calls[data["id"]] = data["arguments"]
                    elif name == "tool_result":
                        results[data["id"]] = None if data["isError"] else data["result"]
                        self._check_result(data, calls)
        finally:
            await response.body.aclose()
        if is_over and not has_failed:
            self.heard[asked.id] = Heard(text, results)
            if calls.keys() != results.keys():
                self._chats.violations.append(f"an answer ended without a result: {asked.id}")
        return is_over

    def _check_result(self, data: dict[str, Any], calls: dict[str, Any]) -> None:
        if not data["isError"] and data["result"] != {"did": calls.get(data["id"])}:
            self._chats.violations.append(f"shown with the result of another call: {data}")


def simulate_tab_chats(seed: int, profile: Profile) -> list[str]:
    """The violations of one run from `seed`."""
    return run(_scenario(seed, profile))


async def _scenario(seed: int, profile: Profile) -> list[str]:
    random = Random(seed)
    is_fickle = random.random() < 0.5
    bad = random.choice((0.0, 0.0, 0.0, 0.5) if is_fickle else (0.0, 0.5, 1.0))
    weather = Weather(0.5 * bad, 0.05 * bad, 0.5 * bad, 0.05 * bad, 0.03 * bad, 0.02 * bad)
    chats = TabChats(profile.world(random, weather, most_places=3), random, is_fickle=is_fickle)
    await chats.open_tab()
    staying = asyncio.ensure_future(chats.tab.stay())
    await asyncio.sleep(SETTLED_SECONDS)
    askers = [TabAsker(chats, f"t{number}") for number in range(random.randint(1, 2))]
    # With a random of their own: who reads changes nothing of what is asked.
    readers = [TabReader(chats, asker.name, Random(seed + number)) for number, asker in enumerate(askers, 1)]
    reading = [asyncio.ensure_future(reader.stay()) for reader in readers]
    page = PageAsker(chats, "p", Random(seed), chats.tab.opened.code, is_calm=not bad)
    trouble = asyncio.ensure_future(chats.trouble())
    await asyncio.gather(page.ask_some(), *(asker.ask_some() for asker in askers))
    for task in (trouble, *reading):
        task.cancel()
    await asyncio.sleep(LATEST_SECONDS + SETTLED_SECONDS)
    staying.cancel()
    if not is_fickle or (chats.world.in_one_centre and not bad):
        doubtful = page.doubtful.union(*(asker.doubtful for asker in askers)) if is_fickle else set()
        ran = {call: times for call, times in chats.tab.done.items() if call.split()[0] not in doubtful}
        chats.violations += [f"ran {times} times: {call}" for call, times in ran.items() if times > 1]
    for location in range(chats.world.locations):
        chats.replace(location)
        for asker in askers:
            await _check(chats, asker)
        await page.check()
    for reader in readers:
        await reader.check()
    return chats.violations


async def _check(chats: TabChats, asker: TabAsker) -> None:
    page = await chats.persist("GET", f"/api/chat/{quote(asker.name)}?resourceId={RESOURCE}")
    # Where a write is visible late, a question may be answered twice: then both answers are kept behind it.
    kept: dict[str, list[Heard]] = {}
    question = ""
    for message in page["messages"]:
        if message["role"] == "user":
            question = message["id"]
            continue
        kept.setdefault(question, []).append(_kept(message))
        for part in message["parts"]:
            if part.get("state") == "output-available" and part["output"] != {"did": part["input"]}:
                chats.violations.append(f"kept with the result of another call: {message['id']}")
    for question, heard in asker.heard.items():
        if chats.world.in_one_centre and heard not in kept.get(question, ()):
            chats.violations.append(f"heard whole, and not kept like this: {question}: {heard}, {kept.get(question)}")


def _kept(message: dict[str, Any]) -> Heard:
    text = "".join(part.get("text", "") for part in message["parts"])
    tools = [part for part in message["parts"] if part["type"] == "dynamic-tool"]
    return Heard(text, {part["toolCallId"]: part.get("output") for part in tools})


def _event(block: str) -> tuple[str, dict[str, Any]]:
    fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(":"))
    return fields.get("event", ""), json.loads(fields["data"]) if "data" in fields else {}
